//! What a relay miner owes the chain. Asked anew at every block: a restart changes nothing.
//!
//! ```text
//!        claim window                 reveal     proof window        settle
//!  ------[----------------------------)[---------[-----------)--------|----------
//!        Claim when nothing runs,      FindClaim  Prove if    FindSettled   Forget
//!        or when it is late            Reveal     drawn
//! ```

use crate::book::{Book, End};
use crate::tree::select;
use proto::claim::must_prove;
use proto::{Cu, Digest, Height};

/// Blocks before the claim window closes in which a session is claimed though relays of it run: a
/// transaction takes a block or two, and may be lost once. What ends later replaces the claim.
pub const LATEST_CLAIM: u64 = 4;

/// Something to do for one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Duty {
    /// Claim what is earned, or replace the claim by one that is worth more.
    Claim(Digest),
    /// Ask whether a claim that was sent is on the chain.
    FindClaim(Digest),
    /// Ask for the seed that says what must be proven.
    Reveal(Digest, Height),
    /// Prove the claim.
    Prove(Digest),
    /// Ask what became of the claim.
    FindSettled(Digest),
    /// Note that nothing was claimed.
    Close(Digest),
    /// Remove the book.
    Forget(Digest),
}

impl Duty {
    /// The session.
    pub fn session_id(&self) -> Digest {
        match self {
            Duty::Claim(id)
            | Duty::FindClaim(id)
            | Duty::Reveal(id, _)
            | Duty::Prove(id)
            | Duty::FindSettled(id)
            | Duty::Close(id)
            | Duty::Forget(id) => *id,
        }
    }
}

/// What is due when the last block is at height `at`: what is sent comes into the next one at the
/// earliest. Books are kept `keep` blocks after their end.
pub fn duties<'a>(books: impl IntoIterator<Item = &'a Book>, at: Height, keep: u64) -> Vec<Duty> {
    books.into_iter().filter_map(|book| duty(book, at, keep)).collect()
}

/// What is due for one session.
pub fn duty(book: &Book, at: Height, keep: u64) -> Option<Duty> {
    let session = book.session();
    let (id, next) = (session.id, at.plus(1));
    if let Some(end) = book.end() {
        return (at >= end.height().plus(keep)).then_some(Duty::Forget(id));
    }
    // Until the window's first block is there, relays may still start.
    if at < session.claim_window().start {
        return None;
    }
    if session.claim_window().contains(&next) {
        let late = next.plus(LATEST_CLAIM) >= session.claim_window().end;
        let ready = book.running() == 0 || late;
        return (ready && owes_claim(book)).then_some(Duty::Claim(id));
    }
    let Some((root, _)) = book.included() else {
        // What was sent last may be in the last block of the window.
        let over = at >= session.claim_window().end;
        let open = if book.claims().is_empty() { Duty::Close(id) } else { Duty::FindClaim(id) };
        return over.then_some(open);
    };
    if at >= session.settle_height() {
        return Some(Duty::FindSettled(id));
    }
    let Some(seed) = book.drawn() else {
        return (at >= session.reveal_height())
            .then_some(Duty::Reveal(id, session.reveal_height()));
    };
    let drawn = must_prove(session, &root, &book.opened().operator, &seed);
    let due = drawn && book.shown().is_none() && session.proof_window().contains(&next);
    due.then_some(Duty::Prove(id))
}

/// Whether more is earned than is claimed.
fn owes_claim(book: &Book) -> bool {
    let claimed = book.included().map_or(Cu(0), |(root, _)| root.sum);
    book.booked() > claimed && select(book).sum > claimed
}

impl End {
    /// The height at which the session was over.
    pub fn height(&self) -> Height {
        match self {
            End::Settled(settled) => settled.height,
            End::Unclaimed(height) => *height,
        }
    }
}

#[cfg(test)]
mod tests;
