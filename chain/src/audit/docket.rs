//! The audits of sessions that began together: drawn, looked up, forgotten.
//!
//! A session waits in a queue until its proof window is over; nothing scans. Which claims are
//! audited is drawn with the seed of that height, so what one block cannot do the next does alike.

use crate::draft::Draft;
use crate::host::{Event, Host};
use crate::refused::Refused;
use crate::registry::service;
use crate::{keys, params, proof, seeds};
use proto::audit::case::{Again, Case, DOCKET_MAX, Docket, Panel, Stage};
use proto::audit::{self, Audit, Audited, Round};
use proto::claim::{Claim, Phase, cost};
use proto::session::Session;
use proto::{Digest, Height};
use std::collections::BTreeMap;

pub(crate) fn load<H: Host>(draft: &mut Draft<'_, H>, start: Height) -> Result<Docket, Refused> {
    let docket: Option<Docket> = draft.read(&keys::docket(start));
    let mut docket =
        docket.ok_or_else(|| Refused::missing(format!("a docket of the sessions from {start}")))?;
    if docket.second_seed.is_none() {
        docket.second_seed = seeds::at(draft, docket.schedule().commit_again.start);
    }
    Ok(docket)
}

pub(crate) fn case<H: Host>(draft: &mut Draft<'_, H>, id: &Digest) -> Result<Case, Refused> {
    let case = draft.read(&keys::case(id));
    case.ok_or_else(|| Refused::missing(format!("the audit {id}")))
}

/// The audits of a docket, in the order of their ids.
pub(crate) fn cases<H: Host>(draft: &mut Draft<'_, H>, start: Height) -> Vec<Case> {
    let keys = draft.stored(&keys::cases_of(start), DOCKET_MAX);
    let ids = keys.iter().filter_map(|(key, _)| key.last_chunk().copied().map(Digest));
    ids.filter_map(|id| draft.read(&keys::case(&id))).collect()
}

/// Draws the audits of sessions whose proof window is over.
pub(crate) fn draw_due<H: Host>(draft: &mut Draft<'_, H>) {
    let bound = params::load(draft).settlements_per_block as usize;
    let due = draft.stored(&keys::until(keys::TO_AUDIT, draft.block().height), bound);
    if due.is_empty() {
        return;
    }
    let panel: Panel = draft.read(&keys::PANEL).unwrap_or_default();
    let mut drawn: BTreeMap<Height, Vec<(Session, Case)>> = BTreeMap::new();
    for (key, _) in due {
        let id = keys::queued(&key).try_into().map(Digest).unwrap_or_default();
        let session = draft.read::<Session>(&keys::session(&id));
        // What nobody may read is drawn when it turns out to be a probe.
        let read = |session: &Session| session.terms.audited != Audited::Probes;
        if let Some(session) = session.filter(|s| !panel.members.is_empty() && read(s)) {
            let cases = of_session(draft, &session);
            drawn.entry(session.start).or_default().extend(cases);
        }
        draft.delete(key);
    }
    for (start, cases) in drawn {
        open(draft, start, cases, &panel);
    }
}

/// What is drawn of a session's final claims.
pub(super) fn of_session<H: Host>(
    draft: &mut Draft<'_, H>,
    session: &Session,
) -> Vec<(Session, Case)> {
    let params = params::load(draft);
    let (audits, stake) = (params.audits, params.supplier_stake_min);
    let (Some(revealed), Some(seed)) =
        (seeds::at(draft, session.reveal_height()), seeds::at(draft, session.audit_window().start))
    else {
        return Vec::new();
    };
    let mut cases = Vec::new();
    for seat in &session.seats {
        let operator = &seat.operator;
        let key = keys::claim(&session.id, operator);
        let Some(claim) = draft.read::<Claim>(&key) else { continue };
        if !matches!(proof::revealed(session, &claim, &revealed), Phase::Proven | Phase::Spared) {
            continue;
        }
        let worth = session.terms.weight(cost(session, &claim.root));
        let rate = audits.fines.rate(audits.rate, worth, stake);
        if let Some(audit) = audit::drawn(session, &claim.root, operator, &seed, rate) {
            cases.push((session.clone(), asked(draft, session, audit)));
        }
    }
    cases
}

fn asked<H: Host>(draft: &mut Draft<'_, H>, session: &Session, audit: Audit) -> Case {
    let listed = service::current(draft, &session.service);
    Case {
        audit,
        service: session.service.clone(),
        start: session.start,
        judged: listed.is_some_and(|service| service.identity_threshold > 0),
        stage: Stage::First,
        again: Again::No,
        first: Vec::new(),
        second: Vec::new(),
        found: None,
        decided_at: Height(0),
        planted: None,
    }
}

/// Puts audits on the docket of their start. Where there are more than it holds, those with the
/// smallest ids stay: the seed chose these, and nobody else could.
pub(super) fn open<H: Host>(
    draft: &mut Draft<'_, H>,
    start: Height,
    mut cases: Vec<(Session, Case)>,
    panel: &Panel,
) {
    let Some((session, _)) = cases.first() else { return };
    let mut docket = match draft.read::<Docket>(&keys::docket(start)) {
        Some(docket) => docket,
        None => begin(draft, session, panel),
    };
    let late = draft.block().height >= docket.schedule().commit.end;
    let room = if late { 0 } else { DOCKET_MAX.saturating_sub(docket.audits as usize) };
    cases.sort_by_key(|(_, case)| case.audit.id);
    let dropped = cases.len().saturating_sub(room);
    cases.truncate(room);
    for (_, case) in &cases {
        enter(draft, case);
        docket.audits += 1;
    }
    draft.write(keys::docket(start), &docket);
    if dropped > 0 {
        let event = Event::new("lode_audits_dropped").with("start", start);
        draft.emit(event.with("count", dropped));
    }
}

/// A new docket, and when its rounds end.
fn begin<H: Host>(draft: &mut Draft<'_, H>, session: &Session, panel: &Panel) -> Docket {
    let window = session.audit_window();
    let all = params::load(draft);
    let docket = Docket {
        start: session.start,
        seed: seeds::at(draft, window.start).unwrap_or_default(),
        opens: window.start,
        closes: window.end,
        // Who may plant is asked when somebody plants.
        params: audit::Params { ringers: Vec::new(), ..all.audits },
        panel: panel.members.clone(),
        audits: 0,
        // Its height has not come yet.
        second_seed: None,
    };
    let schedule = docket.schedule();
    for round in [Round::First, Round::Second] {
        let last = schedule.reveals(round).end.minus(1);
        draft.set(keys::to_close(last, docket.start, round), Vec::new());
    }
    draft.set(keys::audits_to_forget(window.end.plus(all.history), docket.start), Vec::new());
    docket
}

fn enter<H: Host>(draft: &mut Draft<'_, H>, case: &Case) {
    let Audit { id, session_id, operator, .. } = &case.audit;
    draft.write(keys::case(id), case);
    for index in indexes(case) {
        draft.set(index, Vec::new());
    }
    draft.emit(
        Event::new("lode_audit_drawn")
            .with("audit", id)
            .with("session", session_id)
            .with("supplier", operator)
            .with("start", case.start),
    );
}

fn indexes(case: &Case) -> [Vec<u8>; 3] {
    let Audit { id, session_id, operator, .. } = &case.audit;
    [
        keys::case_of_start(case.start, id),
        keys::case_of_session(session_id, id),
        keys::case_of_supplier(operator, case.start, id),
    ]
}

/// Audits that are forgotten in one block at most.
const FORGOTTEN_MAX: usize = 2 * DOCKET_MAX;

/// Forgets audits that nobody can look up any more.
pub(crate) fn forget_due<H: Host>(draft: &mut Draft<'_, H>) {
    let due = draft.stored(&keys::until(keys::AUDITS_TO_FORGET, draft.block().height), 1);
    let Some((key, _)) = due.into_iter().next() else { return };
    let start = keys::queued(&key).try_into().map(u64::from_be_bytes).map(Height);
    let Ok(start) = start else { return draft.delete(key) };
    for (index, _) in draft.stored(&keys::cases_of(start), FORGOTTEN_MAX) {
        let id = index.last_chunk().copied().map(Digest).unwrap_or_default();
        if let Some(case) = draft.read::<Case>(&keys::case(&id)) {
            forget(draft, &case);
        }
        draft.delete(index);
    }
    draft.delete(keys::docket(start));
    draft.delete(key);
}

fn forget<H: Host>(draft: &mut Draft<'_, H>, case: &Case) {
    let id = &case.audit.id;
    for vote in case.all_votes() {
        draft.delete(keys::case_of_auditor(&vote.auditor, case.start, id));
    }
    for index in indexes(case) {
        draft.delete(index);
    }
    draft.delete(keys::case(id));
}
