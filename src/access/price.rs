//! What a request costs, at every door. What is known before is charged before; what was read is charged when it is known.

use std::num::NonZeroU32;

use poem::http::HeaderMap;

use crate::{
    contract::{SearchText, length_of_body},
    in_flight::Kind,
    store::Work,
};

/// What a request costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Price {
    /// In requests of the [`RateLimit`](super::RateLimit).
    requests: NonZeroU32,
    /// What it reads, which bounds how many of a user run at once.
    pub(super) reads: Kind,
}

impl Price {
    /// A request that reads or writes one task.
    pub(crate) const ONE: Self = Self {
        requests: NonZeroU32::MIN,
        reads: Kind::Tasks,
    };

    /// A request that reads one page of tasks. What it reads is charged as [its work](of_work).
    pub(crate) const PAGE: Self = Self {
        requests: NonZeroU32::MIN,
        reads: Kind::Page,
    };

    /// A request that reads all texts of the user.
    pub(crate) const ALL_TEXTS: Self = Self {
        requests: NonZeroU32::MIN,
        reads: Kind::AllTexts,
    };

    /// A list: with a text that is searched for, all texts of the user are read.
    pub(crate) fn of_list(searched: Option<&SearchText>) -> Self {
        searched.map_or(Self::PAGE, |_| Self::ALL_TEXTS)
    }

    /// A request that does the work of this many.
    pub(crate) fn of_items(items: usize) -> Self {
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        Self {
            requests: NonZeroU32::new(items).unwrap_or(NonZeroU32::MIN),
            reads: Kind::Tasks,
        }
    }

    /// What is left to pay once one request has been counted.
    pub(super) fn after_the_first(self) -> u32 {
        self.requests.get() - 1
    }
}

/// What a request counts before anything of it is done: itself and its body, which is read and parsed.
pub(super) fn of_request(headers: &HeaderMap) -> NonZeroU32 {
    let body = length_of_body(headers) as u64 / JSON;
    NonZeroU32::MIN.saturating_add(u32::try_from(body).unwrap_or(u32::MAX))
}

/// What looking through so many stored bytes costs: some 1 to 2 ms of a core, as a request of one task does with all that
/// belongs to it.
const SCANNED: u64 = 2 << 20;
/// Reading so many tasks takes about as long.
const TASKS: u64 = 100;
/// So does reading so many bytes of JSON, from a client or from the database.
const JSON: u64 = 256 << 10;

/// What was read for a request, in requests: those that count besides the one that was counted with the token.
pub(super) fn of_work(work: Work) -> Option<NonZeroU32> {
    let Work {
        scanned,
        tasks,
        json,
    } = work;
    let requests = scanned / SCANNED + tasks.saturating_sub(1) / TASKS + json / JSON;
    NonZeroU32::new(u32::try_from(requests).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use poem::http::{HeaderMap, HeaderValue, header};

    use super::{NonZeroU32, Work, of_request, of_work};

    #[test]
    fn a_body_counts_before_it_is_read() {
        for (header, value, requests) in [
            (header::ACCEPT, "*/*", 1),
            (header::CONTENT_LENGTH, "262143", 1),
            (header::CONTENT_LENGTH, "262144", 2),
            (header::CONTENT_LENGTH, "1048576", 5),
            // One that does not tell its length may be the largest.
            (header::TRANSFER_ENCODING, "chunked", 5),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(&header, HeaderValue::from_static(value));
            assert_eq!(of_request(&headers).get(), requests, "{header}: {value}");
        }
    }

    #[test]
    fn a_usual_read_counts_nothing_more() {
        let requests = |scanned, tasks, json| {
            let work = Work {
                scanned,
                tasks,
                json,
            };
            of_work(work).map_or(0, NonZeroU32::get)
        };
        assert_eq!(requests((2 << 20) - 1, 100, (256 << 10) - 1), 0);
        assert_eq!(requests(2 << 20, 100, 0), 1);
        assert_eq!(requests(0, 101, 0), 1);
        assert_eq!(requests(0, 0, 256 << 10), 1);
        // The most that a user stores, searched.
        assert_eq!(requests(64 << 20, 100, 0), 32);
        assert_eq!(requests(u64::MAX, 0, 0), u32::MAX);
    }
}
