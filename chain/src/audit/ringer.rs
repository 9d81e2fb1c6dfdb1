//! Ringers: planted answers, known to be good or bad, that keep auditors honest.
//!
//! An operator that governance lists serves a relay through a supplier's account that it controls
//! in secret, and commits to what an honest verdict is before anybody can know whether the relay
//! will be audited. After the last reveal it shows the commitment, and who said the contrary loses.
//! What such an audit moved of the supplier's standing is taken back.

use super::{AuditRefused, auditor, docket};
use crate::draft::Draft;
use crate::host::{Event, Host, Purse};
use crate::refused::Refused;
use crate::{keys, params};
use proto::audit::case::{Case, Docket, Stage, planted};
use proto::audit::tally::stands_apart;
use proto::message::{OpenRinger, PlantRinger};
use proto::{Address, Amount, Coin, Height};
use std::collections::BTreeMap;

/// Ringers of one operator at most.
const RINGERS_MAX: usize = 256;

/// Ringers that expire in one block at most.
const EXPIRED_MAX: usize = 1_000;

pub(crate) fn plant<H: Host>(draft: &mut Draft<'_, H>, m: &PlantRinger) -> Result<(), Refused> {
    let operator = m.operator;
    if !params::load(draft).audits.ringers.contains(&operator) {
        return Err(AuditRefused::NotTrusted(operator).into());
    }
    let count = draft.stored(&keys::ringers_of(&operator), RINGERS_MAX).len();
    if count >= RINGERS_MAX {
        return Err(AuditRefused::TooManyRingers { operator, count }.into());
    }
    let (at, key) = (draft.block().height, keys::ringer(&operator, &m.commitment));
    if draft.get(&key).is_none() {
        draft.set(key, at.0.to_be_bytes().to_vec());
        // Twice the longest time in which a session that ran then is settled.
        let expires = at.plus(2 * (params::longest_liable(draft) + 1));
        draft.set(keys::ringer_to_expire(expires, &operator, &m.commitment), Vec::new());
    }
    draft.emit(Event::new("lode_ringer_planted").with("operator", operator));
    Ok(())
}

pub(crate) fn open<H: Host>(draft: &mut Draft<'_, H>, m: &OpenRinger) -> Result<(), Refused> {
    let mut case = docket::case(draft, &m.audit_id)?;
    if case.stage.round().is_some() {
        return Err(AuditRefused::NotDecided(m.audit_id).into());
    }
    if case.planted.is_some() {
        return Err(AuditRefused::OpenedAlready(m.audit_id).into());
    }
    let (supplier, session) = (&case.audit.operator, &case.audit.session_id);
    let commitment = planted(&m.salt, &m.operator, supplier, session, &m.expected);
    let key = keys::ringer(&m.operator, &commitment);
    let at = draft.get(&key).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
    let at = at.map(Height).ok_or_else(|| Refused::missing("a ringer with this commitment"))?;
    let docket = docket::load(draft, case.start)?;
    if at >= docket.opens {
        return Err(AuditRefused::PlantedLate { planted: at, drawn: docket.opens }.into());
    }
    let wrong = punish(draft, &docket, &case, m);
    take_back(draft, &docket, &case);
    case.planted = Some(m.expected);
    draft.write(keys::case(&m.audit_id), &case);
    draft.delete(key);
    let event = Event::new("lode_ringer_opened").with("operator", m.operator);
    draft.emit(event.with("audit", m.audit_id).with("wrong", wrong));
    Ok(())
}

/// Takes the penalty of all whose verdict was wrong. Gives how many that were.
fn punish<H: Host>(draft: &mut Draft<'_, H>, docket: &Docket, case: &Case, m: &OpenRinger) -> u64 {
    let mut wrong: BTreeMap<Address, u64> = BTreeMap::new();
    for vote in case.all_votes() {
        if stands_apart(&vote.verdict, &m.expected, docket.params.tolerance) {
            *wrong.entry(vote.auditor).or_default() += 1;
        }
    }
    for (address, count) in &wrong {
        let Some(mut auditor) = auditor::load(draft, address) else { continue };
        let penalty = docket.params.penalties.ringer.0.saturating_mul((*count).into());
        let taken = Coin::stake(auditor.lose(Amount(penalty)));
        auditor.apart = auditor.apart.saturating_add(*count);
        auditor::store(draft, &auditor);
        draft.burn(Purse::Stake, &taken);
        let event = Event::new("lode_auditor_fooled").with("auditor", address);
        draft.emit(event.with("audit", case.audit.id).with("amount", taken));
    }
    wrong.values().sum()
}

/// Takes back what the audit moved of the supplier's standing, and its fine: it was no supplier's own
/// work.
fn take_back<H: Host>(draft: &mut Draft<'_, H>, docket: &Docket, case: &Case) {
    let failed = match case.stage {
        Stage::Passed => false,
        Stage::Failed => true,
        Stage::First | Stage::Second | Stage::Convicted | Stage::Lapsed => return,
    };
    draft.delete(keys::fine(&case.audit.session_id, &case.audit.operator));
    let mut kept = super::reputation(draft, &case.audit.operator, &case.service);
    kept.standing = kept.standing.without(failed, &docket.params.test);
    draft.write(keys::reputation(&kept.operator, &kept.service), &kept);
}

/// Forgets ringers that were not opened.
pub(crate) fn expire_due<H: Host>(draft: &mut Draft<'_, H>) {
    let due = keys::until(keys::RINGERS_TO_EXPIRE, draft.block().height);
    for (key, _) in draft.stored(&due, EXPIRED_MAX) {
        draft.delete(keys::ringer_of_queued(keys::queued(&key)));
        draft.delete(key);
    }
}
