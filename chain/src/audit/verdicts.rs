//! What auditors commit to, and reveal after everybody has committed.

use super::{AuditRefused, docket};
use crate::draft::{Draft, gas};
use crate::host::{Event, Host};
use crate::keys;
use crate::refused::Refused;
use proto::audit::Round;
use proto::audit::case::Docket;
use proto::audit::committee::{Power, sits};
use proto::audit::tally::Vote;
use proto::message::{CommitVerdicts, RevealVerdicts, Revealed};
use proto::names::VERDICTS_PER_TX_MAX;
use proto::vrf::VrfOutput;
use proto::{Address, Height};
use std::collections::BTreeMap;
use std::ops::Range;

fn on_panel<H: Host>(
    draft: &mut Draft<'_, H>,
    start: Height,
    auditor: &Address,
) -> Result<Docket, Refused> {
    let docket = docket::load(draft, start)?;
    match docket.member(auditor) {
        Some(_) => Ok(docket),
        None => Err(AuditRefused::NotOnPanel { auditor: *auditor, start }.into()),
    }
}

fn within(at: Height, window: &Range<Height>) -> Result<(), AuditRefused> {
    match window.contains(&at) {
        true => Ok(()),
        false => Err(AuditRefused::OutsideWindow { at, window: window.clone() }),
    }
}

/// Takes commitments, each in the place of an earlier one of the same auditor: what it is of nobody
/// can know before it is revealed.
pub(crate) fn commit<H: Host>(draft: &mut Draft<'_, H>, m: &CommitVerdicts) -> Result<(), Refused> {
    let (count, at) = (m.commitments.len(), draft.block().height);
    if !(1..=VERDICTS_PER_TX_MAX).contains(&count) {
        return Err(Refused::Count { count, max: VERDICTS_PER_TX_MAX });
    }
    let mut dockets: BTreeMap<Height, Docket> = BTreeMap::new();
    for commitment in &m.commitments {
        let audit = commitment.audit_id;
        let case = docket::case(draft, &audit)?;
        let docket = match dockets.get(&case.start) {
            Some(docket) => docket,
            None => {
                let docket = on_panel(draft, case.start, &m.auditor)?;
                dockets.entry(case.start).or_insert(docket)
            }
        };
        within(at, docket.schedule().commits(m.round))?;
        if case.stage.round() != Some(m.round) {
            return Err(AuditRefused::NotAsked { audit, round: m.round }.into());
        }
        let key = keys::commitment(case.start, m.round, &m.auditor, &audit);
        draft.set(key, commitment.digest.0.to_vec());
    }
    let event = Event::new("lode_verdicts_committed").with("auditor", m.auditor);
    draft.emit(event.with("round", super::name(m.round)).with("count", count));
    Ok(())
}

/// Takes an auditor's ticket, and the verdicts that it committed to.
pub(crate) fn reveal<H: Host>(draft: &mut Draft<'_, H>, m: &RevealVerdicts) -> Result<(), Refused> {
    let (count, at) = (m.verdicts.len(), draft.block().height);
    if count > VERDICTS_PER_TX_MAX {
        return Err(Refused::Count { count, max: VERDICTS_PER_TX_MAX });
    }
    let docket = on_panel(draft, m.start, &m.auditor)?;
    let schedule = docket.schedule();
    let round = match schedule.reveal_again.contains(&at) {
        true => Round::Second,
        false => Round::First,
    };
    within(at, schedule.reveals(round))?;
    let ticket = ticket(draft, &docket, round, m)?;
    for revealed in &m.verdicts {
        take(draft, &docket, round, (&m.auditor, &ticket), revealed)?;
    }
    let event = Event::new("lode_verdicts_revealed").with("auditor", m.auditor);
    draft.emit(event.with("start", m.start).with("round", super::name(round)).with("count", count));
    Ok(())
}

/// Checks and keeps a ticket: from then on everybody can say what the auditor's duties of that round
/// were.
fn ticket<H: Host>(
    draft: &mut Draft<'_, H>,
    docket: &Docket,
    round: Round,
    m: &RevealVerdicts,
) -> Result<VrfOutput, Refused> {
    draft.charge(2 * gas::SIGNATURE);
    let member = docket.member(&m.auditor);
    let key = member
        .map(|member| member.vrf_key)
        .ok_or(AuditRefused::NotOnPanel { auditor: m.auditor, start: m.start })?;
    let input = docket.ticket_input(round);
    let input = input.ok_or_else(|| Refused::missing("the seed of the second round's tickets"))?;
    let output = key.verify(&input.0, &m.ticket).map_err(AuditRefused::from)?;
    draft.set(keys::ticket(docket.start, round, &m.auditor), output.0.to_vec());
    Ok(output)
}

fn take<H: Host>(
    draft: &mut Draft<'_, H>,
    docket: &Docket,
    round: Round,
    (auditor, ticket): (&Address, &VrfOutput),
    revealed: &Revealed,
) -> Result<(), Refused> {
    let (audit, auditor) = (revealed.audit_id, *auditor);
    let mut case = docket::case(draft, &audit)?;
    if case.start != docket.start || case.stage.round() != Some(round) {
        return Err(AuditRefused::NotAsked { audit, round }.into());
    }
    let own = docket.member(&auditor).map_or(0, |member| member.power);
    let power = Power { own, total: docket.power() };
    if !sits(ticket, &audit, round, power, docket.params.size(round)) {
        return Err(AuditRefused::NoSeat { auditor, audit }.into());
    }
    let key = keys::commitment(docket.start, round, &auditor, &audit);
    let digest = revealed.verdict.commitment(&revealed.salt, &auditor, &audit);
    if draft.get(&key).is_none_or(|kept| kept != digest.0) {
        return Err(AuditRefused::NotCommitted { auditor, audit }.into());
    }
    draft.delete(key);
    case.vote(round, Vote { auditor, verdict: revealed.verdict });
    draft.write(keys::case(&audit), &case);
    draft.set(keys::case_of_auditor(&auditor, case.start, &audit), Vec::new());
    Ok(())
}
