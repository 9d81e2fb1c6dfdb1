//! What claims are paid from, and how one is shared out.

use crate::audit::pool;
use crate::draft::Draft;
use crate::host::{Host, Party, Purse};
use proto::payout::{Split, divide};
use proto::session::{Seat, Session};
use proto::{Amount, Coin, Ppm};

/// What is left to pay a session's claims from: first the budget, then what the gateway's stake
/// backs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Means {
    pub(super) budget: Amount,
    pub(super) stake: Amount,
}

impl Means {
    /// Takes up to `wanted`.
    pub(super) fn take(&mut self, wanted: Amount) -> Taken {
        let escrow = wanted.min(self.budget);
        let stake = wanted.saturating_sub(escrow).min(self.stake);
        self.budget = self.budget.saturating_sub(escrow);
        self.stake = self.stake.saturating_sub(stake);
        Taken { escrow, stake }
    }
}

/// The coins of one claim, by the purse that they lie in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    escrow: Amount,
    stake: Amount,
}

impl Taken {
    /// All of it. Both are parts of one cost, which fits.
    pub(super) fn sum(&self) -> Amount {
        Amount(self.escrow.0.saturating_add(self.stake.0))
    }

    /// Gives it out by `split`; the supplier's share goes by its payout list.
    pub(super) fn share_out<H: Host>(
        mut self,
        draft: &mut Draft<'_, H>,
        session: &Session,
        seat: &Seat,
        split: &Split,
    ) {
        let parts: Vec<Ppm> = seat.payouts.iter().map(|payout| payout.share).collect();
        for (payout, amount) in seat.payouts.iter().zip(divide(split.supplier, &parts)) {
            self.give(draft, session, Some(Party::Account(payout.to)), amount);
        }
        let source = Party::Account(session.terms.source);
        self.give(draft, session, Some(source), split.source);
        self.give(draft, session, Some(Party::Purse(Purse::Audits)), split.audits);
        self.give(draft, session, Some(Party::Purse(Purse::Treasury)), split.treasury);
        self.give(draft, session, None, split.burn);
    }

    fn give<H: Host>(
        &mut self,
        draft: &mut Draft<'_, H>,
        session: &Session,
        to: Option<Party>,
        amount: Amount,
    ) {
        let first = amount.min(self.escrow);
        let second = amount.saturating_sub(first).min(self.stake);
        self.escrow = self.escrow.saturating_sub(first);
        self.stake = self.stake.saturating_sub(second);
        for (purse, part) in [(Purse::Escrow, first), (Purse::Stake, second)] {
            let coin = Coin::new(part, session.terms.denom.clone());
            match to {
                Some(to) => {
                    if to == Party::Purse(Purse::Audits) {
                        pool::credit(draft, &coin);
                    }
                    draft.pay(Party::Purse(purse), to, &coin);
                }
                None => draft.burn(purse, &coin),
            }
        }
    }
}
