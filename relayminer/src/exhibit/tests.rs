#![allow(clippy::unwrap_used)]

use crate::rig::{CHAIN, Stand, body, relay_secret, told};
use chain_client::keys::Signer;
use expect_test::{Expect, expect};
use http::{Method, Request};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use proto::audit::Round;
use proto::audit::ask::{Ask, SignedAsk};
use proto::audit::case::Case;
use proto::audit::exhibit::{Exhibit, PURPOSE};
use proto::claim::ClaimRoot;
use proto::keys::RelayKey;
use proto::query::{GetDocket, ListAudits};
use proto::sealed::SealSecret;
use proto::vrf::VrfSecret;
use proto::{Digest, Height};

struct Court {
    stand: Stand,
    signer: Signer,
    case: Case,
    ask: Ask,
    key: SealSecret,
    root: ClaimRoot,
}

impl Court {
    /// A supplier that served, claimed and is audited, with an auditor who sits.
    async fn begin() -> Court {
        let stand = Stand::start().await;
        let signer = Signer::from_bytes(&[7; 32]).unwrap();
        let beacon = VrfSecret::from_bytes(&[6; 32]);
        stand.town.bond(signer.address(), beacon.public());
        let (mut gateway, body) = (stand.gateway(), body("say 5", 10));
        for _ in 0..4 {
            stand.relay(&gateway.request(&body, 20), &body).await;
        }
        let session = stand.session.clone();
        for (height, stage) in
            [(session.claim_window().start, "claimed"), (session.reveal_height(), "proven")]
        {
            stand.town.grow(height.0);
            while stand.payout().await["stage"] != stage {
                tokio::task::yield_now().await;
            }
        }
        let root = stand.town.claim_of(&session).unwrap().root;
        stand.town.grow(session.audit_window().start.0);
        let question = ListAudits { start: session.start, ..ListAudits::default() };
        let case = stand.town.ask(&question).unwrap().audits.remove(0);
        let docket = stand.town.ask(&GetDocket { start: case.start }).unwrap();
        let input = docket.ticket_input(Round::First).unwrap();
        let key = SealSecret::from_seed(&[8; 32]);
        let ask = Ask {
            audit: case.audit.id,
            account_key: signer.public_key().to_bytes().try_into().unwrap(),
            round: Round::First,
            ticket: beacon.prove(&input.0).1,
            seal_key: key.public(),
            relay_key: relay_secret().public(),
        };
        Court { stand, signer, case, ask, key, root }
    }

    /// What is answered to an ask: sealed bytes, or the reason of a refusal.
    async fn ask(&self, ask: &Ask, chain_id: &str) -> Result<Vec<u8>, String> {
        let signature = self.signer.sign(&ask.signed_bytes(chain_id));
        let bytes = SignedAsk { ask: ask.clone(), signature }.encode();
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/lode/audits/{}", self.stand.url, ask.audit))
            .body(Full::new(bytes::Bytes::from(bytes)))
            .unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let told = told(client.request(request).await.unwrap()).await;
        if told.status.is_success() {
            return Ok(told.body.to_vec());
        }
        let text: serde_json::Value = serde_json::from_slice(&told.body).unwrap();
        Err(format!("{} {}", told.status.as_u16(), text["error"]["message"].as_str().unwrap()))
    }

    async fn refused(&self, change: impl FnOnce(&mut Ask), says: &Expect) {
        let mut ask = self.ask.clone();
        change(&mut ask);
        says.assert_eq(&self.ask(&ask, CHAIN).await.unwrap_err());
    }
}

#[tokio::test]
async fn who_sits_is_shown_the_drawn_leaf_and_it_proves_itself() {
    let court = Court::begin().await;
    let sealed = court.ask(&court.ask, CHAIN).await.unwrap();
    let opened = court.key.open(PURPOSE, &court.ask.digest(), &sealed).unwrap();
    let exhibit = Exhibit::decode(&opened).unwrap();
    assert_eq!(exhibit.encode(), opened);
    let check = |exhibit: &Exhibit, point: u64| {
        let audit = proto::audit::Audit { point, ..court.case.audit };
        exhibit.check(CHAIN, &court.stand.session, &audit, &court.root)
    };
    let point = court.case.audit.point;
    assert_eq!(check(&exhibit, point).unwrap().receipt, exhibit.opening.leaf.receipt.body);
    assert!(check(&exhibit, (point + 6) % court.root.sum.0).is_err(), "another leaf was drawn");
    let changes: [fn(&mut Exhibit); 5] = [
        |e| e.dossier.answer.push(0),
        |e| e.dossier.receipt.push(0),
        |e| e.dossier.supplier.0[0] ^= 1,
        |e| e.dossier.relay_key.0[0] ^= 1,
        |e| e.opening.leaf.receipt.body.cu.0 += 1,
    ];
    for change in changes {
        let mut other = exhibit.clone();
        change(&mut other);
        assert!(check(&other, point).is_err(), "{other:?}");
    }
    court.stand.end().await;
}

#[tokio::test]
async fn who_has_no_seat_is_shown_nothing() {
    let court = Court::begin().await;
    let own = court.ask.audit;
    court.refused(|ask| ask.audit = Digest([1; 32]), &expect!["404 there is no audit 0101010101010101010101010101010101010101010101010101010101010101 of this supplier"]).await;
    court.refused(|ask| ask.relay_key = RelayKey([1; 32]), &expect![[r#"404 the ask is for the relay key 0101010101010101010101010101010101010101010101010101010101010101, but this relay miner's is ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1"#]]).await;
    court
        .refused(
            |ask| ask.ticket.0[50] ^= 1,
            &expect!["403 the ticket: the proof is not this key's over this input"],
        )
        .await;
    court.refused(|ask| ask.seal_key.0 = [0; 32], &expect!["400 nothing can be sealed to 0000000000000000000000000000000000000000000000000000000000000000: it is no key of X25519, or one with which nothing is secret"]).await;
    let second = court.ask(&Ask { round: Round::Second, ..court.ask.clone() }, CHAIN).await;
    assert!(second.unwrap_err().contains("but this committee commits in"));
    let elsewhere = court.ask(&court.ask, "another-chain").await.unwrap_err();
    assert!(elsewhere.starts_with("401 the ask is not signed by"), "{elsewhere}");
    assert!(court.ask(&court.ask, CHAIN).await.is_ok(), "{own} can still be asked for");
    let late = Height(court.stand.session.audit_window().end.0);
    court.stand.town.grow(late.0);
    let late = court.ask(&court.ask, CHAIN).await.unwrap_err();
    assert!(late.starts_with("403 at height") || late.starts_with("404"), "{late}");
    court.stand.end().await;
}

#[tokio::test]
async fn one_auditor_is_shown_one_audit_so_often_only() {
    let court = Court::begin().await;
    let mut shown = 0;
    let refused = loop {
        match court.ask(&court.ask, CHAIN).await {
            Ok(_) => shown += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(shown, 16);
    assert!(refused.starts_with("429") && refused.ends_with("that must do"), "{refused}");
    court.stand.end().await;
}
