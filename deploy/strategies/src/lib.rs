//! Ways to earn without work, each played out by the chain's own rules, and what it returns.
//!
//! ```text
//! suite      all of them under one set of parameters
//! region     parameters that the chain accepts, at random and at their extremes
//! coalition  who deals with itself
//! career     suppliers that cheat, until they are convicted
//! bench      auditors that do not look, hide, skip or collude
//! price      who moves a price, and what that costs
//! stakes     one owner as many, and a name that is given up
//! dice       what happens next, from one integer
//! ```
//! What is cheated counts as if it cost nothing, and honest work as if it cost what it is paid: an
//! honest strategy returns nothing, so what returns more than nothing is worth trying.

pub mod bench;
pub mod career;
pub mod coalition;
pub mod dice;
pub mod price;
pub mod region;
pub mod stakes;
pub mod suite;

use serde::Serialize;

/// What one strategy came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Return {
    pub strategy: String,
    /// What was gained or lost, for each coin that was put in or at stake, in percent.
    pub percent: f64,
}

impl Return {
    pub fn of(strategy: impl Into<String>, gained: f64, invested: f64) -> Return {
        Return { strategy: strategy.into(), percent: 100.0 * gained / invested.max(1.0) }
    }
}

/// The best that each strategy came to over many parameters, in the order of their first appearance.
pub fn best(returns: Vec<Return>) -> Vec<Return> {
    let mut best: Vec<Return> = Vec::new();
    for one in returns {
        match best.iter_mut().find(|kept| kept.strategy == one.strategy) {
            Some(kept) => kept.percent = kept.percent.max(one.percent),
            None => best.push(one),
        }
    }
    best
}
