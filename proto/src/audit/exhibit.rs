//! What a supplier shows an auditor: the drawn leaf, its way to the claim's root, and the dossier of
//! its relay.
//!
//! ```text
//! length:4 opening | length:4 form | chain id | service | supplier | relay key | path | body
//!                  | answer | evidence | receipt                    each with its length before it
//! ```
//! An exhibit proves itself: the root is on the chain, the leaf is under it, the receipt is in the
//! leaf, and all the rest is in the receipt. What does not hold together was not given out.

use super::Audit;
use crate::claim::ClaimRoot;
use crate::dossier::{Checked, Dossier, DossierRefused};
use crate::keys::{Address, RelayKey};
use crate::leaf::{BadLeaf, Opening};
use crate::service::ServiceId;
use crate::session::Session;
use crate::wire::{BadWire, Wire};
use smst::{DecodeRefused, Node, Proof, VerifyRefused};

/// Bytes of an exhibit at most: those of the longest relay that is kept, and its way to the root.
pub const EXHIBIT_MAX: usize = 25 << 20;

/// For what exhibits are sealed.
pub const PURPOSE: &str = "lode/audit/exhibit/1";

const PARTS: usize = 11;

/// A drawn leaf with all that an auditor needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhibit {
    pub opening: Opening,
    pub dossier: Dossier,
}

/// Bytes that are no exhibit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadExhibit {
    #[error("{length} bytes are more than the {EXHIBIT_MAX} of an exhibit")]
    Long { length: usize },
    #[error("an exhibit has {PARTS} parts, each with its length before it, and nothing else")]
    Parts,
    #[error("the opening: {0}")]
    Opening(#[from] BadWire),
    #[error("{name} is wrong: {reason}")]
    Part { name: &'static str, reason: String },
}

/// Why an exhibit shows nothing of the leaf that was drawn.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExhibitRefused {
    #[error("the supplier has no seat in the session")]
    NoSeat,
    #[error("the way to the root cannot be read: {0}")]
    Path(#[from] DecodeRefused),
    #[error("the leaf is not under the claim's root: {0}")]
    Root(#[from] VerifyRefused),
    #[error("the leaf lies at {start}..{end} of the line of weights, but {point} was drawn")]
    Elsewhere { start: u64, end: u64, point: u64 },
    #[error("the leaf: {0}")]
    Leaf(#[from] BadLeaf),
    #[error("the receipt of the dossier is not the one in the leaf")]
    OtherReceipt,
    #[error("the dossier is of {what}, not of the audited session")]
    OtherDossier { what: &'static str },
    #[error(transparent)]
    Dossier(#[from] DossierRefused),
}

impl Exhibit {
    /// The one form in which it is sealed.
    pub fn encode(&self) -> Vec<u8> {
        let (opening, dossier) = (self.opening.encode(), &self.dossier);
        let parts: [&[u8]; PARTS] = [
            &opening,
            dossier.form.as_bytes(),
            dossier.chain_id.as_bytes(),
            dossier.service.as_str().as_bytes(),
            &dossier.supplier.0,
            &dossier.relay_key.0,
            dossier.path.as_bytes(),
            &dossier.body,
            &dossier.answer,
            &dossier.evidence,
            &dossier.receipt,
        ];
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u32).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    /// Reads what was sealed; bytes of any other form are refused.
    pub fn decode(bytes: &[u8]) -> Result<Exhibit, BadExhibit> {
        if bytes.len() > EXHIBIT_MAX {
            return Err(BadExhibit::Long { length: bytes.len() });
        }
        let [
            opening,
            form,
            chain_id,
            service,
            supplier,
            relay_key,
            path,
            body,
            answer,
            evidence,
            receipt,
        ] = split(bytes).ok_or(BadExhibit::Parts)?;
        let dossier = Dossier {
            form: text("the form", form)?,
            chain_id: text("the chain's id", chain_id)?,
            service: service_of(service)?,
            supplier: Address(exact("the supplier", supplier)?),
            relay_key: RelayKey(exact("the relay key", relay_key)?),
            path: text("the path", path)?,
            body: body.to_vec(),
            answer: answer.to_vec(),
            evidence: evidence.to_vec(),
            receipt: receipt.to_vec(),
        };
        Ok(Exhibit { opening: Opening::decode(opening)?, dossier })
    }

    /// Checks that this is the leaf that `audit` drew of the claim `root`, and that its dossier
    /// belongs to it.
    pub fn check(
        &self,
        chain_id: &str,
        session: &Session,
        audit: &Audit,
        root: &ClaimRoot,
    ) -> Result<Checked, ExhibitRefused> {
        let seat = session.seat(&audit.operator).ok_or(ExhibitRefused::NoSeat)?;
        let leaf = &self.opening.leaf;
        let claimed = Node { digest: root.root.0, sum: root.sum.0, count: root.count };
        let shown = smst::Leaf {
            path: leaf.path().0,
            value_hash: leaf.value_hash().0,
            weight: leaf.weight().0,
        };
        let lies = Proof::decode(&self.opening.path)?.verify(&claimed, &shown)?;
        if !lies.contains(&audit.point) {
            let (start, end, point) = (lies.start, lies.end, audit.point);
            return Err(ExhibitRefused::Elsewhere { start, end, point });
        }
        leaf.check(chain_id, session, seat, root.unacked_from)?;
        let dossier = &self.dossier;
        if dossier.receipt != leaf.receipt.encode() {
            return Err(ExhibitRefused::OtherReceipt);
        }
        let same = [
            ("another chain", dossier.chain_id == chain_id),
            ("another service", dossier.service == session.service),
            ("another supplier", dossier.supplier == audit.operator),
            ("another relay key", dossier.relay_key == seat.relay_key),
        ];
        if let Some((what, _)) = same.into_iter().find(|(_, same)| !same) {
            return Err(ExhibitRefused::OtherDossier { what });
        }
        Ok(dossier.check()?)
    }
}

/// The parts of an exhibit, if there is nothing else.
fn split(mut bytes: &[u8]) -> Option<[&[u8]; PARTS]> {
    let mut parts = [&[][..]; PARTS];
    for part in &mut parts {
        let (length, rest) = bytes.split_first_chunk()?;
        (*part, bytes) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    }
    bytes.is_empty().then_some(parts)
}

fn text(name: &'static str, bytes: &[u8]) -> Result<String, BadExhibit> {
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned).map_err(|error| BadExhibit::Part { name, reason: error.to_string() })
}

fn service_of(bytes: &[u8]) -> Result<ServiceId, BadExhibit> {
    let name = "the service";
    ServiceId::new(&text(name, bytes)?)
        .map_err(|error| BadExhibit::Part { name, reason: error.to_string() })
}

fn exact<const N: usize>(name: &'static str, bytes: &[u8]) -> Result<[u8; N], BadExhibit> {
    let reason = || format!("it has {} bytes, not {N}", bytes.len());
    bytes.try_into().map_err(|_| BadExhibit::Part { name, reason: reason() })
}

#[cfg(test)]
mod tests;
