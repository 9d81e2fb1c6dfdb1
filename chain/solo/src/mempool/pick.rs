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

    /// Whether so much is no more than the room.
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::price::GasPrice;
    use crate::state::{Overlay, Read, key};
    use crate::tx::{Signer, Tx};
    use std::collections::BTreeMap;

    const GAS: u64 = 100_000;

    /// Accounts that may send, each with a key.
    fn state() -> BTreeMap<Vec<u8>, Vec<u8>> {
        let empty = BTreeMap::new();
        let mut state = Overlay::over(&empty);
        for n in 0..9 {
            let mut account = Account::ensure(&mut state, &Address([n; 20]));
            account.key = Some(vec![2; 33]);
            account.save(&mut state);
        }
        let account = |n| {
            let key = key::account(&Address([n; 20]));
            (key.clone(), state.get(&key).unwrap())
        };
        (0..9).map(account).collect()
    }

    /// A transaction of the `sequence`s of some senders.
    fn tx(name: u8, signers: &[(u8, u64)]) -> Verified {
        let signer = |(n, sequence): &(u8, u64)| Signer {
            address: Address([*n; 20]),
            key: None,
            mode: None,
            sequence: *sequence,
            signature: Vec::new(),
        };
        let signers: Vec<Signer> = signers.iter().map(signer).collect();
        Verified::assumed(Tx {
            hash: [name; 32],
            bytes: vec![name; 10],
            body_bytes: Vec::new(),
            auth_info_bytes: Vec::new(),
            messages: Vec::new(),
            actions: Vec::new(),
            memo: String::new(),
            timeout_height: 0,
            fee: Vec::new(),
            gas: GAS,
            payer: signers[0].address,
            payer_named: false,
            signers,
        })
    }

    /// The names of what a block with room for `count` takes.
    fn check(waiting: &[(Lane, Verified)], count: u64, taken: &str) {
        let (state, free): (_, GasPrice) = (state(), "0ulode".parse().unwrap());
        let mut mempool = Mempool::default();
        for (lane, tx) in waiting {
            mempool.push(&state, tx.clone(), *lane, 1, &free).unwrap().ok().unwrap();
        }
        let picked = mempool.pick(Room { bytes: 1_000_000, gas: count * GAS });
        let names: String = picked.iter().map(|tx| char::from(tx.bytes[0])).collect();
        assert_eq!(names, taken);
    }

    #[test]
    fn claims_take_three_quarters_first_and_what_others_leave() {
        let claims = (0..8).map(|n| (Lane::Claims, tx(b'a' + n, &[(n, 0)])));
        let others = (0..8).map(|n| (Lane::General, tx(b'A' + n, &[(8, u64::from(n))])));
        let all: Vec<_> = others.clone().chain(claims.clone()).collect();
        check(&all, 4, "abcA");
        check(&all, 8, "abcdefAB");
        check(&all, 16, "abcdefghABCDEFGH");
        check(&claims.collect::<Vec<_>>(), 4, "abcd");
        check(&others.collect::<Vec<_>>(), 4, "ABCD");
    }

    #[test]
    fn a_senders_transactions_keep_their_order() {
        let waiting = [
            (Lane::General, tx(b'A', &[(1, 0)])),
            (Lane::General, tx(b'B', &[(2, 0)])),
            (Lane::General, tx(b'C', &[(2, 1), (1, 1)])),
            (Lane::Claims, tx(b'd', &[(1, 2)])),
            (Lane::Claims, tx(b'e', &[(3, 0)])),
        ];
        // The claim needs three that came before; with room for them it takes them along.
        check(&waiting, 8, "ABCde");
        // Without, it waits, and others do not.
        check(&waiting, 4, "eABC");
    }
}
