//! What real clients sign is taken: cosmrs in direct mode, CosmJS in both.

use crate::net::{CHAIN_ID, Draft, Key, Net, coin};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cosmrs::AccountId;
use cosmrs::bank::MsgSend;
use cosmrs::crypto::secp256k1::SigningKey;
use cosmrs::proto::cosmos::tx::v1beta1::TxRaw;
use cosmrs::tx::{Body, Fee, Msg as _, SignDoc, SignerInfo};
use prost::Message as _;
use proto::Address;

/// Transactions that CosmJS 0.39 signed with the key of the words "abandon … about": account
/// number 0, sequence 0, a fee of 300ulode.
const SIGNED: &str = include_str!("cosmjs.txt");

fn cosmjs() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    SIGNED.lines().map(|line| {
        let (name, tx) = line.split_once(' ').unwrap();
        (name, STANDARD.decode(tx).unwrap())
    })
}

#[tokio::test]
async fn what_cosmjs_signs_is_taken() {
    for (name, tx) in cosmjs() {
        assert_eq!(Net::new().broadcast(&tx).await, "0", "{name}");
    }
    assert_eq!(cosmjs().count(), 6);
}

#[tokio::test]
async fn what_cosmjs_signed_cannot_be_changed() {
    let net = Net::new();
    for (name, tx) in cosmjs() {
        let raw = TxRaw::decode(tx.as_slice()).unwrap();
        let mut other = raw.clone();
        // Another amount of the fee, at a place that keeps the encoding right.
        let at = other.auth_info_bytes.windows(3).position(|three| three == b"300").unwrap();
        other.auth_info_bytes[at] = b'4';
        let outcome = net.broadcast(&other.encode_to_vec()).await;
        assert!(outcome.starts_with("4 sdk: signature verification failed"), "{name}: {outcome}");
    }
}

#[tokio::test]
async fn a_signature_with_the_higher_s_is_refused() {
    let mut raw = TxRaw::decode(Draft::pay(1, 0, &Address([9; 20]), 5).sign().as_slice()).unwrap();
    let low = k256::ecdsa::Signature::from_slice(&raw.signatures[0]).unwrap();
    let (r, s) = low.split_scalars();
    raw.signatures[0] = k256::ecdsa::Signature::from_scalars(r, -*s).unwrap().to_vec();
    let outcome = Net::new().broadcast(&raw.encode_to_vec()).await;
    assert!(outcome.starts_with("4 sdk"), "{outcome}");
}

#[tokio::test]
async fn what_cosmrs_signs_is_taken() {
    let key = SigningKey::from_slice(&[1; 32]).unwrap();
    let from = key.public_key().account_id("lode").unwrap();
    assert_eq!(from.to_string(), Key::n(1).address().to_string());
    let amount = |amount| cosmrs::Coin { denom: "ulode".parse().unwrap(), amount };
    let send = MsgSend {
        from_address: from,
        to_address: AccountId::new("lode", &[9; 20]).unwrap(),
        amount: vec![amount(5)],
    };
    let body = Body::new([send.to_any().unwrap()], "from cosmrs", 0u32);
    let fee = Fee::from_amount_and_gas(amount(300), 300_000u64);
    let auth_info = SignerInfo::single_direct(Some(key.public_key()), 0).auth_info(fee);
    let document = SignDoc::new(&body, &auth_info, &CHAIN_ID.parse().unwrap(), 1).unwrap();
    let tx = document.sign(&key).unwrap().to_bytes().unwrap();
    let mut net = Net::new();
    assert_eq!(net.broadcast(&tx).await, "0");
    assert_eq!(net.block().results[0].code, 0);
    assert_eq!(net.balance(&Address([9; 20])).await, 5);
}

#[tokio::test]
async fn a_key_is_needed_once() {
    let mut net = Net::new();
    let first = Draft::pay(1, 0, &Address([9; 20]), 5);
    let without = |draft: &Draft| {
        let mut auth_info = draft.auth_info();
        auth_info.signer_infos[0].public_key = None;
        draft.sign_as(draft.body(), auth_info)
    };
    let outcome = net.broadcast(&without(&first)).await;
    assert!(outcome.starts_with("8 sdk: pubkey of"), "{outcome}");
    net.include(&first).await;
    let mut second = Draft::pay(1, 1, &Address([9; 20]), 5);
    second.fee = vec![coin(400, "ulode")];
    assert_eq!(net.broadcast(&without(&second)).await, "0");
}
