//! What a supplier signs of a relay.

use proto::keys::RelaySecret;
use proto::relay::{Receipt, RelayRequest, Signable, Signed, Status};
use proto::transcript::Commitment;
use proto::usage::CuWeights;
use proto::{Cu, Digest, Time, Usage};

/// When a relay was where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub started_at: Time,
    /// When the first of the answer came; zero if nothing did.
    pub first_token_at: Time,
    pub finished_at: Time,
}

/// How a relay went, as far as it got.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    pub status: Status,
    /// What was counted.
    pub usage: Usage,
    pub answer: Commitment,
    /// Commitment to the evidence of which model ran; zeros: none.
    pub evidence_root: Digest,
    pub times: Times,
}

/// The part of `usage` that weighs `max` at most: output first goes, then the prompt. What is billed
/// must be whole tokens, and never more than was asked for.
pub fn within(weights: CuWeights, usage: Usage, max: Cu) -> (Usage, Cu) {
    let mut part = Usage::default();
    let mut left = max.0;
    let kinds = [
        (usage.fresh_in, weights.fresh_in, &mut part.fresh_in),
        (usage.cached_in, weights.cached_in, &mut part.cached_in),
        (usage.out, weights.out, &mut part.out),
    ];
    for (tokens, weight, kept) in kinds {
        let fit = left.checked_div(u64::from(weight)).unwrap_or(u64::MAX);
        *kept = tokens.min(fit);
        left -= *kept * u64::from(weight);
    }
    (part, Cu(max.0 - left))
}

/// The signed receipt of a relay.
pub fn sign(
    secret: &RelaySecret,
    request: &RelayRequest,
    weights: CuWeights,
    outcome: &Outcome,
) -> Signed<Receipt> {
    let (usage, cu) = match outcome.status {
        Status::Failed => (Usage::default(), Cu(0)),
        Status::Completed | Status::Cut => within(weights, outcome.usage, request.max_cu),
    };
    let receipt = Receipt {
        session_id: request.session_id,
        relay_id: request.relay_id,
        request_digest: request.request_digest,
        response_root: outcome.answer.root,
        chunk_count: outcome.answer.chunk_count,
        usage,
        cu,
        status: outcome.status,
        started_at: outcome.times.started_at,
        first_token_at: outcome.times.first_token_at,
        finished_at: outcome.times.finished_at,
        evidence_root: outcome.evidence_root,
    };
    receipt.sign(secret)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_billed_fits_and_weighs_what_it_says(
            tokens in prop::array::uniform3(0u64..1 << 40),
            weights in prop::array::uniform3(0u32..1 << 20),
            max in 0u64..1 << 50,
        ) {
            let [fresh_in, cached_in, out] = weights;
            let weights = CuWeights { fresh_in, cached_in, out };
            let [fresh_in, cached_in, out] = tokens;
            let usage = Usage { fresh_in, cached_in, out };
            let (part, cu) = within(weights, usage, Cu(max));
            prop_assert_eq!(weights.weigh(part).unwrap(), cu);
            prop_assert!(cu <= Cu(max));
            let whole = weights.weigh(usage).unwrap();
            prop_assert_eq!(part == usage, whole <= Cu(max));
        }
    }
}
