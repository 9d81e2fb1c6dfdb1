//! A light client follows the chain from block to block.

use crate::net::{Draft, Net};
use proto::vrf::VrfPublic;
use proto::{Address, Digest, Height, seed};
use solo::{Sealed, ValidatorKeys};
use std::time::Duration;
use tendermint::block::signed_header::SignedHeader;
use tendermint::{Time, validator};
use tendermint_light_client_verifier::options::Options;
use tendermint_light_client_verifier::types::{LightBlock, PeerId, TrustThreshold};
use tendermint_light_client_verifier::{ProdVerifier, Verdict, Verifier as _};

async fn chain() -> Vec<std::sync::Arc<Sealed>> {
    let mut net = Net::new();
    let mut blocks = vec![net.block()];
    for sequence in 0..4 {
        blocks.push(net.include(&Draft::pay(1, sequence, &Address([9; 20]), 5)).await.0);
        blocks.push(net.block());
    }
    blocks
}

/// The block as a light client gets it, with the validators that RPC names.
fn light(block: &Sealed) -> LightBlock {
    let public = ValidatorKeys::from_bytes(&[1; 32], &[2; 32]).public();
    let key = tendermint::PublicKey::from_raw_ed25519(&public.consensus_key.0).unwrap();
    let info = validator::Info::new(key, 10u32.into());
    let set = validator::Set::without_proposer(vec![info]);
    LightBlock {
        signed_header: SignedHeader::new(block.header.clone(), block.commit.clone()).unwrap(),
        validators: set.clone(),
        next_validators: set,
        provider: PeerId::new([0; 20]),
    }
}

fn verify(trusted: &LightBlock, block: &LightBlock, now: Time) -> Verdict {
    let options = Options {
        trust_threshold: TrustThreshold::TWO_THIRDS,
        trusting_period: Duration::from_secs(86_400),
        clock_drift: Duration::from_secs(1),
    };
    ProdVerifier::default().verify_update_header(
        block.as_untrusted_state(),
        trusted.as_trusted_state(),
        &options,
        now,
    )
}

#[tokio::test]
async fn a_light_client_accepts_every_block_and_any_later_one() {
    let blocks: Vec<LightBlock> = chain().await.iter().map(|block| light(block)).collect();
    let now = (blocks.last().unwrap().signed_header.header.time + Duration::from_secs(5)).unwrap();
    for pair in blocks.windows(2) {
        assert_eq!(verify(&pair[0], &pair[1], now), Verdict::Success);
    }
    assert_eq!(verify(&blocks[0], blocks.last().unwrap(), now), Verdict::Success);
}

#[tokio::test]
async fn a_light_client_accepts_no_changed_block() {
    let blocks = chain().await;
    let now = (blocks.last().unwrap().header.time + Duration::from_secs(5)).unwrap();
    let mut forged = (*blocks[1]).clone();
    forged.header.app_hash = tendermint::AppHash::try_from(vec![7; 32]).unwrap();
    let verdict = verify(&light(&blocks[0]), &light(&forged), now);
    assert_ne!(verdict, Verdict::Success);
}

#[tokio::test]
async fn headers_name_what_came_before() {
    let blocks = chain().await;
    for pair in blocks.windows(2) {
        let (before, block) = (&pair[0], &pair[1]);
        assert_eq!(block.header.last_block_id, Some(before.id));
        assert_eq!(block.last_commit.as_ref(), Some(&before.commit));
        assert_eq!(block.header.app_hash.as_bytes(), before.app_hash.0);
        assert!(block.header.time > before.header.time);
        assert_eq!(block.id.hash, block.header.hash());
    }
    // An empty block's results are not those of one with a transaction.
    assert_ne!(blocks[2].header.last_results_hash, blocks[1].header.last_results_hash);
}

#[tokio::test]
async fn anybody_can_check_that_a_seed_was_not_chosen() {
    let key: VrfPublic = ValidatorKeys::from_bytes(&[1; 32], &[2; 32]).public().vrf_key;
    let mut before: Digest = seed::first("lode-test");
    for block in chain().await {
        let input = seed::vrf_input(&before, Height(block.header.height.value()));
        let output = key.verify(&input, &block.vrf_proof).unwrap();
        assert_eq!(block.seed, seed::next(&before, &[output]));
        before = block.seed;
    }
}
