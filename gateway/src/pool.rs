//! Services, their open sessions and the suppliers in them.
//!
//! ```text
//! Market -- Desk (a service) -- Open (a session, its budget) -- Place (a seat, its tab)
//!                                                                  |
//!                                                   Supplier (its health, over sessions)
//! ```

mod desk;
mod supplier;

pub use desk::{Closed, Desk, Market, Picked, Tried};
pub use supplier::{Busy, Supplier};

use crate::books::Running;
use crate::purse::{Due, Purse, Reservation};
use crate::tab::Tab;
use http::Uri;
use proto::session::{Seat, Session};
use proto::{Cu, Height};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An open session.
#[derive(Debug)]
pub struct Open {
    pub session: Session,
    /// What the budget still buys, over all suppliers together: each of them may serve all of it,
    /// and the app pays it once.
    pub budget: Arc<Purse<Cu>>,
    pub places: Vec<Arc<Place>>,
}

/// A supplier's seat in an open session.
#[derive(Debug)]
pub struct Place {
    pub seat: Seat,
    pub supplier: Arc<Supplier>,
    tab: Mutex<Tab>,
    /// Whether it is not known yet what the miner remembers.
    recovering: AtomicBool,
    /// Whether a task sends acknowledgements.
    pub(crate) acking: AtomicBool,
    /// Relays that ran when the gateway was stopped, with what is set aside for them.
    pub(crate) dead: Mutex<Vec<Dead>>,
}

/// A relay that ran when the gateway was stopped.
#[derive(Debug)]
pub struct Dead {
    pub running: Running,
    pub key_hold: Option<Reservation<Due>>,
    pub budget_hold: Reservation<Cu>,
}

impl Open {
    /// Whether relays may start at `height`.
    pub fn serves(&self, height: Height) -> bool {
        self.session.serve_window().contains(&height)
    }
}

impl Place {
    /// A seat of a session; `recovering` when a gateway may have used it before.
    pub fn new(seat: Seat, supplier: Arc<Supplier>, recovering: bool) -> Place {
        Place {
            seat,
            supplier,
            tab: Mutex::default(),
            recovering: AtomicBool::new(recovering),
            acking: AtomicBool::new(false),
            dead: Mutex::default(),
        }
    }

    /// The tab, for a moment.
    pub fn tab(&self) -> MutexGuard<'_, Tab> {
        // A tab is whole after each step, so a panic elsewhere leaves it right.
        self.tab.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is not known yet what the miner remembers.
    pub fn is_recovering(&self) -> bool {
        self.recovering.load(Ordering::Acquire)
    }

    /// Notes whether it is known what the miner remembers. Gives what was noted before.
    pub fn set_recovering(&self, recovering: bool) -> bool {
        self.recovering.swap(recovering, Ordering::AcqRel)
    }

    /// The address of `path` at the supplier's relay miner; none when the endpoint is no address.
    pub fn uri(&self, path: &str) -> Option<Uri> {
        format!("{}{path}", self.seat.endpoint.trim_end_matches('/')).parse().ok()
    }
}
