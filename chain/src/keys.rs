//! Where everything is kept. Each component has prefixes of its own; numbers are big-endian, so
//! that ranges are in order; what is done together lies together.
//!
//! ```text
//! params     01                parameters             02                 who may change them
//!            03                parameters to come     04                 epoch
//!            05                longest liability
//! seeds      50 height         seed
//! registry   10 id             service                11 id              service to come
//!            1a height id      services to come, in order
//!            12 operator       supplier as registered 13 operator        as frozen for a session
//!            14 height operator  suppliers to freeze, in order
//!            15 owner          its operators          06                 suppliers to weigh again
//!            16 gateway        gateway                17 relay key       whose it is
//!            41 height address stakes to return
//! escrow     18 app            escrow, delegations    19 app gateway denom  since when delegated
//! roster     20 id             index                  21 id 00 chunk     a part
//!            22 id             offers by density
//! session    30 session        session                32 ~start id       open ones, newest first
//!            33 party ~start id  open ones of a party, newest first
//! claim      31 session operator  claim
//! settle     40 height session sessions to settle     60 session operator  settled claim
//!            42 height session settled claims to forget
//! price      70 id             price                  71 id              demand so far
//!            72 id 00 ~start   steps of the price     07                prices to step yet
//! audit      08                who can sit             80 id              audit
//!            81 session id      audits of a session    82 supplier ~start id  of a supplier
//!            83 auditor ~start id  of an auditor       84 start           docket
//!            85 start id        audits of a docket     86 start round auditor id  commitment
//!            87 start round auditor  ticket                 88 operator id     reputation
//!            89 auditor         auditor                8a denom           what fees are paid from
//!            8b operator commitment  ringer            43 height session  sessions to audit
//!            44 height start round  rounds to end      45 height start    audits to forget
//!            46 height operator commitment  ringers to expire
//!            8c operator commitment  probe     8d operator         what became of its probes
//!            47 height operator commitment  probes to expire
//!            8e session operator  fine
//! ```

use proto::audit::Round;
use proto::keys::RelayKey;
use proto::service::ServiceId;
use proto::{Address, Denom, Digest, Height};

pub(crate) const PARAMS: [u8; 1] = [0x01];
pub(crate) const AUTHORITY: [u8; 1] = [0x02];
pub(crate) const PARAMS_TO_COME: [u8; 1] = [0x03];
pub(crate) const EPOCH: [u8; 1] = [0x04];
pub(crate) const LIABLE: [u8; 1] = [0x05];
pub(crate) const TO_WEIGH: [u8; 1] = [0x06];
pub(crate) const TO_STEP: [u8; 1] = [0x07];
pub(crate) const PANEL: [u8; 1] = [0x08];

pub(crate) const SERVICES: u8 = 0x10;
pub(crate) const SUPPLIERS: u8 = 0x12;
pub(crate) const TO_FREEZE: u8 = 0x14;
pub(crate) const GATEWAYS: u8 = 0x16;
pub(crate) const APPS: u8 = 0x18;
pub(crate) const TO_LIST: u8 = 0x1a;
pub(crate) const SESSIONS: u8 = 0x30;
pub(crate) const SESSION_ORDER: u8 = 0x32;
const SESSIONS_OF: u8 = 0x33;
pub(crate) const TO_SETTLE: u8 = 0x40;
pub(crate) const TO_RETURN: u8 = 0x41;
pub(crate) const TO_FORGET: u8 = 0x42;
pub(crate) const TO_AUDIT: u8 = 0x43;
pub(crate) const TO_CLOSE: u8 = 0x44;
pub(crate) const AUDITS_TO_FORGET: u8 = 0x45;
pub(crate) const RINGERS_TO_EXPIRE: u8 = 0x46;
pub(crate) const PROBES_TO_EXPIRE: u8 = 0x47;
pub(crate) const SEEDS: u8 = 0x50;
const SETTLED: u8 = 0x60;
const PRICE_POINTS: u8 = 0x72;
const CASES_OF_SESSION: u8 = 0x81;
const CASES_OF_SUPPLIER: u8 = 0x82;
const CASES_OF_AUDITOR: u8 = 0x83;
const CASES_OF_START: u8 = 0x85;
const COMMITMENTS: u8 = 0x86;
pub(crate) const REPUTATIONS: u8 = 0x88;
pub(crate) const AUDITORS: u8 = 0x89;
pub(crate) const POOL: u8 = 0x8a;
const RINGERS: u8 = 0x8b;
pub(crate) const PROBES: u8 = 0x8c;
pub(crate) const PROBERS: u8 = 0x8d;
const FINES: u8 = 0x8e;

/// The part of a queue's key that follows its prefix and height.
pub(crate) fn queued(key: &[u8]) -> &[u8] {
    key.get(9..).unwrap_or_default()
}

fn key(prefix: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![prefix];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

/// All keys that begin with `prefix`.
pub(crate) fn all(prefix: u8) -> (Vec<u8>, Vec<u8>) {
    (vec![prefix], vec![prefix + 1])
}

/// All keys that begin with `start`, whose last bytes are of a fixed length.
fn within(start: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let mut end = start.clone();
    while end.last() == Some(&0xff) {
        end.pop();
    }
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    (start, end)
}

/// All keys of the queue `prefix` with heights up to `height`, inclusive.
pub(crate) fn until(prefix: u8, height: Height) -> (Vec<u8>, Vec<u8>) {
    (vec![prefix], key(prefix, &[&height.plus(1).0.to_be_bytes()]))
}

/// The smallest key after `key`.
pub(crate) fn after(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

/// What an audit fined a claim with.
pub(crate) fn fine(session: &Digest, operator: &Address) -> Vec<u8> {
    key(FINES, &[&session.0, &operator.0])
}

pub(crate) fn service(id: &ServiceId) -> Vec<u8> {
    key(SERVICES, &[id.as_str().as_bytes()])
}

pub(crate) fn service_to_come(id: &ServiceId) -> Vec<u8> {
    key(0x11, &[id.as_str().as_bytes()])
}

pub(crate) fn to_list(at: Height, id: &ServiceId) -> Vec<u8> {
    key(TO_LIST, &[&at.0.to_be_bytes(), id.as_str().as_bytes()])
}

pub(crate) fn supplier(operator: &Address) -> Vec<u8> {
    key(SUPPLIERS, &[&operator.0])
}

pub(crate) fn frozen(operator: &Address) -> Vec<u8> {
    key(0x13, &[&operator.0])
}

pub(crate) fn to_freeze(at: Height, operator: &Address) -> Vec<u8> {
    key(TO_FREEZE, &[&at.0.to_be_bytes(), &operator.0])
}

pub(crate) fn owner(owner: &Address) -> Vec<u8> {
    key(0x15, &[&owner.0])
}

pub(crate) fn gateway(address: &Address) -> Vec<u8> {
    key(GATEWAYS, &[&address.0])
}

pub(crate) fn relay_key(relay: &RelayKey) -> Vec<u8> {
    key(0x17, &[&relay.0])
}

pub(crate) fn app(app: &Address) -> Vec<u8> {
    key(APPS, &[&app.0])
}

pub(crate) fn delegated(app: &Address, gateway: &Address, denom: &Denom) -> Vec<u8> {
    key(0x19, &[&app.0, &gateway.0, denom.as_str().as_bytes()])
}

pub(crate) fn roster(id: &ServiceId) -> Vec<u8> {
    key(0x20, &[id.as_str().as_bytes()])
}

pub(crate) fn roster_chunk(id: &ServiceId, chunk: u32) -> Vec<u8> {
    key(0x21, &[id.as_str().as_bytes(), &[0], &chunk.to_be_bytes()])
}

pub(crate) fn roster_spread(id: &ServiceId) -> Vec<u8> {
    key(0x22, &[id.as_str().as_bytes()])
}

pub(crate) fn session(id: &Digest) -> Vec<u8> {
    key(SESSIONS, &[&id.0])
}

pub(crate) fn claim(session: &Digest, operator: &Address) -> Vec<u8> {
    key(0x31, &[&session.0, &operator.0])
}

pub(crate) fn session_order(start: Height, id: &Digest) -> Vec<u8> {
    key(SESSION_ORDER, &[&(!start.0).to_be_bytes(), &id.0])
}

pub(crate) fn session_of(party: &Address, start: Height, id: &Digest) -> Vec<u8> {
    key(SESSIONS_OF, &[&party.0, &(!start.0).to_be_bytes(), &id.0])
}

/// All open sessions of a party, or of all.
pub(crate) fn sessions_of(party: Option<&Address>) -> (Vec<u8>, Vec<u8>) {
    party.map_or(all(SESSION_ORDER), |party| within(key(SESSIONS_OF, &[&party.0])))
}

/// The open sessions of a party that began at `start`.
pub(crate) fn sessions_of_start(party: &Address, start: Height) -> (Vec<u8>, Vec<u8>) {
    within(key(SESSIONS_OF, &[&party.0, &(!start.0).to_be_bytes()]))
}

pub(crate) fn to_settle(at: Height, id: &Digest) -> Vec<u8> {
    key(TO_SETTLE, &[&at.0.to_be_bytes(), &id.0])
}

pub(crate) fn to_return(at: Height, who: &Address) -> Vec<u8> {
    key(TO_RETURN, &[&at.0.to_be_bytes(), &who.0])
}

pub(crate) fn to_forget(at: Height, session: &Digest) -> Vec<u8> {
    key(TO_FORGET, &[&at.0.to_be_bytes(), &session.0])
}

pub(crate) fn seed(height: Height) -> Vec<u8> {
    key(SEEDS, &[&height.0.to_be_bytes()])
}

pub(crate) fn settled(session: &Digest, operator: &Address) -> Vec<u8> {
    key(SETTLED, &[&session.0, &operator.0])
}

/// The settled claims of one session.
pub(crate) fn settled_of(session: &Digest) -> (Vec<u8>, Vec<u8>) {
    within(key(SETTLED, &[&session.0]))
}

pub(crate) fn price(id: &ServiceId) -> Vec<u8> {
    key(0x70, &[id.as_str().as_bytes()])
}

pub(crate) fn demand(id: &ServiceId) -> Vec<u8> {
    key(0x71, &[id.as_str().as_bytes()])
}

pub(crate) fn price_point(id: &ServiceId, since: Height) -> Vec<u8> {
    key(PRICE_POINTS, &[id.as_str().as_bytes(), &[0], &(!since.0).to_be_bytes()])
}

/// The steps of a price that were taken before `before`, newest first.
pub(crate) fn price_points(id: &ServiceId, before: Height) -> (Vec<u8>, Vec<u8>) {
    let (_, end) = within(key(PRICE_POINTS, &[id.as_str().as_bytes(), &[0]]));
    (after(price_point(id, before)), end)
}

pub(crate) fn to_audit(at: Height, session: &Digest) -> Vec<u8> {
    key(TO_AUDIT, &[&at.0.to_be_bytes(), &session.0])
}

fn byte(round: Round) -> u8 {
    match round {
        Round::First => 1,
        Round::Second => 2,
    }
}

pub(crate) fn to_close(at: Height, start: Height, round: Round) -> Vec<u8> {
    key(TO_CLOSE, &[&at.0.to_be_bytes(), &start.0.to_be_bytes(), &[byte(round)]])
}

/// Which docket's round ends.
pub(crate) fn closing(key: &[u8]) -> Option<(Height, Round)> {
    let (start, round) = queued(key).split_first_chunk()?;
    let round = if round == [byte(Round::First)] { Round::First } else { Round::Second };
    Some((Height(u64::from_be_bytes(*start)), round))
}

pub(crate) fn audits_to_forget(at: Height, start: Height) -> Vec<u8> {
    key(AUDITS_TO_FORGET, &[&at.0.to_be_bytes(), &start.0.to_be_bytes()])
}

pub(crate) fn case(id: &Digest) -> Vec<u8> {
    key(0x80, &[&id.0])
}

pub(crate) fn case_of_session(session: &Digest, id: &Digest) -> Vec<u8> {
    key(CASES_OF_SESSION, &[&session.0, &id.0])
}

pub(crate) fn cases_of_session(session: &Digest) -> (Vec<u8>, Vec<u8>) {
    within(key(CASES_OF_SESSION, &[&session.0]))
}

pub(crate) fn case_of_supplier(operator: &Address, start: Height, id: &Digest) -> Vec<u8> {
    key(CASES_OF_SUPPLIER, &[&operator.0, &(!start.0).to_be_bytes(), &id.0])
}

pub(crate) fn cases_of_supplier(operator: &Address) -> (Vec<u8>, Vec<u8>) {
    within(key(CASES_OF_SUPPLIER, &[&operator.0]))
}

pub(crate) fn case_of_auditor(auditor: &Address, start: Height, id: &Digest) -> Vec<u8> {
    key(CASES_OF_AUDITOR, &[&auditor.0, &(!start.0).to_be_bytes(), &id.0])
}

pub(crate) fn cases_of_auditor(auditor: &Address) -> (Vec<u8>, Vec<u8>) {
    within(key(CASES_OF_AUDITOR, &[&auditor.0]))
}

pub(crate) fn docket(start: Height) -> Vec<u8> {
    key(0x84, &[&start.0.to_be_bytes()])
}

pub(crate) fn case_of_start(start: Height, id: &Digest) -> Vec<u8> {
    key(CASES_OF_START, &[&start.0.to_be_bytes(), &id.0])
}

/// The audits of one docket.
pub(crate) fn cases_of(start: Height) -> (Vec<u8>, Vec<u8>) {
    within(key(CASES_OF_START, &[&start.0.to_be_bytes()]))
}

pub(crate) fn commitment(
    start: Height,
    round: Round,
    auditor: &Address,
    audit: &Digest,
) -> Vec<u8> {
    key(COMMITMENTS, &[&start.0.to_be_bytes(), &[byte(round)], &auditor.0, &audit.0])
}

/// All commitments of a docket's round.
pub(crate) fn commitments_of(start: Height, round: Round) -> (Vec<u8>, Vec<u8>) {
    within(key(COMMITMENTS, &[&start.0.to_be_bytes(), &[byte(round)]]))
}

/// Whose commitment it is, and to which audit.
pub(crate) fn committed(key: &[u8]) -> Option<(Address, Digest)> {
    let (auditor, audit) = key.get(10..)?.split_first_chunk()?;
    Some((Address(*auditor), Digest(audit.try_into().ok()?)))
}

pub(crate) fn ticket(start: Height, round: Round, auditor: &Address) -> Vec<u8> {
    key(0x87, &[&start.0.to_be_bytes(), &[byte(round)], &auditor.0])
}

pub(crate) fn reputation(operator: &Address, service: &ServiceId) -> Vec<u8> {
    key(REPUTATIONS, &[&operator.0, service.as_str().as_bytes()])
}

/// What audits say of a supplier, for each of its services.
pub(crate) fn reputations_of(operator: &Address) -> (Vec<u8>, Vec<u8>) {
    within(key(REPUTATIONS, &[&operator.0]))
}

pub(crate) fn auditor(address: &Address) -> Vec<u8> {
    key(AUDITORS, &[&address.0])
}

pub(crate) fn pool(denom: &Denom) -> Vec<u8> {
    key(POOL, &[denom.as_str().as_bytes()])
}

pub(crate) fn ringer(operator: &Address, commitment: &Digest) -> Vec<u8> {
    key(RINGERS, &[&operator.0, &commitment.0])
}

pub(crate) fn ringers_of(operator: &Address) -> (Vec<u8>, Vec<u8>) {
    within(key(RINGERS, &[&operator.0]))
}

pub(crate) fn ringer_to_expire(at: Height, operator: &Address, commitment: &Digest) -> Vec<u8> {
    key(RINGERS_TO_EXPIRE, &[&at.0.to_be_bytes(), &operator.0, &commitment.0])
}

/// The ringer that a place in the queue is of.
pub(crate) fn ringer_of_queued(rest: &[u8]) -> Vec<u8> {
    key(RINGERS, &[rest])
}

pub(crate) fn probe(operator: &Address, commitment: &Digest) -> Vec<u8> {
    key(PROBES, &[&operator.0, &commitment.0])
}

pub(crate) fn probes_of(operator: &Address) -> (Vec<u8>, Vec<u8>) {
    within(key(PROBES, &[&operator.0]))
}

pub(crate) fn prober(operator: &Address) -> Vec<u8> {
    key(PROBERS, &[&operator.0])
}

pub(crate) fn probe_to_expire(at: Height, operator: &Address, commitment: &Digest) -> Vec<u8> {
    key(PROBES_TO_EXPIRE, &[&at.0.to_be_bytes(), &operator.0, &commitment.0])
}

/// The probe that a place in the queue is of.
pub(crate) fn probe_of_queued(rest: &[u8]) -> Vec<u8> {
    key(PROBES, &[rest])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_a_party_holds_its_sessions_and_no_others() {
        for party in [Address([0; 20]), Address([0xff; 20]), Address([7; 20])] {
            let (from, to) = sessions_of(Some(&party));
            for start in [Height(0), Height(u64::MAX)] {
                for id in [Digest([0; 32]), Digest([0xff; 32])] {
                    let key = session_of(&party, start, &id);
                    assert!(from <= key && key < to, "{party}");
                }
            }
            let other = Address([8; 20]);
            let key = session_of(&other, Height(1), &Digest([1; 32]));
            assert!(!(from <= key && key < to));
        }
    }
}
