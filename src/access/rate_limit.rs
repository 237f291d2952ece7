//! How many requests a user may send.

use std::{num::NonZeroU32, time::Duration};

use poem::http::{HeaderName, HeaderValue};

use crate::contract::{Problem, ProblemCode};

/// Of draft-ietf-httpapi-ratelimit-headers-10: what is left.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Of the same: the limit.
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// How many requests a user may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests per second that can be kept up.
    pub per_second: NonZeroU32,
    /// Requests at once, after a pause.
    pub burst: NonZeroU32,
}

impl RateLimit {
    /// The seconds in which as many requests as the burst can be sent again.
    pub(super) fn window(self) -> u64 {
        u64::from(self.burst.get().div_ceil(self.per_second.get()))
    }

    /// A 429 that says when to retry, and the limit: its name, the requests at once, and the seconds in which as many can
    /// be sent again.
    pub(super) fn over(
        self,
        name: &str,
        wait: Duration,
        detail: impl FnOnce(u64) -> String,
    ) -> Problem {
        // Whole seconds, rounded up, so that a retry after them is not too early.
        let seconds = wait.as_nanos().div_ceil(1_000_000_000).max(1);
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        let (burst, window) = (self.burst, self.window());
        let problem = Problem::new(ProblemCode::RateLimited, detail(seconds));
        let mut problem = problem.retry_after(seconds);
        for (header, text) in [
            (
                RATE_LIMIT_POLICY,
                format!("\"{name}\";q={burst};w={window}"),
            ),
            (RATE_LIMIT, format!("\"{name}\";r=0;t={seconds}")),
        ] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                problem = problem.header(header, value);
            }
        }
        problem
    }
}
