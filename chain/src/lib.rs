//! The market: one state machine over the trait [`Host`], whatever chain it lives in.
//!
//! ```text
//! params, epoch       what governance set, and where sessions begin
//! registry            services, suppliers, gateways: what is listed, staked, offered
//! escrow, delegation  what apps deposited, and what they let gateways lock
//! roster              who can be drawn for a service, frozen within a session
//! session             a budget locked, suppliers drawn, terms copied
//! claim, proof        roots of usage trees, and the leaves that a seed asks for
//! settle              who is paid what, and why not
//! overcount           bills that cannot be, shown by anybody
//! audit               which proven usage is looked at, what committees find, what follows
//! price, seeds        one step for each service and session; one seed for each height
//! draft, keys, block  changes before they are made, where they go, what each block does
//! ```
//! Nothing here does I/O, reads a clock or panics, and a block never fails. A refused message
//! leaves no trace, see [`gas`] and the module behind it.
//!
//! Events are told with these kinds and attributes, in this order:
//!
//! ```text
//! lode_session_boundary   start
//! lode_session_opened     session service app gateway start end price budget suppliers
//! lode_claim              session supplier root cu relays
//! lode_claim_refused      session supplier reason
//! lode_proof              session supplier right [reason]
//! lode_proof_refused      session supplier reason
//! lode_settled            session supplier cu relays cost supplier_share source_share audits_share
//!                         treasury_share burned reason
//! lode_slashed            session supplier amount reason
//! lode_session_settled    session app returned
//! lode_price              service since price utilisation_ppm
//! lode_service_listed     service source
//! lode_supplier_staked    operator owner stake
//! lode_supplier_updated   operator
//! lode_supplier_unstaked  operator until
//! lode_supplier_jailed    operator until
//! lode_supplier_unjailed  operator
//! lode_gateway_staked     gateway stake
//! lode_gateway_unstaked   gateway until
//! lode_stake_returned     to amount
//! lode_deposit            app amount
//! lode_withdraw           app amount
//! lode_delegated          app gateway limit expires
//! lode_undelegated        app gateway
//! lode_params_updated     authority
//! lode_params_in_force    since
//! lode_roster_full        service operator
//! lode_auditor_bonded     auditor bond
//! lode_auditor_unbonded   auditor until
//! lode_audit_drawn        audit session supplier start
//! lode_audits_dropped     start count
//! lode_verdicts_committed auditor round count
//! lode_verdicts_revealed  auditor start round count
//! lode_audit_again        audit reason
//! lode_audit_decided      audit session supplier stage identity quality
//! lode_audit_fees         start round verdicts paid owed
//! lode_auditor_slashed    auditor start amount apart unrevealed skipped
//! lode_ringer_planted     operator
//! lode_ringer_opened      operator audit wrong
//! lode_auditor_fooled     auditor audit amount
//! lode_audit_chosen       app audited
//! lode_probe_planted      operator
//! lode_probe_opened       operator app start audits
//! lode_probe_unopened     operator amount
//! lode_overcounted        session supplier accuser why
//! lode_dropped            session reason
//! lode_short              reason
//! ```
//! The last two tell of what cannot happen: a record or coins that are not there although others
//! say so. The market goes on without them.

pub mod host;
pub mod memory;

mod audit;
mod block;
mod claim;
mod delegation;
mod draft;
mod epoch;
mod escrow;
mod genesis;
mod glance;
mod keys;
mod overcount;
mod params;
mod price;
mod proof;
mod query;
mod refused;
mod registry;
mod roster;
mod seeds;
mod session;
mod settle;

pub use audit::AuditRefused;
pub use claim::ClaimRefused;
pub use draft::gas;
pub use escrow::EscrowRefused;
pub use genesis::GenesisRefused;
pub use host::Host;
pub use overcount::OvercountRefused;
pub use proof::ProofRefused;
pub use query::query;
pub use refused::{CODESPACE, Refused};
pub use registry::RegistryRefused;
pub use session::SessionRefused;

use draft::Draft;
use proto::message::{Genesis, Message};

/// What an executed message used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// By the schedule of [`gas`].
    pub gas: u64,
}

/// Begins a block: keeps its seed, and at a session's first height lets changes take effect.
pub fn begin_block(host: &mut impl Host) {
    let mut draft = Draft::new(host);
    block::begin(&mut draft);
    draft.commit_all();
}

/// Executes a message whose signer was checked.
pub fn execute(host: &mut impl Host, message: &Message) -> Result<Done, Refused> {
    let mut draft = Draft::new(host);
    dispatch(&mut draft, message)?;
    let gas = draft.gas();
    draft.commit_one()?;
    Ok(Done { gas })
}

/// Ends a block: settles sessions, returns stakes, forgets what nobody needs. Its work is bounded.
pub fn end_block(host: &mut impl Host) {
    let mut draft = Draft::new(host);
    block::end(&mut draft);
    draft.commit_all();
}

/// Fills an empty market.
pub fn genesis(host: &mut impl Host, genesis: &Genesis) -> Result<(), Refused> {
    let mut draft = Draft::new(host);
    genesis::fill(&mut draft, genesis)?;
    draft.commit_all();
    Ok(())
}

/// What an empty market can be filled with to go on: registrations and free escrow. Open sessions
/// must be settled first.
pub fn export(host: &impl Host) -> Result<Genesis, Refused> {
    genesis::export(host)
}

fn dispatch<H: Host>(draft: &mut Draft<'_, H>, message: &Message) -> Result<(), Refused> {
    match message {
        Message::ListService(m) => registry::service::list(draft, m),
        Message::StakeSupplier(m) => registry::supplier::stake(draft, m),
        Message::UpdateSupplier(m) => registry::supplier::update(draft, m),
        Message::UnstakeSupplier(m) => registry::supplier::unstake(draft, m),
        Message::UnjailSupplier(m) => registry::supplier::unjail(draft, m),
        Message::StakeGateway(m) => registry::gateway::stake(draft, m),
        Message::UnstakeGateway(m) => registry::gateway::unstake(draft, m),
        Message::Deposit(m) => escrow::deposit(draft, m),
        Message::Withdraw(m) => escrow::withdraw(draft, m),
        Message::Delegate(m) => delegation::delegate(draft, m),
        Message::Undelegate(m) => delegation::undelegate(draft, m),
        Message::OpenSession(m) => session::open(draft, m),
        Message::SubmitClaims(m) => claim::submit(draft, m),
        Message::SubmitProofs(m) => proof::submit(draft, m),
        Message::BondAuditor(m) => audit::auditor::bond(draft, m),
        Message::UnbondAuditor(m) => audit::auditor::unbond(draft, m),
        Message::CommitVerdicts(m) => audit::verdicts::commit(draft, m),
        Message::RevealVerdicts(m) => audit::verdicts::reveal(draft, m),
        Message::PlantRinger(m) => audit::ringer::plant(draft, m),
        Message::OpenRinger(m) => audit::ringer::open(draft, m),
        Message::ProveOvercount(m) => overcount::prove(draft, m),
        Message::ChooseAudit(m) => audit::probe::choose(draft, m),
        Message::PlantProbe(m) => audit::probe::plant(draft, m),
        Message::OpenProbe(m) => audit::probe::open(draft, m),
        Message::UpdateParams(m) => params::update(draft, m),
    }
}
