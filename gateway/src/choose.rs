//! Which supplier of a session serves a request.
//!
//! The better of two that are drawn: random enough that no supplier is flooded because it looked
//! best a moment ago, and never the worst. The price is the same for all suppliers of a session,
//! so what counts is how soon an answer begins, how often one comes, and how busy it is.

use std::fmt;

/// What is known of a supplier that could serve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Smoothed time to the first byte in milliseconds; `None` when it was never asked.
    pub latency: Option<f64>,
    /// Smoothed part of requests that got an answer, 0 to 1.
    pub success: f64,
    /// Requests that run there.
    pub running: u32,
    pub standing: Standing,
}

/// Whether a supplier can be asked at all, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Ready,
    /// It failed and is left alone for a while.
    Resting,
    /// It has as many unacknowledged relays as the session's terms allow.
    Full,
    /// It failed this very request.
    Tried,
    /// What was acknowledged to it before a restart is not known yet.
    Recovering,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Standing::Ready => "ready",
            Standing::Resting => "failing, left alone for a while",
            Standing::Full => "at its bound of unacknowledged relays",
            Standing::Tried => "failed for this request",
            Standing::Recovering => "not heard of since the gateway started",
        })
    }
}

/// Milliseconds that a supplier is taken to need before it was asked: low, so that it is tried.
const LATENCY_UNKNOWN: f64 = 1.0;

/// A success rate is not taken to be lower than this: dividing by it must stay finite.
const SUCCESS_MIN: f64 = 0.05;

/// How long a request is expected to take to get going; less is better.
///
/// Latency grows with what runs there, and failures weigh twice: time is lost and tried again.
pub fn score(candidate: &Candidate) -> f64 {
    let latency = candidate.latency.unwrap_or(LATENCY_UNKNOWN).max(LATENCY_UNKNOWN);
    let success = candidate.success.clamp(SUCCESS_MIN, 1.0);
    latency * f64::from(candidate.running + 1) / (success * success)
}

/// The place of the one to ask, given two random numbers; `None` when nobody is ready.
pub fn choose(candidates: &[Candidate], dice: [u32; 2]) -> Option<usize> {
    let ready = || {
        let places = candidates.iter().enumerate();
        places.filter(|(_, c)| c.standing == Standing::Ready).map(|(place, _)| place)
    };
    let count = u32::try_from(ready().count()).ok().filter(|count| *count > 0)?;
    let first = dice[0] % count;
    let second = (first + 1 + dice[1] % count.saturating_sub(1).max(1)) % count;
    let first = ready().nth(first as usize)?;
    let second = ready().nth(second as usize)?;
    let better = score(&candidates[second]) < score(&candidates[first]);
    Some(if better { second } else { first })
}

/// Why nobody can be asked, for the client and the log.
pub fn explain(candidates: &[Candidate]) -> String {
    if candidates.is_empty() {
        return "its session has no supplier".to_owned();
    }
    let mut parts = Vec::new();
    for standing in [Standing::Tried, Standing::Resting, Standing::Full, Standing::Recovering] {
        let count = candidates.iter().filter(|c| c.standing == standing).count();
        if count > 0 {
            parts.push(format!("{count} of {} {standing}", candidates.len()));
        }
    }
    parts.join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use expect_test::expect;
    use proptest::prelude::*;

    const GOOD: Candidate =
        Candidate { latency: Some(50.0), success: 1.0, running: 0, standing: Standing::Ready };

    fn shares(candidates: &[Candidate]) -> Vec<u32> {
        let mut chosen = vec![0; candidates.len()];
        for a in 0..60 {
            for b in 0..60 {
                chosen[choose(candidates, [a, b]).unwrap()] += 1;
            }
        }
        chosen
    }

    #[test]
    fn the_worst_of_three_is_not_asked() {
        let slow = Candidate { latency: Some(500.0), ..GOOD };
        let broken = Candidate { success: 0.2, ..GOOD };
        let busy = Candidate { running: 9, ..GOOD };
        for worst in [slow, broken, busy] {
            let chosen = shares(&[GOOD, GOOD, worst]);
            assert_eq!(chosen[2], 0, "{worst:?}");
            assert!(chosen[0] > 1_000 && chosen[1] > 1_000, "{chosen:?}");
        }
    }

    #[test]
    fn equals_share_alike() {
        assert_eq!(shares(&[GOOD, GOOD, GOOD]), [1_200, 1_200, 1_200]);
    }

    #[test]
    fn a_supplier_that_was_never_asked_is_tried() {
        let fresh = Candidate { latency: None, ..GOOD };
        assert_eq!(choose(&[GOOD, fresh], [0, 0]), Some(1));
    }

    #[test]
    fn it_is_told_why_nobody_is_asked() {
        let no = |standing| Candidate { standing, ..GOOD };
        let all = [no(Standing::Tried), no(Standing::Resting), no(Standing::Resting)];
        assert_eq!(choose(&all, [0, 0]), None);
        expect!["1 of 3 failed for this request, 2 of 3 failing, left alone for a while"]
            .assert_eq(&explain(&all));
        expect!["its session has no supplier"].assert_eq(&explain(&[]));
    }

    proptest! {
        #[test]
        fn only_who_is_ready_is_asked(
            ready in prop::collection::vec(any::<bool>(), 0..8), dice: [u32; 2]
        ) {
            let candidates: Vec<Candidate> = ready.iter().map(|ready| Candidate {
                standing: if *ready { Standing::Ready } else { Standing::Full }, ..GOOD
            }).collect();
            match choose(&candidates, dice) {
                Some(place) => prop_assert!(ready[place]),
                None => prop_assert!(!ready.contains(&true)),
            }
        }
    }
}
