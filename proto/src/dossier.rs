//! All that an auditor needs to judge one relay: what was asked, what was answered, the evidence, and
//! the receipt that commits to all three.

use crate::evidence::{self, Evidence, EvidenceRefused};
use crate::keys::{Address, RelayKey};
use crate::relay::{Receipt, Signed, body_digest, sampler_seed};
use crate::service::ServiceId;
use crate::transcript::commit;
use crate::units::Digest;
use crate::wire::{BadWire, Wire};
use serde::{Deserialize, Serialize};

/// What a dossier of this form says of itself.
pub const FORM: &str = "lode/dossier/1";

/// Everything about one relay. Bytes are written in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dossier {
    pub form: String,
    pub chain_id: String,
    pub service: ServiceId,
    /// The operator that served the relay.
    pub supplier: Address,
    /// Whose signature is on the receipt: the key of the supplier's seat in the session.
    pub relay_key: RelayKey,
    /// Such as `/v1/chat/completions`.
    pub path: String,
    /// The client's bytes.
    #[serde(with = "hex")]
    pub body: Vec<u8>,
    /// What was delivered.
    #[serde(with = "hex")]
    pub answer: Vec<u8>,
    /// Nothing where the backend shows none.
    #[serde(with = "hex")]
    pub evidence: Vec<u8>,
    /// The signed receipt.
    #[serde(with = "hex")]
    pub receipt: Vec<u8>,
}

/// A dossier whose parts belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub receipt: Receipt,
    /// None where the receipt commits to none.
    pub evidence: Option<Evidence>,
    /// The seed that the relay fixed for its sampler.
    pub seed: u64,
}

/// Why a dossier proves nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DossierRefused {
    #[error("the dossier is of form {0:?}, but this program reads {FORM:?}")]
    Form(String),
    #[error("its receipt cannot be read: {0}")]
    Receipt(BadWire),
    #[error("its receipt is not signed by {0}")]
    Signature(RelayKey),
    #[error("its request is not the one of the receipt: it hashes to {got}, not {signed}")]
    Request { got: Digest, signed: Digest },
    #[error("its answer is not the one of the receipt: its root is {got}, not {signed}")]
    Answer { got: Digest, signed: Digest },
    #[error("its evidence is not the one of the receipt: its root is {got}, not {signed}")]
    Evidence { got: Digest, signed: Digest },
    #[error(transparent)]
    Malformed(#[from] EvidenceRefused),
}

impl Dossier {
    /// Checks that the receipt was signed, and commits to all the rest.
    pub fn check(&self) -> Result<Checked, DossierRefused> {
        if self.form != FORM {
            return Err(DossierRefused::Form(self.form.clone()));
        }
        let signed = Signed::<Receipt>::decode(&self.receipt).map_err(DossierRefused::Receipt)?;
        if !signed.is_by(&self.relay_key) {
            return Err(DossierRefused::Signature(self.relay_key));
        }
        let receipt = signed.body;
        let got = body_digest(&self.body);
        if got != receipt.request_digest {
            return Err(DossierRefused::Request { got, signed: receipt.request_digest });
        }
        let got = commit(&self.answer).root;
        if got != receipt.response_root {
            return Err(DossierRefused::Answer { got, signed: receipt.response_root });
        }
        let evidence = self.shown(&receipt)?;
        let seed = sampler_seed(&receipt.session_id, &receipt.relay_id, &self.supplier);
        Ok(Checked { receipt, evidence, seed })
    }

    fn shown(&self, receipt: &Receipt) -> Result<Option<Evidence>, DossierRefused> {
        let signed = receipt.evidence_root;
        if signed == Digest::default() && self.evidence.is_empty() {
            return Ok(None);
        }
        let got = evidence::root(&self.evidence);
        if got != signed {
            return Err(DossierRefused::Evidence { got, signed });
        }
        Ok(Some(Evidence::decode(&self.evidence)?))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::evidence::Shown;
    use crate::keys::RelaySecret;
    use crate::relay::{Signable, Status};
    use crate::units::{Cu, Time};
    use crate::usage::Usage;

    fn dossier() -> Dossier {
        let secret = RelaySecret::from_bytes(&[4; 32]);
        let evidence = Evidence { class: "x".into(), shown: Shown::None }.encode();
        let answer = commit(b"answer");
        let receipt = Receipt {
            session_id: Digest([1; 32]),
            relay_id: Digest([2; 32]),
            request_digest: body_digest(b"body"),
            response_root: answer.root,
            chunk_count: answer.chunk_count,
            usage: Usage { fresh_in: 1, cached_in: 0, out: 1 },
            cu: Cu(2),
            status: Status::Completed,
            started_at: Time(1),
            first_token_at: Time(2),
            finished_at: Time(3),
            evidence_root: evidence::root(&evidence),
        };
        Dossier {
            form: FORM.into(),
            chain_id: "lode-1".into(),
            service: ServiceId::new("demo").unwrap(),
            supplier: Address([5; 20]),
            relay_key: secret.public(),
            path: "/v1/completions".into(),
            body: b"body".into(),
            answer: b"answer".into(),
            evidence,
            receipt: receipt.sign(&secret).encode(),
        }
    }

    #[test]
    fn a_dossier_holds_together_and_no_part_can_be_changed() {
        let honest = dossier();
        assert!(honest.check().is_ok());
        let text = serde_json::to_string(&honest).unwrap();
        assert_eq!(serde_json::from_str::<Dossier>(&text).unwrap(), honest);
        let changes: [fn(&mut Dossier); 6] = [
            |d| d.body.push(0),
            |d| d.answer.push(0),
            |d| d.evidence.push(0),
            |d| d.evidence.clear(),
            |d| d.relay_key = RelaySecret::from_bytes(&[9; 32]).public(),
            |d| d.form.push('x'),
        ];
        for change in changes {
            let mut changed = honest.clone();
            change(&mut changed);
            assert!(changed.check().is_err(), "{changed:?}");
        }
    }
}
