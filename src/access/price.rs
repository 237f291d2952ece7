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

    /// A request that does the work of this many. It has a turn, since it may have to look for room for them.
    pub(crate) fn of_items(items: usize) -> Self {
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        Self {
            requests: NonZeroU32::new(items).unwrap_or(NonZeroU32::MIN),
            reads: Kind::Page,
        }
    }

    /// What is left to pay once one request has been counted, in thousandths of a request.
    pub(super) fn after_the_first(self) -> u64 {
        u64::from(self.requests.get() - 1) * REQUEST
    }
}

/// What a request counts before anything of it is done: itself and its body, which is read and parsed.
pub(super) fn of_request(headers: &HeaderMap) -> NonZeroU32 {
    let body = length_of_body(headers) as u64 / TEXTS;
    NonZeroU32::MIN.saturating_add(u32::try_from(body).unwrap_or(u32::MAX))
}

/// What looking through so many stored bytes costs: some 1 to 2 ms of a core, as a request of one task does with all that
/// belongs to it.
const SCANNED: u64 = 2 << 20;
/// So does looking at so many rows, however small, or passing over them.
const ROWS: u64 = 2_000;
/// Reading so many tasks takes about as long.
const TASKS: u64 = 100;
/// So does reading so many bytes of texts, from a client or from the database.
const TEXTS: u64 = 256 << 10;

/// So many milliseconds of a search that takes unusually long. So a user who sends nothing else has a twentieth of a core at
/// 50 requests a second.
const LATE: u64 = 1;

/// A request, in thousandths.
pub(super) const REQUEST: u64 = 1_000;
/// A further page in one answer costs this beside what is read: a statement, and often a part of its own.
pub(super) const FURTHER_PAGE: u64 = REQUEST / 10;

/// What was read, in thousandths of a request.
pub(super) fn of_work(work: Work) -> u64 {
    let Work {
        scanned,
        rows,
        tasks,
        texts,
        late,
    } = work;
    let late = u64::try_from(late.as_millis()).unwrap_or(u64::MAX);
    let of = |amount: u64, of_one: u64| amount.saturating_mul(REQUEST) / of_one;
    of(scanned, SCANNED)
        .saturating_add(of(rows, ROWS))
        .saturating_add(of(tasks, TASKS))
        .saturating_add(of(texts, TEXTS))
        .saturating_add(of(late, LATE))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use poem::http::{HeaderMap, HeaderValue, header};

    use super::{REQUEST, Work, of_request, of_work};

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
    fn what_is_read_counts_by_its_parts() {
        let cost = |scanned, tasks, texts| {
            of_work(Work {
                scanned,
                rows: 0,
                tasks,
                texts,
                late: Duration::ZERO,
            })
        };
        // A usual list is paid for by its request: 50 tasks of 500 bytes, among 500 kB.
        assert!(cost(500_000, 50, 25_000) < REQUEST);
        assert_eq!(cost(2 << 20, 0, 0), REQUEST);
        assert_eq!(cost(0, 100, 0), REQUEST);
        assert_eq!(cost(0, 0, 256 << 10), REQUEST);
        let rows = Work {
            rows: 10_000,
            ..Work::default()
        };
        assert_eq!(of_work(rows), 5 * REQUEST);
        // A quarter of a long list counts as a quarter.
        assert_eq!(cost(0, 25, 64 << 10), REQUEST / 2);
        // The most that a user stores, searched.
        assert_eq!(cost(64 << 20, 0, 0), 32 * REQUEST);
        assert!(cost(u64::MAX, u64::MAX, u64::MAX) > u64::from(u32::MAX));
    }
}
