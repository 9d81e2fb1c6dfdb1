//! What an auditor asks a supplier for: the transcript of the leaf on whose committee it sits.
//!
//! ```text
//! audit:32 | account key:33 | round:1 | ticket:80 | seal key:32 | relay key:32 | signature:64
//! ```
//! The ticket says that it may ask, its account signs that it does, and the answer is sealed to a
//! key of this ask alone. The relay key is that of the asked supplier: nobody can use an ask at
//! another one. All is of fixed length, so an ask has one form.

use super::Round;
use super::case::{Case, Docket};
use super::committee::{Power, sits};
use crate::keys::{Address, RelayKey};
use crate::sealed::SealKey;
use crate::units::{Digest, Height};
use crate::vrf::{VrfProof, VrfRefused};
use sha2::{Digest as _, Sha256};
use std::ops::Range;

/// Bytes of an ask.
pub const ASK_LENGTH: usize = UNSIGNED + 64;

const UNSIGNED: usize = 32 + 33 + 1 + 80 + 32 + 32;

/// What an account signs begins with this: it is the beginning of no transaction.
const DOMAIN: &[u8] = b"lode/audit/ask/1\n";

/// An auditor's ask, without its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub audit: Digest,
    /// The public key of the auditor's account: secp256k1, compressed. Its address follows.
    pub account_key: [u8; 33],
    pub round: Round,
    /// The auditor's ticket for the docket of the audit.
    pub ticket: VrfProof,
    /// Whom the answer is sealed to.
    pub seal_key: SealKey,
    /// The key of the asked supplier's seat.
    pub relay_key: RelayKey,
}

/// An ask as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAsk {
    pub ask: Ask,
    /// The account's, over [`Ask::signed_bytes`].
    pub signature: [u8; 64],
}

/// Bytes that are no ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAsk {
    #[error("an ask has {ASK_LENGTH} bytes, not {0}")]
    Length(usize),
    #[error("{0} is no round: 1 is the first and 2 the second")]
    Round(u8),
}

/// Why an auditor gets no transcript.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSeat {
    #[error("{auditor} is not on the panel of the sessions from {start}")]
    NotOnPanel { auditor: Address, start: Height },
    #[error("no committee of this round is asked about {0}")]
    NotAsked(Digest),
    #[error("at height {at}, but this committee commits in {}..{}", window.start, window.end)]
    OutsideWindow { at: Height, window: Range<Height> },
    #[error("the ticket: {0}")]
    Ticket(#[from] VrfRefused),
    #[error("the ticket of {auditor} gives it no seat for {audit}")]
    NotDrawn { auditor: Address, audit: Digest },
}

impl Ask {
    /// The account that asks.
    pub fn auditor(&self) -> Address {
        Address::of_secp256k1(&self.account_key)
    }

    /// What the account signs: the ask as it is made on one chain.
    pub fn signed_bytes(&self, chain_id: &str) -> Vec<u8> {
        let mut bytes = DOMAIN.to_vec();
        bytes.extend_from_slice(&(chain_id.len() as u32).to_be_bytes());
        bytes.extend_from_slice(chain_id.as_bytes());
        bytes.extend_from_slice(&self.encode());
        bytes
    }

    /// What names this ask: its answer is sealed about that.
    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.encode()).into())
    }

    /// Whether who asks sits on the committee that `case` waits for, at height `at`.
    pub fn check(&self, case: &Case, docket: &Docket, at: Height) -> Result<(), NoSeat> {
        let (auditor, audit) = (self.auditor(), self.audit);
        let window = docket.schedule().commits(self.round).clone();
        if !window.contains(&at) {
            return Err(NoSeat::OutsideWindow { at, window });
        }
        if case.audit.id != audit || case.stage.round() != Some(self.round) {
            return Err(NoSeat::NotAsked(audit));
        }
        let member = docket.member(&auditor);
        let member = member.ok_or(NoSeat::NotOnPanel { auditor, start: docket.start })?;
        let input = docket.ticket_input(self.round).ok_or(NoSeat::NotAsked(audit))?;
        let ticket = member.vrf_key.verify(&input.0, &self.ticket)?;
        let power = Power { own: member.power, total: docket.power() };
        match sits(&ticket, &audit, self.round, power, docket.params.size(self.round)) {
            true => Ok(()),
            false => Err(NoSeat::NotDrawn { auditor, audit }),
        }
    }

    fn encode(&self) -> [u8; UNSIGNED] {
        let round = [self.round.number()];
        let parts: [&[u8]; 6] = [
            &self.audit.0,
            &self.account_key,
            &round,
            &self.ticket.0,
            &self.seal_key.0,
            &self.relay_key.0,
        ];
        let mut bytes = [0; UNSIGNED];
        let mut at = 0;
        for part in parts {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        bytes
    }
}

impl SignedAsk {
    /// The bytes that are sent.
    pub fn encode(&self) -> Vec<u8> {
        [&self.ask.encode()[..], &self.signature].concat()
    }

    /// Reads what was sent. Who signed it is not checked here.
    pub fn decode(bytes: &[u8]) -> Result<SignedAsk, BadAsk> {
        if bytes.len() != ASK_LENGTH {
            return Err(BadAsk::Length(bytes.len()));
        }
        let mut rest = bytes;
        let audit = Digest(take(&mut rest));
        let account_key = take(&mut rest);
        let round = match take::<1>(&mut rest) {
            [1] => Round::First,
            [2] => Round::Second,
            [other] => return Err(BadAsk::Round(other)),
        };
        let ask = Ask {
            audit,
            account_key,
            round,
            ticket: VrfProof(take(&mut rest)),
            seal_key: SealKey(take(&mut rest)),
            relay_key: RelayKey(take(&mut rest)),
        };
        Ok(SignedAsk { ask, signature: take(&mut rest) })
    }
}

/// The next bytes of an ask.
fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (taken, left) = rest.split_first_chunk().expect("the length was checked");
    *rest = left;
    *taken
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ask() -> Ask {
        Ask {
            audit: Digest([1; 32]),
            account_key: [2; 33],
            round: Round::Second,
            ticket: VrfProof([3; 80]),
            seal_key: SealKey([4; 32]),
            relay_key: RelayKey([5; 32]),
        }
    }

    #[test]
    fn an_ask_keeps_its_form() {
        let sent = SignedAsk { ask: ask(), signature: [6; 64] }.encode();
        let (start, end) = (hex::encode(&sent[..70]), hex::encode(&sent[170..]));
        assert_eq!(start, ["01".repeat(32), "02".repeat(33), "02".into(), "03".repeat(4)].concat());
        assert_eq!(end, ["04".repeat(8), "05".repeat(32), "06".repeat(64)].concat());
        let signed = ask().signed_bytes("lode-1");
        assert_eq!(&signed[..27], b"lode/audit/ask/1\n\x00\x00\x00\x06lode-1");
    }

    #[test]
    fn an_ask_is_of_one_chain() {
        assert_ne!(ask().signed_bytes("lode-1"), ask().signed_bytes("lode-2"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_have_one_form(bytes in prop::collection::vec(any::<u8>(), 270..278), round in 0u8..4) {
            let mut bytes = bytes;
            bytes[65] = round;
            if let Ok(ask) = SignedAsk::decode(&bytes) {
                prop_assert_eq!(ask.encode(), bytes);
            } else {
                prop_assert!(bytes.len() != ASK_LENGTH || ![1, 2].contains(&round));
            }
        }
    }
}
