//! What a market begins with.

use crate::draft::Draft;
use crate::host::Host;
use crate::query::each;
use crate::refused::Refused;
use crate::registry::{gateway, owner, service, supplier};
use crate::{account, boundary, keys};
use proto::message::Genesis;
use proto::params::Params;
use proto::supplier::{check_endpoint, check_offers, check_payouts, check_relay_key};
use proto::wire::Wire;
use proto::{Address, Coin, seed};

/// Fills an empty market. Coins are not moved: the host's own genesis puts them into the purses.
pub(crate) fn fill<H: Host>(draft: &mut Draft<'_, H>, genesis: &Genesis) -> Result<(), Refused> {
    genesis.params.check()?;
    let block = draft.block();
    draft.set(keys::AUTHORITY.to_vec(), genesis.authority.0.to_vec());
    boundary::adopt_params(draft, &genesis.params);
    let length = genesis.params.session_length;
    boundary::set_epoch(draft, boundary::Epoch { first: block.height.plus(1), length });
    let first = seed::first(&block.chain_id);
    draft.set(keys::seed(block.height), first.0.to_vec());
    for listed in &genesis.services {
        listed.check()?;
        service::adopt(draft, listed);
    }
    service::count_genesis(draft, genesis.services.len());
    for staked in &genesis.suppliers {
        check_relay_key(&staked.relay_key)?;
        check_endpoint(&staked.endpoint)?;
        check_offers(&staked.offers)?;
        check_payouts(&staked.payouts)?;
        owner::add(draft, &staked.owner, &staked.operator)?;
        supplier::store(draft, staked);
        if staked.standing == proto::supplier::Standing::Unbonding {
            draft.set(keys::to_return(staked.until, &staked.operator), vec![1]);
        }
    }
    for staked in &genesis.gateways {
        check_relay_key(&staked.relay_key)?;
        gateway::store(draft, staked);
    }
    for kept in &genesis.escrow {
        account::credit(draft, &kept.app, &Coin::new(kept.amount, kept.denom.clone()))?;
    }
    for delegation in &genesis.delegations {
        account::restore_delegation(draft, delegation);
    }
    Ok(())
}

/// What is registered and free. Sessions that are open cannot be carried over.
pub(crate) fn export(host: &impl Host) -> Result<Genesis, Refused> {
    let mut open = 0usize;
    each(host, keys::SESSIONS, |_: proto::session::Session| open += 1);
    if open > 0 {
        return Err(Refused::TooMany { what: "sessions open", count: open });
    }
    let params = host.get(&keys::PARAMS).ok_or_else(|| Refused::missing("the parameters"))?;
    let authority = host.get(&keys::AUTHORITY).and_then(|bytes| bytes.try_into().ok());
    let mut genesis = Genesis {
        authority: Address(authority.unwrap_or_default()),
        params: Params::decode(&params)?,
        services: Vec::new(),
        suppliers: Vec::new(),
        gateways: Vec::new(),
        escrow: Vec::new(),
        delegations: Vec::new(),
    };
    each(host, keys::SERVICES, |service| genesis.services.push(service));
    each(host, keys::SUPPLIERS, |supplier| genesis.suppliers.push(supplier));
    each(host, keys::GATEWAYS, |gateway| genesis.gateways.push(gateway));
    each(host, keys::APPS, |app: proto::query::App| {
        genesis.escrow.extend(app.escrow);
        genesis.delegations.extend(app.delegations);
    });
    Ok(genesis)
}
