//! The keys of one issuer's key set, fetched in the background by one task.
//!
//! Only this task fetches. So an unknown key costs one fetch, however many requests ask for it, and a client
//! that hangs up cancels nothing.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::ensure;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout_at},
};
use url::Url;

use super::{
    fetch::Fetcher,
    jwk,
    key::{self, Alg, Choice, Key},
    settings::without_secrets,
};
use crate::telemetry::{KeySetInstruments, Outcome};

/// After the first failed fetch; doubles with each further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);
/// While there are no keys at all, so that an issuer started after the server is found within a second.
const MAX_BACKOFF_WITHOUT_KEYS: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// A key set that keeps itself fresh until it is dropped.
pub(super) struct KeySet {
    shared: Arc<KeySetState>,
    task: JoinHandle<()>,
}

struct KeySetState {
    keys: RwLock<Arc<[Arc<Key>]>>,
    progress: watch::Sender<Progress>,
    asked: Notify,
    instruments: Arc<KeySetInstruments>,
}

/// What the task has done so far.
#[derive(Clone, Copy)]
struct Progress {
    finished: u64,
    in_flight: bool,
    /// When an unknown key may cause the next fetch.
    asks_from: Instant,
    /// Whether the last fetch failed, so that an unknown key may be a good one.
    failed: bool,
}

/// How often to fetch.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// Between two fetches that succeed.
    pub(super) ttl: Duration,
    /// Between two fetches that unknown keys cause. Regular fetches do not count, so that a key made just after one
    /// of them is found at once.
    pub(super) cooldown: Duration,
    /// How long keys are used after the last fetch that succeeded.
    pub(super) max_stale: Duration,
}

impl KeySet {
    /// Starts fetching; must be called within a tokio runtime.
    pub(super) fn start(url: Url, pace: Pace) -> anyhow::Result<KeySet> {
        ensure!(
            !pace.ttl.is_zero(),
            "the key set's time to live must not be zero"
        );
        let shown = without_secrets(&url);
        let fetcher = Fetcher::new(url)?;
        let now = Instant::now();
        let progress = Progress {
            finished: 0,
            in_flight: true,
            asks_from: now,
            failed: false,
        };
        let shared = Arc::new(KeySetState {
            keys: RwLock::new(Arc::new([])),
            progress: watch::Sender::new(progress),
            asked: Notify::new(),
            instruments: Arc::default(),
        });
        let task = tokio::spawn(shared.clone().keep_fresh(fetcher, shown, pace));
        Ok(KeySet { shared, task })
    }

    /// What is counted of it.
    pub(super) fn instruments(&self) -> &Arc<KeySetInstruments> {
        &self.shared.instruments
    }

    /// The keys that fit, as far as they are known now.
    pub(super) fn choose(&self, kid: Option<&str>, alg: Alg) -> Choice {
        key::choose(&self.shared.keys(), kid, alg)
    }

    /// Whether no usable key was ever fetched, or the last fetch failed: then nothing can be said
    /// about a key that is not known.
    pub(super) fn is_uncertain(&self) -> bool {
        self.shared.progress.borrow().failed || self.is_missing()
    }

    /// Whether there is no usable key.
    pub(super) fn is_missing(&self) -> bool {
        self.shared.keys().is_empty()
    }

    /// Waits for the fetch that is under way, or asks for one and waits for that, not longer than until `deadline`. `Not`
    /// comes at once if neither is there because of the cool-down or the back-off.
    pub(super) async fn look_again(&self, deadline: Instant) -> Looked {
        let mut progress = self.shared.progress.subscribe();
        let seen = *progress.borrow_and_update();
        if !seen.in_flight {
            if Instant::now() < seen.asks_from {
                return Looked::Not;
            }
            self.shared.asked.notify_one();
        }
        let finished = progress.wait_for(|now| now.finished > seen.finished);
        match timeout_at(deadline, finished).await {
            Ok(Ok(_)) => Looked::Done,
            Ok(Err(_)) => Looked::Not,
            Err(_) => Looked::StillWaiting,
        }
    }
}

/// What became of another look at a key set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    /// A fetch has ended.
    Done,
    /// None was due.
    Not,
    /// The time was over before the fetch.
    StillWaiting,
}

impl Drop for KeySet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl KeySetState {
    fn keys(&self) -> Arc<[Arc<Key>]> {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Stale keys stay while fetching fails, until they are too old.
    async fn keep_fresh(self: Arc<Self>, fetcher: Fetcher, url: Url, pace: Pace) {
        let (mut failures, mut was_asked) = (0u32, false);
        let mut stale_from = Instant::now() + pace.max_stale;
        loop {
            self.progress
                .send_modify(|progress| progress.in_flight = true);
            let fetched = self.fetch(&fetcher).await;
            self.count(fetched.is_ok());
            let now = Instant::now();
            let (pause, quiet) = match &fetched {
                Ok(()) => {
                    if failures > 0 {
                        tracing::info!(%url, "key set is there again");
                    }
                    failures = 0;
                    stale_from = now + pace.max_stale;
                    (
                        pace.ttl,
                        if was_asked {
                            pace.cooldown
                        } else {
                            Duration::ZERO
                        },
                    )
                }
                Err(why) => {
                    // One line each time the number of failures has doubled.
                    if failures.is_power_of_two() || failures == 0 {
                        tracing::warn!(%url, failures, "cannot fetch the key set: {why:#}");
                    }
                    if now >= stale_from {
                        self.drop_keys(&url);
                    }
                    let mut pause = backoff(failures, self.keys().is_empty());
                    if now < stale_from {
                        pause = pause.min(stale_from - now);
                    }
                    failures = failures.saturating_add(1);
                    (pause, pause.min(pace.cooldown))
                }
            };
            self.progress.send_modify(|progress| {
                let earlier = progress.asks_from;
                *progress = Progress {
                    finished: progress.finished + 1,
                    in_flight: false,
                    // A regular fetch does not end the cool-down of one that was asked for.
                    asks_from: earlier.max(now + quiet),
                    failed: fetched.is_err(),
                };
            });
            was_asked = self.is_asked_before(now + pause).await;
        }
    }

    fn count(&self, fetched: bool) {
        let outcome = match fetched {
            true => Outcome::Success,
            false => Outcome::Failure,
        };
        self.instruments.fetches.of(outcome).increment();
        if fetched {
            self.instruments.age.renew();
        }
        self.instruments.keys.set(self.keys().len() as u64);
    }

    /// Uses the keys no longer: the issuer may have withdrawn them long ago.
    fn drop_keys(&self, url: &Url) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if !keys.is_empty() {
            tracing::error!(%url, "the keys are too old to be used (AUTH_JWKS_MAX_STALE_SECONDS)");
            *keys = key::renew(&keys, Vec::new()).into();
            self.instruments.keys.set(0);
        }
    }

    /// Sleeps until an unknown key asks for a fetch and may have one (true), or until `due` (false).
    async fn is_asked_before(&self, due: Instant) -> bool {
        loop {
            tokio::select! {
                () = sleep_until(due) => return false,
                () = self.asked.notified() => {
                    // An ask may be left over from just before the last fetch.
                    if Instant::now() >= self.progress.borrow().asks_from {
                        return true;
                    }
                }
            }
        }
    }

    /// Replaces the keys by those that the issuer publishes, even if none is left. An empty set is fetched again as
    /// soon as one that failed.
    async fn fetch(&self, fetcher: &Fetcher) -> anyhow::Result<()> {
        let fetched = jwk::read_set(&fetcher.fetch().await?.body)?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        *keys = key::renew(&keys, fetched).into();
        ensure!(!keys.is_empty(), "the key set has no usable key");
        Ok(())
    }
}

fn backoff(failures: u32, without_keys: bool) -> Duration {
    let most = if without_keys {
        MAX_BACKOFF_WITHOUT_KEYS
    } else {
        MAX_BACKOFF
    };
    FIRST_BACKOFF
        .saturating_mul(1 << failures.min(10))
        .min(most)
}
