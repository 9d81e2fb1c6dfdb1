//! What apps choose of their traffic, and probes among those that nobody reads.
//!
//! ```text
//! before the session   in it                     when audits are drawn
//! plant: a hash, and ─ sessions like any other ─ open: the hash's parts, the deposit comes back,
//! a deposit                                      and audits of these sessions are drawn
//! ```
//! What is not opened in time costs its deposit and is counted, so that nobody opens only what looks
//! bad.

use super::{AuditRefused, docket};
use crate::draft::Draft;
use crate::host::{Event, Host, Party, Purse};
use crate::query::{asked, read};
use crate::refused::Refused;
use crate::{escrow, keys, params};
use proto::audit::Schedule;
use proto::audit::case::Panel;
use proto::audit::probe::{Audited, Probe, Prober, commitment};
use proto::message::{ChooseAudit, OpenProbe, PlantProbe};
use proto::query::GetProber;
use proto::session::Session;
use proto::{Address, Coin, Digest, Height};

/// Probes of one operator that wait at most.
const PROBES_MAX: usize = 256;

/// Sessions of one app and start that one probe can be at most: one for each service and gateway.
const SESSIONS_MAX: usize = 64;

/// Probes that expire in one block at most.
const EXPIRED_MAX: usize = 1_000;

pub(crate) fn choose<H: Host>(draft: &mut Draft<'_, H>, m: &ChooseAudit) -> Result<(), Refused> {
    let mut app = escrow::load(draft, &m.app);
    if app.audited == m.audited {
        return Err(AuditRefused::ChosenAlready.into());
    }
    app.audited = m.audited;
    escrow::store(draft, &m.app, &app);
    let event = Event::new("lode_audit_chosen").with("app", m.app);
    draft.emit(event.with("audited", format!("{:?}", m.audited).to_lowercase()));
    Ok(())
}

fn prober<H: Host>(draft: &mut Draft<'_, H>, operator: &Address) -> Prober {
    draft.read(&keys::prober(operator)).unwrap_or_else(|| Prober::new(*operator))
}

pub(crate) fn plant<H: Host>(draft: &mut Draft<'_, H>, m: &PlantProbe) -> Result<(), Refused> {
    let (operator, audits) = (m.operator, params::load(draft).audits);
    if !audits.ringers.contains(&operator) {
        return Err(AuditRefused::NotTrusted(operator).into());
    }
    let count = draft.stored(&keys::probes_of(&operator), PROBES_MAX).len();
    if count >= PROBES_MAX {
        return Err(AuditRefused::TooManyProbes { operator, count }.into());
    }
    let (planted_at, deposit) = (draft.block().height, audits.probe_deposit);
    let probe = Probe { operator, commitment: m.commitment, planted_at, deposit };
    let key = keys::probe(&operator, &m.commitment);
    if draft.get(&key).is_some() {
        return Err(AuditRefused::PlantedTwice(m.commitment).into());
    }
    put(draft, &probe);
    let mut prober = prober(draft, &operator);
    prober.planted = prober.planted.saturating_add(1);
    draft.write(keys::prober(&operator), &prober);
    draft.pay(Party::Account(operator), Party::Purse(Purse::Stake), &Coin::stake(deposit));
    draft.emit(Event::new("lode_probe_planted").with("operator", operator));
    Ok(())
}

/// Keeps a probe until it is opened or expires.
pub(crate) fn put<H: Host>(draft: &mut Draft<'_, H>, probe: &Probe) {
    let Probe { operator, commitment, .. } = probe;
    // Twice the longest time in which a session that begins soon is settled.
    let expires = draft.block().height.plus(2 * (params::longest_liable(draft) + 1));
    draft.write(keys::probe(operator, commitment), probe);
    draft.set(keys::probe_to_expire(expires, operator, commitment), Vec::new());
}

pub(crate) fn open<H: Host>(draft: &mut Draft<'_, H>, m: &OpenProbe) -> Result<(), Refused> {
    let key = keys::probe(&m.operator, &commitment(&m.salt, &m.operator, &m.app, m.start));
    let probe: Option<Probe> = draft.read(&key);
    let probe = probe.ok_or_else(|| Refused::missing("a probe with this commitment"))?;
    if probe.planted_at >= m.start {
        let (planted, drawn) = (probe.planted_at, m.start);
        return Err(AuditRefused::PlantedLate { planted, drawn }.into());
    }
    let sessions = sessions(draft, &m.app, m.start);
    let first = sessions.first().ok_or_else(|| {
        Refused::missing(format!("a session of {} that began at {}", m.app, m.start))
    })?;
    // A block must be left in which those who are asked can commit.
    let commit = Schedule::of(&first.audit_window()).commit;
    let (at, window) = (draft.block().height, commit.start..commit.end.minus(1));
    if !window.contains(&at) {
        return Err(AuditRefused::OutsideWindow { at, window }.into());
    }
    let audits = draw(draft, m.start, &sessions);
    draft.delete(key);
    let mut prober = prober(draft, &m.operator);
    prober.opened = prober.opened.saturating_add(1);
    draft.write(keys::prober(&m.operator), &prober);
    draft.pay(Party::Purse(Purse::Stake), Party::Account(m.operator), &Coin::stake(probe.deposit));
    let event = Event::new("lode_probe_opened").with("operator", m.operator).with("app", m.app);
    draft.emit(event.with("start", m.start).with("audits", audits));
    Ok(())
}

/// The sessions of an app that began at `start` and are not settled.
fn sessions<H: Host>(draft: &mut Draft<'_, H>, app: &Address, start: Height) -> Vec<Session> {
    let rows = draft.stored(&keys::sessions_of_start(app, start), SESSIONS_MAX);
    let ids = rows.iter().filter_map(|(key, _)| key.last_chunk().copied().map(Digest));
    let sessions = ids.filter_map(|id| draft.read::<Session>(&keys::session(&id)));
    // An address can be app, gateway and supplier: a probe is of what it pays for.
    sessions.filter(|session| session.app == *app).collect()
}

/// Draws the audits of sessions that were read by nobody until then. Gives how many.
fn draw<H: Host>(draft: &mut Draft<'_, H>, start: Height, sessions: &[Session]) -> usize {
    let panel: Panel = draft.read(&keys::PANEL).unwrap_or_default();
    if panel.members.is_empty() {
        return 0;
    }
    let mut cases = Vec::new();
    for session in sessions.iter().filter(|s| s.terms.audited == Audited::Probes) {
        for (session, case) in docket::of_session(draft, session) {
            // Another operator may have opened the same sessions.
            if draft.get(&keys::case(&case.audit.id)).is_none() {
                cases.push((session, case));
            }
        }
    }
    let count = cases.len();
    docket::open(draft, start, cases, &panel);
    count
}

/// Burns the deposits of probes that were not opened.
pub(crate) fn expire_due<H: Host>(draft: &mut Draft<'_, H>) {
    let due = keys::until(keys::PROBES_TO_EXPIRE, draft.block().height);
    for (queued, _) in draft.stored(&due, EXPIRED_MAX) {
        let key = keys::probe_of_queued(keys::queued(&queued));
        if let Some(probe) = draft.read::<Probe>(&key) {
            let mut prober = prober(draft, &probe.operator);
            prober.unopened = prober.unopened.saturating_add(1);
            draft.write(keys::prober(&probe.operator), &prober);
            let deposit = Coin::stake(probe.deposit);
            draft.burn(Purse::Stake, &deposit);
            let event = Event::new("lode_probe_unopened").with("operator", probe.operator);
            draft.emit(event.with("amount", deposit));
            draft.delete(key);
        }
        draft.delete(queued);
    }
}

/// What became of an operator's probes.
pub(crate) fn answer(host: &impl Host, q: GetProber) -> Result<Prober, Refused> {
    let operator = asked(q.operator, "operator")?;
    read(host, &keys::prober(&operator), format!("a probe of {operator}"))
}
