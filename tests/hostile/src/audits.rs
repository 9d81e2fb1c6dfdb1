//! What auditors and suppliers say to each other.

use crate::Sample;
use proto::Digest;
use proto::audit::ask::SignedAsk;
use proto::audit::exhibit::{Exhibit, PURPOSE};
use proto::dossier::Dossier;
use proto::leaf::Opening;
use proto::sealed::SealSecret;
use proto::wire::Wire;

/// An auditor's ask is refused, or is written in one form.
pub fn ask(bytes: &[u8]) {
    if let Ok(ask) = SignedAsk::decode(bytes) {
        assert_eq!(ask.encode(), bytes);
    }
}

/// A supplier's exhibit is refused, or is written in one form; as sealed bytes it stays closed.
pub fn exhibit(bytes: &[u8]) {
    if let Ok(exhibit) = Exhibit::decode(bytes) {
        assert_eq!(exhibit.encode(), bytes);
        // Its parts come from a stranger: they are refused, or hold together.
        let _checked = exhibit.dossier.check();
    }
    let secret = SealSecret::from_seed(&[7; 32]);
    assert!(secret.open(PURPOSE, &Digest([1; 32]), bytes).is_err());
}

/// Right bytes, to be changed.
pub(crate) fn asked_and_shown(opening: &Opening) -> [Sample; 2] {
    let dossier = Dossier {
        form: proto::dossier::FORM.into(),
        chain_id: "lode-1".into(),
        service: proto::service::ServiceId::new("demo").unwrap(),
        supplier: proto::Address([5; 20]),
        relay_key: proto::keys::RelayKey([6; 32]),
        path: "/v1/completions".into(),
        body: b"{}".into(),
        answer: b"data".into(),
        evidence: Vec::new(),
        receipt: opening.leaf.receipt.encode(),
    };
    let shown = Exhibit { opening: opening.clone(), dossier }.encode();
    let mut asked = vec![1; proto::audit::ask::ASK_LENGTH];
    asked[64] = 2;
    [Sample { reader: "ask", bytes: asked }, Sample { reader: "exhibit", bytes: shown }]
}
