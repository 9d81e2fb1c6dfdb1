//! One completion between a gateway and a supplier: requested, receipted, acknowledged.
//!
//! ```text
//! gateway                          relay miner
//!   |-- signed request -------------->|   reserves max_cu, carries what was acknowledged so far
//!   |<------------- answer, streamed -|
//!   |<---------------- signed receipt-|   booked on disk before it is given out
//!   |-- next request, or an ack ----->|   cumulative, monotone
//! ```

use crate::keys::{Address, RelayKey, RelaySecret, Signature};
use crate::seed;
use crate::signatures::{AtOnce, Checks};
use crate::units::{Cu, Digest, Height, Time};
use crate::usage::Usage;
use crate::wire::Wire;
use serde::{Deserialize, Serialize};

/// Something that a relay key signs.
pub trait Signable: Wire {
    /// Keeps a signature over one kind of thing from passing for another.
    const DOMAIN: &'static str;

    /// What is signed: a hash over the canonical bytes.
    fn digest(&self) -> Digest {
        seed::hash(Self::DOMAIN, &[&self.encode()])
    }

    /// Signs it.
    fn sign(self, secret: &RelaySecret) -> Signed<Self> {
        let signature = secret.sign(&self.digest());
        Signed { body: self, signature }
    }
}

/// A statement and a signature, not checked yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed<T> {
    pub body: T,
    pub signature: Signature,
}

impl<T: Signable> Signed<T> {
    /// Whether `key` signed it.
    pub fn is_by(&self, key: &RelayKey) -> bool {
        self.is_by_with(key, &mut AtOnce)
    }

    /// The same, as far as `checks` can say now.
    pub fn is_by_with(&self, key: &RelayKey, checks: &mut impl Checks) -> bool {
        checks.signed(key, &self.body.digest(), &self.signature)
    }
}

/// What a gateway acknowledged of one supplier's relays in one session so far. It begins with
/// zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acked {
    pub count: u64,
    pub cu: Cu,
    /// All relays with a smaller `seq` are acknowledged.
    pub floor: u64,
    /// Chained over the entries in the order in which they were acknowledged.
    pub hash: Digest,
}

/// One acknowledged relay: what the gateway agrees to pay for, 0 for a failed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckEntry {
    pub relay_id: Digest,
    pub cu: Cu,
}

/// Acknowledgements that add up to more than can be counted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("acknowledging {entry:?} after {acked:?} is more than can be counted")]
pub struct AckOverflow {
    pub acked: Acked,
    pub entry: AckEntry,
}

impl Acked {
    /// What is acknowledged once `entry` is too. The floor stays: it is the gateway's to raise.
    pub fn with(&self, entry: &AckEntry) -> Result<Acked, AckOverflow> {
        let overflow = || AckOverflow { acked: *self, entry: *entry };
        Ok(Acked {
            count: self.count.checked_add(1).ok_or_else(overflow)?,
            cu: self.cu.checked_add(entry.cu).ok_or_else(overflow)?,
            floor: self.floor,
            hash: link(&self.hash, entry),
        })
    }
}

/// The hash of a chain of acknowledgements after one entry more.
pub fn link(before: &Digest, entry: &AckEntry) -> Digest {
    seed::hash("lode/ack/link", &[&before.0, &entry.relay_id.0, &entry.cu.0.to_be_bytes()])
}

/// What a gateway asks of a supplier, and what it sets aside for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayRequest {
    pub chain_id: String,
    pub session_id: Digest,
    /// The operator whose relay miner this is for.
    pub supplier: Address,
    /// Chosen by the payer and never used again in the session: one request is one leaf.
    pub relay_id: Digest,
    /// Counts this session's requests to this supplier from 0.
    pub seq: u64,
    /// blake3 of the body.
    pub request_digest: Digest,
    /// The reservation: what the answer may weigh at most.
    pub max_cu: Cu,
    /// The height that the gateway knew.
    pub issued_at: Height,
    pub acked: Acked,
}

impl Signable for RelayRequest {
    const DOMAIN: &'static str = "lode/relay/request/1";
}

/// An acknowledgement that travels without a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    pub chain_id: String,
    pub session_id: Digest,
    pub supplier: Address,
    pub acked: Acked,
}

impl Signable for Ack {
    const DOMAIN: &'static str = "lode/relay/ack/1";
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Delivered to its end.
    Completed,
    /// Ended before its end: what was delivered is billed.
    Cut,
    /// The supplier failed: nothing is billed.
    Failed,
}

/// What a supplier says it delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub session_id: Digest,
    pub relay_id: Digest,
    pub request_digest: Digest,
    /// See [`crate::transcript`].
    pub response_root: Digest,
    pub chunk_count: u64,
    pub usage: Usage,
    pub cu: Cu,
    pub status: Status,
    pub started_at: Time,
    pub first_token_at: Time,
    pub finished_at: Time,
    /// Commitment to the evidence of which model ran; zeros: none.
    pub evidence_root: Digest,
}

impl Signable for Receipt {
    const DOMAIN: &'static str = "lode/relay/receipt/1";
}

/// What travels in a relay's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    pub request: Signed<RelayRequest>,
    /// What `request.acked` acknowledges beyond the last one that this supplier saw, in order.
    pub entries: Vec<AckEntry>,
}

/// An acknowledgement by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckUpdate {
    pub ack: Signed<Ack>,
    pub entries: Vec<AckEntry>,
}

/// Why an acknowledgement does not follow from what was known.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AckRefused {
    #[error("the acknowledgement's {claimed:?} is not what its entries add up to: {computed:?}")]
    DoesNotFollow { claimed: Acked, computed: Acked },
    #[error("the floor of acknowledgements goes back from {from} to {to}")]
    FloorGoesBack { from: u64, to: u64 },
    #[error(transparent)]
    Overflow(#[from] AckOverflow),
}

/// Whether `claimed` is `known` and then `entries`.
pub fn follows(known: &Acked, entries: &[AckEntry], claimed: &Acked) -> Result<(), AckRefused> {
    if claimed.floor < known.floor {
        return Err(AckRefused::FloorGoesBack { from: known.floor, to: claimed.floor });
    }
    let mut computed = Acked { floor: claimed.floor, ..*known };
    for entry in entries {
        computed = computed.with(entry)?;
    }
    if computed == *claimed {
        Ok(())
    } else {
        Err(AckRefused::DoesNotFollow { claimed: *claimed, computed })
    }
}

/// What is known after a message that claims `claimed` with `entries`, which may overtake others.
///
/// Requests travel side by side, so a message may repeat entries that are known already, or claim
/// less than is known: what is known stays then. The entries that are left must lead on from it.
pub fn advance(known: &Acked, entries: &[AckEntry], claimed: &Acked) -> Result<Acked, AckRefused> {
    if claimed.count <= known.count && claimed.floor <= known.floor {
        return Ok(*known);
    }
    let fresh = claimed.count.saturating_sub(known.count);
    let fresh = usize::try_from(fresh).unwrap_or(usize::MAX).min(entries.len());
    let mut computed = Acked { floor: claimed.floor.max(known.floor), ..*known };
    for entry in &entries[entries.len() - fresh..] {
        computed = computed.with(entry)?;
    }
    let follows = claimed.count < known.count
        || (computed.count, computed.cu, computed.hash)
            == (claimed.count, claimed.cu, claimed.hash);
    if follows {
        Ok(computed)
    } else {
        Err(AckRefused::DoesNotFollow { claimed: *claimed, computed })
    }
}

/// The seed of the sampler for a relay: fixed by the payer's id, so that no supplier can try seeds.
pub fn sampler_seed(session_id: &Digest, relay_id: &Digest, supplier: &Address) -> u64 {
    let digest = seed::hash("lode/relay/sampler", &[&session_id.0, &relay_id.0, &supplier.0]);
    let mut high = [0; 8];
    high.copy_from_slice(&digest.0[..8]);
    u64::from_be_bytes(high)
}

/// The digest of a request's or answer's body.
pub fn body_digest(body: &[u8]) -> Digest {
    Digest(*blake3::hash(body).as_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn entry(id: u8, cu: u64) -> AckEntry {
        AckEntry { relay_id: Digest([id; 32]), cu: Cu(cu) }
    }

    #[test]
    fn acknowledgements_follow_in_one_way_only() {
        let first = Acked::default().with(&entry(1, 10)).unwrap();
        let both = first.with(&entry(2, 5)).unwrap();
        assert_eq!(both.cu, Cu(15));
        assert_eq!(follows(&first, &[entry(2, 5)], &both), Ok(()));
        assert!(follows(&first, &[entry(2, 6)], &both).is_err());
        assert!(follows(&Acked::default(), &[entry(2, 5), entry(1, 10)], &both).is_err());
    }

    #[test]
    fn the_floor_never_goes_back() {
        let known = Acked { floor: 5, ..Acked::default() };
        let refused = follows(&known, &[], &Acked::default());
        assert_eq!(refused, Err(AckRefused::FloorGoesBack { from: 5, to: 0 }));
    }

    #[test]
    fn acknowledgements_may_overtake_each_other() {
        let none = Acked::default();
        let first = none.with(&entry(1, 10)).unwrap();
        let both = first.with(&entry(2, 5)).unwrap();
        let all = [entry(1, 10), entry(2, 5)];
        assert_eq!(advance(&none, &all, &both), Ok(both));
        assert_eq!(advance(&first, &all, &both), Ok(both));
        assert_eq!(advance(&both, &all[..1], &first), Ok(both));
        assert_eq!(advance(&both, &[], &none), Ok(both));
        assert!(advance(&none, &all[1..], &both).is_err());
        assert!(advance(&first, &[entry(2, 6)], &both).is_err());
        let raised = Acked { floor: 2, ..both };
        assert_eq!(advance(&both, &[], &raised), Ok(raised));
    }

    #[test]
    fn a_signature_over_an_ack_is_none_over_another_kind() {
        let secret = RelaySecret::from_bytes(&[1; 32]);
        let ack = Ack {
            chain_id: "lode-1".into(),
            session_id: Digest([1; 32]),
            supplier: Address([2; 20]),
            acked: Acked::default(),
        };
        let signed = ack.clone().sign(&secret);
        assert!(signed.is_by(&secret.public()));
        let other = seed::hash("lode/relay/request/1", &[&ack.encode()]);
        assert!(!secret.public().signed(&other, &signed.signature));
    }
}
