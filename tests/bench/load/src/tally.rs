//! The answers of a measurement, and the figures made of them.

use std::{collections::BTreeMap, time::Duration};

#[derive(Default)]
pub struct Tally {
    /// Of answers as they should be, in µs.
    latencies: Vec<u32>,
    /// Of requests that were never answered: they count as slow, and not as answers.
    stalls: Vec<u32>,
    errors: BTreeMap<String, u64>,
}

impl Tally {
    pub fn answered(&mut self, after: Duration) {
        self.latencies.push(microseconds(after));
    }

    pub fn failed(&mut self, why: String) {
        *self.errors.entry(why).or_default() += 1;
    }

    pub fn stalled(&mut self, after: Duration) {
        self.stalls.push(microseconds(after));
    }

    /// The figures, as the harness reads them.
    pub fn report(&self, seconds: f64) -> serde_json::Value {
        let mut all = [self.latencies.as_slice(), &self.stalls].concat();
        all.sort_unstable();
        let percentile = |share: usize| {
            let at = (all.len() * share / 100).min(all.len().saturating_sub(1));
            all.get(at).map(|&us| f64::from(us) / 1000.0)
        };
        serde_json::json!({
            "mark": "end",
            "requests": self.latencies.len(),
            "rps": self.latencies.len() as f64 / seconds,
            "unanswered": self.stalls.len(),
            "errors": self.errors,
            "p50": percentile(50), "p95": percentile(95), "p99": percentile(99),
        })
    }
}

fn microseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Tally;

    #[test]
    fn what_was_never_answered_counts_as_slow() {
        let mut tally = Tally::default();
        for _ in 0..98 {
            tally.answered(Duration::from_millis(2));
        }
        tally.stalled(Duration::MAX);
        tally.stalled(Duration::MAX);
        tally.failed("503".to_owned());
        let report = tally.report(2.0);
        assert_eq!(report["rps"], 49.0);
        assert_eq!(report["p95"], 2.0);
        assert_eq!(report["p99"], f64::from(u32::MAX) / 1000.0);
        assert_eq!(report["errors"]["503"], 1);
    }
}
