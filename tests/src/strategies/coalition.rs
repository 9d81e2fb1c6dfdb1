//! Who deals with itself: an app that pays roles which are its own, on a chain in memory.

use super::Return;
use crate::town::{
    APP, GATEWAY, SOURCE, STAKE, Town, Tree, draft, first_seat, genesis, service, services, sign,
    supplier,
};
use chain::host::{Party, Purse};
use proto::Denom;
use proto::params::Params;
use proto::service::Service;

/// Suppliers of the town; all of them are the coalition's where it has any.
const SUPPLIERS: u8 = 3;

/// Roles that the payer can own besides.
#[derive(Clone, Copy, Debug)]
pub struct Coalition {
    pub source: bool,
    pub supplier: bool,
    /// Counted as if all that audits are paid from came back.
    pub auditors: bool,
}

impl Coalition {
    /// Every set of roles.
    pub fn all() -> Vec<Coalition> {
        let bit = |n: u8, i: u8| n >> i & 1 == 1;
        (0..8)
            .map(|n| Coalition { source: bit(n, 0), supplier: bit(n, 1), auditors: bit(n, 2) })
            .collect()
    }

    fn name(self) -> String {
        let roles =
            [(self.source, "source"), (self.supplier, "supplier"), (self.auditors, "auditors")];
        let own = roles.iter().filter(|(own, _)| *own).map(|(_, name)| *name);
        let names: Vec<&str> = ["app, gateway"].into_iter().chain(own).collect();
        format!("deals with itself as {}", names.join(", "))
    }

    fn holds(self) -> Vec<Party> {
        let mut parties =
            vec![Party::Account(GATEWAY), Party::Account(APP), Party::Purse(Purse::Escrow)];
        if self.source {
            parties.push(Party::Account(SOURCE));
        }
        if self.supplier {
            parties.extend((0..SUPPLIERS).map(|i| Party::Account(supplier(i))));
        }
        if self.auditors {
            parties.push(Party::Purse(Purse::Audits));
        }
        parties
    }
}

/// What each coalition gets back of what it pays itself, in each coin, by the shares of `params`.
pub fn returns(params: &Params) -> Vec<Return> {
    services().iter().flat_map(|service| in_coin(params, service)).collect()
}

fn in_coin(params: &Params, served: &Service) -> Vec<Return> {
    let mut genesis = genesis(SUPPLIERS);
    // Shares, and what the chain checks them with.
    genesis.params.shares = params.shares;
    genesis.params.audits = params.audits.clone();
    genesis.params.supplier_stake_min = params.supplier_stake_min;
    let mut town = Town::begin(SUPPLIERS, &genesis, &[]);
    let session = town.open_of(served.id.clone()).unwrap();
    let before: Vec<u128> =
        Coalition::all().iter().map(|c| held(&town, *c, &served.denom)).collect();
    let (i, operator) = first_seat(&session);
    let leaves = (0..40).map(|seq| sign(draft(&session, operator, seq, 4_000), i)).collect();
    let tree = Tree::of(leaves);
    let settled = town.settle(&session, operator, tree.root(&session), |town| {
        Some(tree.openings(&session, operator, &town.seed(&session)))
    });
    assert!(settled.cost.0 > 0 && town.stake(operator) == STAKE, "{settled:?}");
    let own = served.denom == service().denom;
    let name = |c: Coalition| format!("{}{}", c.name(), if own { "" } else { "; foreign coin" });
    (Coalition::all().iter().zip(before))
        .map(|(c, before)| {
            let gained = held(&town, *c, &served.denom) as f64 - before as f64;
            Return::of(name(*c), gained, settled.cost.0 as f64)
        })
        .collect()
}

fn held(town: &Town, coalition: Coalition, denom: &Denom) -> u128 {
    coalition.holds().into_iter().map(|party| town.held(party, denom).0).sum()
}
