//! What a market begins with, and what it can go on with elsewhere.

use crate::audit::{auditor, pool, probe};
use crate::draft::Draft;
use crate::epoch::{self, Epoch};
use crate::host::Host;
use crate::query::{each, each_with_key};
use crate::refused::{Refused, check_some};
use crate::registry::{RegistryRefused, Role, gateway, service, stakes, supplier, take_key};
use crate::{delegation, escrow, keys, params, seeds};
use proto::audit::probe::{Audited, Choice, Probe};
use proto::message::{AuditGenesis, Genesis};
use proto::params::Params;
use proto::price::State;
use proto::query::App;
use proto::service::{PRICE_START_MAX, Service};
use proto::supplier::{Delegation, Gateway, Standing, Supplier, check_payouts, check_relay_key};
use proto::wire::Wire;
use proto::{Address, Coin, Price, seed};

/// Why a market cannot begin so, or be carried over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisRefused {
    #[error("{0} is there twice")]
    Twice(String),
    #[error("the gateway {0} begins with an exposure, but no session is open yet")]
    Exposed(Address),
    #[error(
        "what backs the sessions of the gateway {0} must be sorted by coins, each once, none empty, and none the coin of stakes"
    )]
    Backings(Address),
    #[error("{count} sessions are open: wait until they are settled")]
    SessionsOpen { count: usize },
}

impl GenesisRefused {
    pub(crate) fn code(&self) -> u32 {
        match self {
            GenesisRefused::Twice(_) => 36,
            GenesisRefused::Exposed(_) => 37,
            GenesisRefused::SessionsOpen { .. } => 38,
            GenesisRefused::Backings(_) => 41,
        }
    }
}

/// Fills an empty market. Coins are not moved: the host's own genesis puts them into the purses.
pub(crate) fn fill<H: Host>(draft: &mut Draft<'_, H>, genesis: &Genesis) -> Result<(), Refused> {
    genesis.params.check()?;
    let (height, first) = (draft.block().height, seed::first(&draft.block().chain_id));
    draft.set(keys::AUTHORITY.to_vec(), genesis.authority.0.to_vec());
    params::adopt(draft, &genesis.params);
    let length = genesis.params.session_length;
    epoch::store(draft, Epoch { first: height.plus(1), length });
    seeds::keep(draft, height, &first);
    for listed in &genesis.services {
        service::check(listed)?;
        once(draft, &keys::service(&listed.id), || format!("the service {}", listed.id))?;
        service::adopt(draft, listed);
    }
    genesis.suppliers.iter().try_for_each(|staked| add_supplier(draft, staked))?;
    genesis.gateways.iter().try_for_each(|staked| add_gateway(draft, staked))?;
    for kept in &genesis.escrow {
        let coin = Coin::new(kept.amount, kept.denom.clone());
        check_some(&coin)?;
        escrow::credit(draft, &kept.app, &coin)?;
    }
    genesis.delegations.iter().try_for_each(|made| add_delegation(draft, made))?;
    add_audits(draft, &genesis.audits)
}

fn add_audits<H: Host>(draft: &mut Draft<'_, H>, audits: &AuditGenesis) -> Result<(), Refused> {
    for bonded in &audits.auditors {
        let address = &bonded.address;
        once(draft, &keys::auditor(address), || format!("the auditor {address}"))?;
        auditor::store(draft, bonded);
        if bonded.leaving {
            stakes::queue(draft, bonded.until, Role::Auditor, address);
        }
    }
    for kept in &audits.reputations {
        let key = keys::reputation(&kept.operator, &kept.service);
        once(draft, &key, || format!("the reputation of {}", kept.operator))?;
        draft.write(key, kept);
    }
    audits.pool.iter().for_each(|coin| pool::credit(draft, coin));
    for Choice { app, audited } in &audits.choices {
        let kept = escrow::load(draft, app);
        escrow::store(draft, app, &App { audited: *audited, ..kept });
    }
    for planted in &audits.probes {
        let Probe { operator, commitment, .. } = planted;
        once(draft, &keys::probe(operator, commitment), || format!("the probe {commitment}"))?;
        probe::put(draft, planted);
    }
    for prober in &audits.probers {
        let key = keys::prober(&prober.operator);
        once(draft, &key, || format!("the operator of probes {}", prober.operator))?;
        draft.write(key, prober);
    }
    Ok(())
}

fn once<H: Host>(
    draft: &mut Draft<'_, H>,
    key: &[u8],
    what: impl FnOnce() -> String,
) -> Result<(), GenesisRefused> {
    match draft.get(key) {
        Some(_) => Err(GenesisRefused::Twice(what())),
        None => Ok(()),
    }
}

fn add_supplier<H: Host>(draft: &mut Draft<'_, H>, staked: &Supplier) -> Result<(), Refused> {
    let Supplier { operator, relay_key, .. } = staked;
    once(draft, &keys::supplier(operator), || format!("the supplier {operator}"))?;
    supplier::check_serving(draft, relay_key, &staked.endpoint, &staked.offers)?;
    check_payouts(&staked.payouts).map_err(RegistryRefused::from)?;
    supplier::register(draft, None, staked)?;
    if staked.standing == Standing::Unbonding {
        stakes::queue(draft, staked.until, Role::Supplier, operator);
    }
    Ok(())
}

fn add_gateway<H: Host>(draft: &mut Draft<'_, H>, staked: &Gateway) -> Result<(), Refused> {
    let Gateway { address, relay_key, .. } = staked;
    once(draft, &keys::gateway(address), || format!("the gateway {address}"))?;
    check_relay_key(relay_key).map_err(RegistryRefused::from)?;
    if staked.is_exposed() {
        return Err(GenesisRefused::Exposed(*address).into());
    }
    check_backings(staked)?;
    take_key(draft, Role::Gateway, address, None, relay_key)?;
    gateway::store(draft, staked);
    if staked.standing == Standing::Unbonding {
        stakes::queue(draft, staked.until, Role::Gateway, address);
    }
    Ok(())
}

/// Whether what backs a gateway's sessions has the form that the market keeps it in.
fn check_backings(staked: &Gateway) -> Result<(), GenesisRefused> {
    let mut kept = Gateway { backings: Vec::new(), ..staked.clone() };
    for backing in &staked.backings {
        kept.set_backing(backing.clone());
    }
    if kept == *staked { Ok(()) } else { Err(GenesisRefused::Backings(staked.address)) }
}

fn add_delegation<H: Host>(draft: &mut Draft<'_, H>, made: &Delegation) -> Result<(), Refused> {
    let Delegation { app, gateway, denom, .. } = made;
    once(draft, &keys::delegated(app, gateway, denom), || format!("the delegation of {app}"))?;
    delegation::put(draft, made.clone())?;
    Ok(())
}

/// What is registered and free. Sessions that are open cannot be carried over; a service begins
/// again at the price that it has.
pub(crate) fn export(host: &impl Host) -> Result<Genesis, Refused> {
    let mut count = 0;
    each(host, keys::SESSIONS, |_: proto::session::Session| count += 1);
    if count > 0 {
        return Err(GenesisRefused::SessionsOpen { count }.into());
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
        audits: AuditGenesis::default(),
    };
    each(host, keys::SERVICES, |service| genesis.services.push(at_its_price(host, service)));
    each(host, keys::SUPPLIERS, |supplier| genesis.suppliers.push(supplier));
    each(host, keys::GATEWAYS, |gateway| genesis.gateways.push(gateway));
    let mut choices = Vec::new();
    each_with_key(host, keys::APPS, |key, app: App| {
        if let (Audited::Full | Audited::Probes, Some(address)) =
            (app.audited, key.last_chunk().copied().map(Address))
        {
            choices.push(Choice { app: address, audited: app.audited });
        }
        genesis.escrow.extend(app.escrow);
        genesis.delegations.extend(app.delegations);
    });
    genesis.audits.choices = choices;
    each(host, keys::AUDITORS, |auditor| genesis.audits.auditors.push(auditor));
    each(host, keys::REPUTATIONS, |kept| genesis.audits.reputations.push(kept));
    each(host, keys::POOL, |coin| genesis.audits.pool.push(coin));
    each(host, keys::PROBES, |probe| genesis.audits.probes.push(probe));
    each(host, keys::PROBERS, |prober| genesis.audits.probers.push(prober));
    Ok(genesis)
}

fn at_its_price(host: &impl Host, mut service: Service) -> Service {
    let state = host.get(&keys::price(&service.id)).and_then(|bytes| State::decode(&bytes).ok());
    if let Some(state) = state {
        service.price_start = Price(state.price.0.clamp(1, PRICE_START_MAX));
    }
    service
}
