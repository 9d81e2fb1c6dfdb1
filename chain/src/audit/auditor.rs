//! Auditors: validators with a bond in the market, and who of them can sit.

use super::AuditRefused;
use crate::draft::Draft;
use crate::host::{Event, Host, Party, Purse, Validator};
use crate::refused::{Refused, check_stake};
use crate::registry::{Role, stakes};
use crate::{keys, params};
use proto::audit::auditor::Auditor;
use proto::audit::case::{AUDITORS_MAX, Member, Panel};
use proto::message::{BondAuditor, UnbondAuditor};
use proto::wire::Wire;
use proto::{Address, Coin};
use std::collections::BTreeMap;

pub(crate) fn load<H: Host>(draft: &mut Draft<'_, H>, address: &Address) -> Option<Auditor> {
    draft.read(&keys::auditor(address))
}

pub(crate) fn store<H: Host>(draft: &mut Draft<'_, H>, auditor: &Auditor) {
    draft.write(keys::auditor(&auditor.address), auditor);
}

pub(crate) fn bond<H: Host>(draft: &mut Draft<'_, H>, m: &BondAuditor) -> Result<(), Refused> {
    check_stake(&m.add)?;
    let makes_blocks = |v: &Validator| v.operator == m.auditor && v.vrf_key.is_some();
    if !draft.validators().iter().any(makes_blocks) {
        return Err(AuditRefused::NoValidator(m.auditor).into());
    }
    let mut auditor = match load(draft, &m.auditor) {
        Some(before) if before.leaving => {
            return Err(AuditRefused::Leaving { auditor: m.auditor, until: before.until }.into());
        }
        Some(before) => before,
        None => {
            let count = draft.stored(&keys::all(keys::AUDITORS), AUDITORS_MAX).len();
            if count >= AUDITORS_MAX {
                return Err(AuditRefused::TooManyAuditors { count }.into());
            }
            Auditor::new(m.auditor)
        }
    };
    auditor.bond = stakes::sum(auditor.bond, m.add.amount, params::load(draft).audits.bond_min)?;
    store(draft, &auditor);
    draft.pay(Party::Account(m.auditor), Party::Purse(Purse::Stake), &m.add);
    let event = Event::new("lode_auditor_bonded").with("auditor", m.auditor);
    draft.emit(event.with("bond", Coin::stake(auditor.bond)));
    Ok(())
}

/// The auditor sits in no session from the next on. Its bond stays liable for those in which it
/// can.
pub(crate) fn unbond<H: Host>(draft: &mut Draft<'_, H>, m: &UnbondAuditor) -> Result<(), Refused> {
    let mut auditor = load(draft, &m.auditor)
        .ok_or_else(|| Refused::missing(format!("the auditor {}", m.auditor)))?;
    if auditor.leaving {
        return Err(AuditRefused::Leaving { auditor: m.auditor, until: auditor.until }.into());
    }
    auditor.leaving = true;
    auditor.until = draft.block().height.plus(params::unbonding(draft));
    store(draft, &auditor);
    stakes::queue(draft, auditor.until, Role::Auditor, &m.auditor);
    let event = Event::new("lode_auditor_unbonded").with("auditor", m.auditor);
    draft.emit(event.with("until", auditor.until));
    Ok(())
}

/// Returns the bond of an auditor whose unbonding is over.
pub(crate) fn give_back<H: Host>(draft: &mut Draft<'_, H>, address: &Address) {
    let Some(auditor) = load(draft, address).filter(|auditor| auditor.leaving) else { return };
    draft.delete(keys::auditor(address));
    stakes::give_back(draft, address, &Coin::stake(auditor.bond));
}

/// Freezes who can sit, with which power and key: nobody weighs more after a seed is known.
pub(crate) fn take_effect<H: Host>(draft: &mut Draft<'_, H>) {
    let params = params::load(draft).audits;
    let validators: BTreeMap<Address, Validator> =
        draft.validators().into_iter().map(|one| (one.operator, one)).collect();
    let mut panel = Panel::default();
    for (_, bytes) in draft.stored(&keys::all(keys::AUDITORS), AUDITORS_MAX) {
        let Ok(auditor) = Auditor::decode(&bytes) else { continue };
        let Some(validator) = validators.get(&auditor.address) else { continue };
        let Some(vrf_key) = validator.vrf_key.filter(|_| validator.power > 0) else { continue };
        if auditor.can_sit(&params) {
            let (auditor, power) = (auditor.address, validator.power);
            panel.members.push(Member { auditor, power, vrf_key });
        }
    }
    if draft.read::<Panel>(&keys::PANEL).unwrap_or_default() != panel {
        draft.write(keys::PANEL.to_vec(), &panel);
    }
}
