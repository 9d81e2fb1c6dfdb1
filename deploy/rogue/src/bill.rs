//! A relay miner's count that says more than was delivered.

use relayminer::count::{BadBody, Count, Counter, Counters, Ending, Endpoint, Need};
use std::sync::Arc;

/// How many tokens are billed for each.
const TIMES: u64 = 2;

/// Counts by which each token of an answer is billed as two, as far as it was reserved.
pub fn inflated(honest: Counters) -> Counters {
    let inflated = |counter| Arc::new(Inflated(counter)) as Arc<dyn Counter>;
    honest.into_iter().map(|(listed, counter)| (listed, inflated(counter))).collect()
}

struct Inflated(Arc<dyn Counter>);

struct InflatedCount(Box<dyn Count>);

impl Counter for Inflated {
    fn begin(&self, endpoint: Endpoint, body: &[u8]) -> Result<(Need, Box<dyn Count>), BadBody> {
        let (need, count) = self.0.begin(endpoint, body)?;
        Ok((need, Box::new(InflatedCount(count))))
    }
}

impl Count for InflatedCount {
    fn push(&mut self, bytes: &[u8]) {
        self.0.push(bytes);
    }

    fn out(&mut self) -> u64 {
        TIMES * self.0.out()
    }

    fn ending(&mut self) -> Ending {
        self.0.ending()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn each_token_is_billed_as_two() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lode/models/lode-demo");
        let honest = relayminer::count::load(&[folder]).unwrap();
        let out = |counters: &Counters| {
            let counter = counters.values().next().unwrap();
            let body = br#"{"model":"m","prompt":"Hello","max_tokens":40}"#;
            let (_, mut count) = counter.begin(Endpoint::Completions, body).unwrap();
            count.push(br#"{"choices":[{"text":"one two three","finish_reason":"stop"}]}"#);
            (count.out(), count.ending())
        };
        let (counted, ending) = out(&honest);
        assert!(counted > 0);
        assert_eq!(out(&inflated(honest)), (2 * counted, ending));
    }
}
