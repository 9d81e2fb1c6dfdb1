//! Who deals with itself, on a chain in memory: what is settled is shared out as the rule says.

use chain::host::{Party, Purse};
use proto::Denom;
use proto::params::Params;
use proto::service::Service;
use strategies::coalition::Coalition;
use strategies::region;
use tests::town::{
    APP, GATEWAY, SOURCE, STAKE, Town, Tree, draft, first_seat, genesis, service, services, sign,
    supplier,
};

/// Suppliers of the town; all of them are the coalition's where it has any.
const SUPPLIERS: u8 = 3;

fn holds(coalition: Coalition) -> Vec<Party> {
    let mut parties =
        vec![Party::Account(GATEWAY), Party::Account(APP), Party::Purse(Purse::Escrow)];
    if coalition.source {
        parties.push(Party::Account(SOURCE));
    }
    if coalition.supplier {
        parties.extend((0..SUPPLIERS).map(|i| Party::Account(supplier(i))));
    }
    if coalition.auditors {
        parties.push(Party::Purse(Purse::Audits));
    }
    parties
}

fn held(town: &Town, coalition: Coalition, denom: &Denom) -> u128 {
    holds(coalition).into_iter().map(|party| town.held(party, denom).0).sum()
}

/// A claim is settled in the coin of `served`: each coalition has less than before, by what it does not
/// get of the shares.
fn settles(params: &Params, served: &Service) {
    let mut genesis = genesis(SUPPLIERS);
    // Shares, and what the chain checks them with.
    genesis.params.shares = params.shares;
    genesis.params.price = params.price;
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
    let split = params.shares.split(settled.cost);
    let split = if own { split } else { split.unburned() };
    for (coalition, before) in Coalition::all().into_iter().zip(before) {
        let lost = before - held(&town, coalition, &served.denom);
        let name = coalition.name();
        assert_eq!(lost, settled.cost.0 - coalition.back(&split).0, "{name} with {params:?}");
        assert!(lost > 0, "{name} got all back with {params:?}");
    }
}

#[test]
fn no_coalition_of_roles_gets_back_what_it_pays_itself_in_any_coin() {
    for params in region::accepted(1, 8) {
        services().iter().for_each(|served| settles(&params, served));
    }
}
