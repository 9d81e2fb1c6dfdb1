//! The market: one state machine over the trait [`Host`], whatever chain it lives in.
//!
//! ```text
//! registry   services, suppliers, gateways: what is staked, offered, listed
//! account    an app's escrow and what it lets gateways lock
//! roster     who can be drawn for a service, frozen within a session
//! session    a budget locked, suppliers drawn, terms copied
//! claim      roots of usage trees, and the leaves that a seed asks for
//! settle     who is paid what, and why not
//! price      one step for each service and session
//! ```
//! Nothing here does I/O, reads a clock or panics, and a block never fails. A refused message
//! leaves no trace: all it changes is gathered in a [`draft`] first, and the one payment that it may
//! cause is made before anything is written.

pub mod host;
pub mod memory;

mod account;
mod boundary;
mod claim;
mod draft;
mod genesis;
mod keys;
mod price;
mod proof;
mod query;
mod refused;
mod registry;
mod roster;
mod session;
mod settle;

pub use draft::gas;
pub use host::Host;
pub use query::query;
pub use refused::{CODESPACE, Refused};

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
    boundary::begin(&mut draft);
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
    boundary::end(&mut draft);
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
        Message::Deposit(m) => account::deposit(draft, m),
        Message::Withdraw(m) => account::withdraw(draft, m),
        Message::Delegate(m) => account::delegate(draft, m),
        Message::Undelegate(m) => account::undelegate(draft, m),
        Message::OpenSession(m) => session::open(draft, m),
        Message::SubmitClaims(m) => claim::submit(draft, m),
        Message::SubmitProofs(m) => proof::submit(draft, m),
        Message::UpdateParams(m) => boundary::update_params(draft, m),
    }
}
