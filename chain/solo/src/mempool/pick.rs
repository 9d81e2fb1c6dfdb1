//! Which waiting transactions a block takes, and in which order.

use super::{Lane, Mempool};
use crate::ante::BLOCK_GAS_MAX;
use crate::block::BLOCK_BYTES_MAX;
use crate::signing::Verified;
use proto::Address;
use std::collections::{BTreeSet, HashSet};

/// Earlier transactions that must go with one at most; more are left for the next block.
const BEFORE_MAX: usize = 256;

/// What a block has room for.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    pub(crate) bytes: usize,
    pub(crate) gas: u64,
}

impl Room {
    /// A whole block.
    pub(crate) const BLOCK: Room = Room { bytes: BLOCK_BYTES_MAX, gas: BLOCK_GAS_MAX };

    /// The part of a block that claims and proofs take first: three quarters.
    fn of_claims(self) -> Room {
        Room { bytes: self.bytes / 4 * 3, gas: self.gas / 4 * 3 }
    }

    /// The part that is left for others when claims fill theirs.
    fn holds(self, bytes: usize, gas: u64) -> bool {
        bytes <= self.bytes && gas <= self.gas
    }
}

/// A block as it fills.
#[derive(Default)]
struct Picked {
    txs: Vec<Verified>,
    arrivals: HashSet<u64>,
    /// Who has a transaction that found no room: the later ones wait with it.
    waiting: HashSet<Address>,
    bytes: usize,
    gas: u64,
}

impl Mempool {
    /// The transactions of the next block, in order.
    pub(crate) fn pick(&self, room: Room) -> Vec<Verified> {
        let mut picked = Picked::default();
        let passes =
            [(Lane::Claims, room.of_claims()), (Lane::General, room), (Lane::Claims, room)];
        for (lane, room) in passes {
            // Whoever found no room in one pass may find it in the next, wider one.
            picked.waiting.clear();
            for (arrival, waiting) in &self.pending {
                if waiting.lane == lane && !picked.arrivals.contains(arrival) {
                    self.pick_one(*arrival, &mut picked, room);
                }
            }
        }
        picked.txs
    }

    /// Takes one transaction, with those that its signers sent before.
    fn pick_one(&self, arrival: u64, picked: &mut Picked, room: Room) {
        let signers = &self.pending[&arrival].tx.signers;
        if signers.iter().any(|signer| picked.waiting.contains(&signer.address)) {
            picked.waiting.extend(signers.iter().map(|signer| signer.address));
            return;
        }
        let together = self.with_earlier(arrival, picked);
        let bytes = together.iter().map(|at| self.pending[at].tx.bytes.len()).sum::<usize>();
        let gas = together.iter().fold(0u64, |gas, at| gas.saturating_add(self.pending[at].tx.gas));
        let (bytes, gas) = (picked.bytes + bytes, picked.gas.saturating_add(gas));
        if together.len() > BEFORE_MAX || !room.holds(bytes, gas) {
            picked.waiting.extend(signers.iter().map(|signer| signer.address));
            return;
        }
        (picked.bytes, picked.gas) = (bytes, gas);
        picked.txs.extend(together.iter().map(|at| self.pending[at].tx.clone()));
        picked.arrivals.extend(together);
    }

    /// `arrival` and all that must come before it, in order. Stops soon after too many.
    fn with_earlier(&self, arrival: u64, picked: &Picked) -> BTreeSet<u64> {
        let mut together = BTreeSet::from([arrival]);
        let mut open = vec![arrival];
        while let Some(at) = open.pop() {
            for signer in &self.pending[&at].tx.signers {
                let earlier = self.senders.get(&signer.address).into_iter().flatten();
                for before in earlier.take_while(|before| **before < at) {
                    if !picked.arrivals.contains(before) && together.insert(*before) {
                        open.push(*before);
                    }
                }
            }
            if together.len() > BEFORE_MAX {
                break;
            }
        }
        together
    }
}
