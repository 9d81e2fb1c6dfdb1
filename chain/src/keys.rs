//! Where everything is kept. Each component has a prefix; numbers are big-endian, so that ranges
//! are in order.
//!
//! ```text
//! 01            parameters                 02 authority            03 parameters to come
//! 04            epoch                      05 longest liability    06 number of services
//! 10 id         service                    11 id   service to come
//! 12 operator   supplier as registered     13 operator   as frozen for the session
//! 14 operator   changed in this session    15 owner      its operators and their stake
//! 16 gateway    gateway                    17 relay key  whose it is
//! 18 app        escrow and delegations
//! 20 id         roster's index             21 id chunk   part of a roster
//! 30 session    session                    31 session operator   claim
//! 32 start id   open sessions, the newest first
//! 40 height id  sessions to settle         41 height address     stakes to return
//! 42 height id operator   settled claims to forget
//! 50 height     seed                       60 session operator   settled claim
//! 70 id         price                      71 id   demand since the last step
//! ```

use proto::keys::RelayKey;
use proto::service::ServiceId;
use proto::{Address, Digest, Height};

pub(crate) const PARAMS: [u8; 1] = [0x01];
pub(crate) const AUTHORITY: [u8; 1] = [0x02];
pub(crate) const PARAMS_TO_COME: [u8; 1] = [0x03];
pub(crate) const EPOCH: [u8; 1] = [0x04];
pub(crate) const LIABLE: [u8; 1] = [0x05];
pub(crate) const SERVICE_COUNT: [u8; 1] = [0x06];

pub(crate) const SERVICES: u8 = 0x10;
pub(crate) const SERVICES_TO_COME: u8 = 0x11;
pub(crate) const SUPPLIERS: u8 = 0x12;
pub(crate) const CHANGED: u8 = 0x14;
pub(crate) const GATEWAYS: u8 = 0x16;
pub(crate) const APPS: u8 = 0x18;
pub(crate) const SESSIONS: u8 = 0x30;
pub(crate) const SESSION_ORDER: u8 = 0x32;
pub(crate) const TO_SETTLE: u8 = 0x40;
pub(crate) const TO_RETURN: u8 = 0x41;
pub(crate) const TO_FORGET: u8 = 0x42;

fn key(prefix: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![prefix];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

/// All keys that begin with `prefix`.
pub(crate) fn all(prefix: u8) -> (Vec<u8>, Vec<u8>) {
    (vec![prefix], vec![prefix + 1])
}

/// All keys of `prefix` with heights up to `height`, inclusive.
pub(crate) fn until(prefix: u8, height: Height) -> (Vec<u8>, Vec<u8>) {
    (vec![prefix], key(prefix, &[&height.plus(1).0.to_be_bytes()]))
}

/// The smallest key after `key`.
pub(crate) fn after(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

pub(crate) fn service(id: &ServiceId) -> Vec<u8> {
    key(SERVICES, &[id.as_str().as_bytes()])
}

pub(crate) fn service_to_come(id: &ServiceId) -> Vec<u8> {
    key(SERVICES_TO_COME, &[id.as_str().as_bytes()])
}

pub(crate) fn supplier(operator: &Address) -> Vec<u8> {
    key(SUPPLIERS, &[&operator.0])
}

pub(crate) fn frozen(operator: &Address) -> Vec<u8> {
    key(0x13, &[&operator.0])
}

pub(crate) fn changed(operator: &Address) -> Vec<u8> {
    key(CHANGED, &[&operator.0])
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

pub(crate) fn roster(id: &ServiceId) -> Vec<u8> {
    key(0x20, &[id.as_str().as_bytes()])
}

pub(crate) fn roster_chunk(id: &ServiceId, chunk: u32) -> Vec<u8> {
    key(0x21, &[id.as_str().as_bytes(), &[0], &chunk.to_be_bytes()])
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

pub(crate) fn to_settle(at: Height, id: &Digest) -> Vec<u8> {
    key(TO_SETTLE, &[&at.0.to_be_bytes(), &id.0])
}

pub(crate) fn to_return(at: Height, who: &Address) -> Vec<u8> {
    key(TO_RETURN, &[&at.0.to_be_bytes(), &who.0])
}

pub(crate) fn to_forget(at: Height, session: &Digest, operator: &Address) -> Vec<u8> {
    key(TO_FORGET, &[&at.0.to_be_bytes(), &session.0, &operator.0])
}

pub(crate) fn seed(height: Height) -> Vec<u8> {
    key(0x50, &[&height.0.to_be_bytes()])
}

pub(crate) fn settled(session: &Digest, operator: &Address) -> Vec<u8> {
    key(0x60, &[&session.0, &operator.0])
}

pub(crate) fn price(id: &ServiceId) -> Vec<u8> {
    key(0x70, &[id.as_str().as_bytes()])
}

pub(crate) fn demand(id: &ServiceId) -> Vec<u8> {
    key(0x71, &[id.as_str().as_bytes()])
}
