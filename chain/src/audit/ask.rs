//! What anybody can ask about audits.

use super::docket;
use crate::draft::Draft;
use crate::glance::Glance;
use crate::host::Host;
use crate::keys;
use crate::query::{asked, page, read, rows};
use crate::refused::Refused;
use proto::Digest;
use proto::audit::auditor::Auditor;
use proto::audit::case::{Case, Docket};
use proto::names::OFFERS_MAX;
use proto::query;
use proto::wire::Wire;

pub(crate) fn audit(host: &impl Host, q: query::GetAudit) -> Result<Case, Refused> {
    read(host, &keys::case(&q.id), format!("the audit {}", q.id))
}

pub(crate) fn docket(host: &impl Host, q: query::GetDocket) -> Result<Docket, Refused> {
    docket::load(&mut Draft::new(&mut Glance(host)), q.start)
}

/// Audits of one start, session, supplier or auditor. Those of a supplier or auditor come newest
/// first.
pub(crate) fn audits(host: &impl Host, q: query::ListAudits) -> Result<query::Audits, Refused> {
    let after = q.after.map(|id| audit(host, query::GetAudit { id })).transpose()?;
    let last = after.map(|case| (case.start, case.audit.id));
    let ((mut from, to), resumed) = match (q.start.0, &q.session_id, &q.supplier, &q.auditor) {
        (0, None, None, None) => {
            return Err(Refused::missing(
                "the field start, session_id, supplier or auditor of the query",
            ));
        }
        (0, None, None, Some(auditor)) => (
            keys::cases_of_auditor(auditor),
            last.map(|(start, id)| keys::case_of_auditor(auditor, start, &id)),
        ),
        (0, None, Some(supplier), _) => (
            keys::cases_of_supplier(supplier),
            last.map(|(start, id)| keys::case_of_supplier(supplier, start, &id)),
        ),
        (0, Some(session), _, _) => (
            keys::cases_of_session(session),
            last.map(|(_, id)| keys::case_of_session(session, &id)),
        ),
        _ => (keys::cases_of(q.start), last.map(|(_, id)| keys::case_of_start(q.start, &id))),
    };
    if let Some(key) = resumed {
        from = keys::after(key);
    }
    let mut audits = Vec::new();
    for (key, _) in host.range(&from, &to, rows(q.limit)) {
        let id = key.last_chunk().copied().map(Digest).unwrap_or_default();
        audits.push(audit(host, query::GetAudit { id })?);
    }
    Ok(query::Audits { audits })
}

pub(crate) fn reputation(
    host: &impl Host,
    q: query::GetReputation,
) -> Result<query::Reputations, Refused> {
    let operator = asked(q.operator, "operator")?;
    let (from, to) = keys::reputations_of(&operator);
    let records = host.range(&from, &to, OFFERS_MAX);
    let decoded = records.iter().map(|(_, bytes)| Ok(Wire::decode(bytes)?));
    Ok(query::Reputations { reputations: decoded.collect::<Result<_, Refused>>()? })
}

pub(crate) fn auditor(host: &impl Host, q: query::GetAuditor) -> Result<Auditor, Refused> {
    let address = asked(q.address, "address")?;
    read(host, &keys::auditor(&address), format!("the auditor {address}"))
}

pub(crate) fn auditors(
    host: &impl Host,
    q: query::ListAuditors,
) -> Result<query::Auditors, Refused> {
    let after = q.after.as_ref().map(keys::auditor);
    Ok(query::Auditors { auditors: page(host, keys::AUDITORS, after, q.limit)? })
}
