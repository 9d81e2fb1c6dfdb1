//! The services that are sold, each with its open sessions.

use super::{Open, Place, Supplier};
use crate::choose::{Candidate, Standing, choose, explain};
use crate::count::Counter;
use crate::openai::Refusal;
use proto::service::{Service, ServiceId};
use proto::session::Session;
use proto::{Address, Cu, Digest, Height, Price};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

/// Why a service has no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// None was tried yet.
    Starting,
    /// There is no money for one.
    NoFunds(String),
    /// There is something else.
    Other(String),
}

/// A service that is sold.
pub struct Desk {
    pub service: Service,
    pub counter: Arc<dyn Counter>,
    price: RwLock<Price>,
    /// Newest first.
    sessions: RwLock<Vec<Arc<Open>>>,
    closed: Mutex<Closed>,
}

/// All services that are sold, and all suppliers that were met.
#[derive(Default)]
pub struct Market {
    desks: RwLock<BTreeMap<ServiceId, Arc<Desk>>>,
    suppliers: Mutex<BTreeMap<Address, Arc<Supplier>>>,
}

/// Places that are not to be asked for a request.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// They failed.
    pub operators: Vec<Address>,
    /// They did not take it, which may pass.
    pub places: Vec<(Digest, Address)>,
}

impl Market {
    /// The desk of a service.
    pub fn desk(&self, id: &ServiceId) -> Option<Arc<Desk>> {
        self.desks.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// All desks, by the names of their services.
    pub fn desks(&self) -> Vec<Arc<Desk>> {
        self.desks.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Sells a service; what was known of it as it was before goes on.
    pub fn list(&self, service: Service, counter: Arc<dyn Counter>, price: Price) {
        let mut desks = self.desks.write().unwrap_or_else(PoisonError::into_inner);
        let before = desks.get(&service.id);
        if let Some(desk) = before
            && desk.service == service
        {
            *desk.price.write().unwrap_or_else(PoisonError::into_inner) = price;
            return;
        }
        let desk = Desk {
            counter,
            price: RwLock::new(price),
            sessions: RwLock::new(before.map(|desk| desk.sessions()).unwrap_or_default()),
            closed: Mutex::new(Closed::Starting),
            service,
        };
        desks.insert(desk.service.id.clone(), Arc::new(desk));
    }

    /// What is known of a supplier.
    pub fn supplier(&self, operator: Address) -> Arc<Supplier> {
        let mut suppliers = self.suppliers.lock().unwrap_or_else(PoisonError::into_inner);
        suppliers.entry(operator).or_insert_with(|| Arc::new(Supplier::new(operator))).clone()
    }

    /// All open sessions of all services.
    pub fn sessions(&self) -> Vec<Arc<Open>> {
        self.desks().iter().flat_map(|desk| desk.sessions()).collect()
    }

    /// A session's places; `recovering` when a gateway may have used them before.
    pub fn places(&self, session: &Session, recovering: bool) -> Vec<Arc<Place>> {
        let seats = session.seats.iter().cloned();
        let place = |seat: proto::session::Seat| {
            let supplier = self.supplier(seat.operator);
            Arc::new(Place::new(seat, supplier, recovering))
        };
        seats.map(place).collect()
    }
}

impl Desk {
    /// The price that the next session opens with, as it is known.
    pub fn price(&self) -> Price {
        *self.price.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The open sessions, newest first.
    pub fn sessions(&self) -> Vec<Arc<Open>> {
        self.sessions.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest session that serves at `height`.
    pub fn current(&self, height: Height) -> Option<Arc<Open>> {
        let sessions = self.sessions.read().unwrap_or_else(PoisonError::into_inner);
        sessions.iter().find(|open| open.serves(height)).cloned()
    }

    /// Whether the session that starts at `start` is open.
    pub fn has(&self, start: Height) -> bool {
        let sessions = self.sessions.read().unwrap_or_else(PoisonError::into_inner);
        sessions.iter().any(|open| open.session.start == start)
    }

    /// Opens a session here.
    pub fn open(&self, open: Arc<Open>) {
        let mut sessions = self.sessions.write().unwrap_or_else(PoisonError::into_inner);
        if sessions.iter().all(|other| other.session.id != open.session.id) {
            sessions.push(open);
            sessions.sort_by_key(|open| std::cmp::Reverse(open.session.start));
        }
    }

    /// Lets go of sessions of which nothing runs and nothing is owed, or whose claims are closed.
    pub fn retire(&self, height: Height) {
        let mut sessions = self.sessions.write().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|open| {
            let square = |place: &Arc<Place>| !place.is_recovering() && place.tab().is_square();
            let quiet = height >= open.session.serve_window().end && open.places.iter().all(square);
            !quiet && height < open.session.claim_window().end
        });
    }

    /// Why there is no session.
    pub fn closed(&self) -> Closed {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes why there is no session.
    pub fn set_closed(&self, why: Closed) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// A place for a request at `height`, in the newest session that has one, and what is set aside
    /// there for it.
    pub fn pick(
        &self,
        height: Height,
        weigh: impl Fn(&Session) -> Option<Cu>,
        tried: &Tried,
        dice: [u32; 2],
        now: Instant,
    ) -> Result<Picked, Refusal> {
        let mut why = None;
        for open in self.sessions().into_iter().filter(|open| open.serves(height)) {
            let candidates: Vec<Candidate> =
                open.places.iter().map(|place| candidate(&open, place, tried, now)).collect();
            let Some(place) = choose(&candidates, dice) else {
                let model = self.service.id.to_string();
                let reason = explain(&candidates);
                why.get_or_insert(Refusal::NoSupplier { model, reason });
                continue;
            };
            let Some(max_cu) = weigh(&open.session) else {
                let reason = "the request weighs more than can be counted".to_owned();
                return Err(Refusal::Invalid { reason, param: Some("max_tokens"), code: None });
            };
            match open.budget.reserve(max_cu) {
                Ok(hold) => {
                    let place = open.places[place].clone();
                    return Ok(Picked { open, place, max_cu, hold });
                }
                Err(short) => {
                    why = Some(Refusal::GatewaySpent {
                        reason: format!(
                            "the session's budget has {} compute units left, but {} may be needed; the next session opens at height {}",
                            short.left, short.needed, open.session.end
                        ),
                    });
                }
            }
        }
        Err(why.unwrap_or_else(|| self.no_session()))
    }

    fn no_session(&self) -> Refusal {
        let model = self.service.id.to_string();
        match self.closed() {
            Closed::NoFunds(reason) => Refusal::GatewaySpent { reason },
            Closed::Other(reason) => Refusal::NoSupplier { model, reason },
            Closed::Starting => {
                Refusal::NoSupplier { model, reason: "its session is being opened".to_owned() }
            }
        }
    }
}

/// A place for a request.
#[derive(Debug)]
pub struct Picked {
    pub open: Arc<Open>,
    pub place: Arc<Place>,
    pub max_cu: Cu,
    pub hold: crate::purse::Reservation<Cu>,
}

fn candidate(open: &Open, place: &Arc<Place>, tried: &Tried, now: Instant) -> Candidate {
    let operator = place.seat.operator;
    let bound = open.session.terms.inflight_max as usize;
    let standing = if tried.operators.contains(&operator)
        || tried.places.contains(&(open.session.id, operator))
    {
        Standing::Tried
    } else if place.is_recovering() {
        Standing::Recovering
    } else if place.tab().unacknowledged() >= bound {
        Standing::Full
    } else {
        Standing::Ready
    };
    place.supplier.candidate(standing, now)
}
