//! Who deals with itself: an app that pays roles which are its own. That a settled claim is shared out
//! like this, in each coin, is played on a chain in memory by `tests/sim/strategies.rs`.

use super::Return;
use proto::Amount;
use proto::params::Params;
use proto::payout::Split;

/// Roles that the payer can own besides.
#[derive(Clone, Copy, Debug)]
pub struct Coalition {
    pub source: bool,
    pub supplier: bool,
    /// Counted as if all that audits are paid from came back.
    pub auditors: bool,
}

/// What a coalition pays itself: large enough that no share is lost by rounding.
const PAID: Amount = Amount(1_000_000_000_000);

impl Coalition {
    /// Every set of roles.
    pub fn all() -> Vec<Coalition> {
        let bit = |n: u8, i: u8| n >> i & 1 == 1;
        (0..8)
            .map(|n| Coalition { source: bit(n, 0), supplier: bit(n, 1), auditors: bit(n, 2) })
            .collect()
    }

    pub fn name(self) -> String {
        let roles =
            [(self.source, "source"), (self.supplier, "supplier"), (self.auditors, "auditors")];
        let own = roles.iter().filter(|(own, _)| *own).map(|(_, name)| *name);
        let names: Vec<&str> = ["app, gateway"].into_iter().chain(own).collect();
        format!("deals with itself as {}", names.join(", "))
    }

    /// What it gets of what is shared out.
    pub fn back(self, split: &Split) -> Amount {
        let parts = [
            (self.source, split.source),
            (self.supplier, split.supplier),
            (self.auditors, split.audits),
        ];
        Amount(parts.iter().filter(|(own, _)| *own).map(|(_, part)| part.0).sum())
    }
}

/// What each coalition gets back of what it pays itself, by the shares of `params`.
pub fn returns(params: &Params) -> Vec<Return> {
    let split = params.shares.split(PAID);
    let one = |coalition: Coalition| {
        let gained = coalition.back(&split).0 as f64 - PAID.0 as f64;
        Return::of(coalition.name(), gained, PAID.0 as f64)
    };
    Coalition::all().into_iter().map(one).collect()
}
