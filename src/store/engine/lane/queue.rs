//! What waits on the way to PostgreSQL, and what goes next.

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use sea_orm::DbErr;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout_at},
};
use tracing::Span;

use super::{Grouped, sender::Sender};
use crate::{
    auth::UserId,
    store::engine::{
        availability::no_answer,
        connections::{Connections, not_in_time},
        metrics::Counters,
    },
};

/// How long to wait before an element is sent again whose locks another transaction holds. It doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// So many elements are sent beside a statement that is under way. With fewer, the mixed load of a benchmark costs the database a quarter
/// more; with more, loads of one kind of statement leave it idle between two groups.
const MANY: usize = 16;

/// What waits on the way to PostgreSQL.
pub(in crate::store) struct Queue<B: Grouped> {
    pub(super) connections: Arc<Connections>,
    pub(super) counters: Counters,
    pub(super) state: Mutex<State<B>>,
}

pub(super) struct State<B: Grouped> {
    pub(super) waiting: VecDeque<Waiting<B>>,
    /// How many tasks send what waits.
    pub(super) senders: usize,
    /// The users whose rows are locked by what has been sent.
    pub(super) locked: HashSet<UserId>,
}

/// An element that waits for its answer.
pub(super) struct Waiting<B: Grouped> {
    pub(super) element: Arc<B::Element>,
    pub(super) answer: oneshot::Sender<Result<B::Answer, DbErr>>,
    pub(super) since: Instant,
    /// Set by whoever is first: the task that sends the element, or the caller whose time is over.
    pub(super) claimed: Arc<AtomicBool>,
    /// How often it was sent before, and the connection broke.
    pub(super) again: u8,
    /// It was left out of a group.
    pub(super) alone: bool,
    /// How long to wait before it is sent again, if another transaction holds its locks.
    pub(super) pause: Duration,
    /// The span of the request, so that what is logged has its id.
    pub(super) span: Span,
}

impl<B: Grouped> Queue<B> {
    pub(in crate::store::engine) fn new(connections: Arc<Connections>) -> Arc<Self> {
        Arc::new(Self {
            counters: connections.metrics().of(B::KIND),
            connections,
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                senders: 0,
                locked: HashSet::new(),
            }),
        })
    }

    pub(super) async fn send(self: &Arc<Self>, element: B::Element) -> Result<B::Answer, DbErr> {
        let since = Instant::now();
        let deadline = since + self.connections.limit();
        let claimed = Arc::new(AtomicBool::new(false));
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting {
            element: Arc::new(element),
            answer,
            since,
            claimed: claimed.clone(),
            again: 0,
            alone: false,
            pause: FIRST_PAUSE,
            span: Span::current(),
        };
        self.add(waiting);
        let answered = timeout_at(deadline, answered).await;
        match answered {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(DbErr::Custom("the task that sends has ended".to_owned())),
            Err(_) => {
                self.connections.availability().look();
                self.counters.too_late();
                let sent = claimed.swap(true, Relaxed);
                Err(if sent { no_answer() } else { not_in_time() })
            }
        }
    }

    pub(super) fn add(self: &Arc<Self>, waiting: Waiting<B>) {
        let mut state = self.state();
        state.waiting.push_back(waiting);
        self.start_sender(state);
    }

    /// Puts an element back after a pause, behind those whose locks nobody holds. Until then nothing else of its user is
    /// sent.
    pub(super) async fn add_later(self: Arc<Self>, mut waiting: Waiting<B>) {
        sleep(waiting.pause).await;
        waiting.pause = LONGEST_PAUSE.min(waiting.pause * 2);
        let mut state = self.state();
        if let Some(user) = B::locks(&waiting.element) {
            state.locked.remove(user);
        }
        state.waiting.push_back(waiting);
        self.start_sender(state);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a task that sends what waits, if there is none. While a statement is under way, what waits should become one
    /// group: there are more tasks only if it is large enough already, or goes alone.
    pub(super) fn start_sender(self: &Arc<Self>, mut state: MutexGuard<'_, State<B>>) {
        self.counters.set_waiting(state.waiting.len());
        let most = match state.is_worth_another() {
            true => B::LANES,
            false => 1,
        };
        if state.senders >= most || !state.has_some() {
            return;
        }
        state.senders += 1;
        drop(state);
        tokio::spawn(Sender::new(self.clone()).run());
    }
}

impl<B: Grouped> State<B> {
    fn can_go(&self, waiting: &Waiting<B>) -> bool {
        B::locks(&waiting.element).is_none_or(|user| !self.locked.contains(user))
    }

    /// Whether something waits that can be sent now.
    pub(super) fn has_some(&self) -> bool {
        self.waiting.iter().any(|waiting| self.can_go(waiting))
    }

    /// Whether what waits is worth a statement beside the one that is under way: it is many, or some of it goes alone anyway.
    fn is_worth_another(&self) -> bool {
        let goes_alone = |one: &Waiting<B>| one.alone || !B::joins(&one.element, &one.element);
        self.waiting.len() >= MANY.min(B::MAX) || self.waiting.iter().any(goes_alone)
    }

    /// Takes what goes next, and nothing if nothing can go now.
    pub(super) fn take(&mut self) -> Vec<Waiting<B>> {
        let mut group: Vec<Waiting<B>> = Vec::new();
        let mut later = VecDeque::new();
        while let Some(next) = self.waiting.pop_front() {
            if group.len() == B::MAX {
                later.push_back(next);
                break;
            }
            let joins = group.first().is_none_or(|first| {
                !first.alone && !next.alone && B::joins(&first.element, &next.element)
            });
            if !joins || !self.can_go(&next) {
                later.push_back(next);
                continue;
            }
            // Nobody waits for it any more.
            if next.answer.is_closed() || next.again == 0 && next.claimed.swap(true, Relaxed) {
                continue;
            }
            if let Some(user) = B::locks(&next.element) {
                self.locked.insert(user.clone());
            }
            group.push(next);
        }
        while let Some(next) = later.pop_back() {
            self.waiting.push_front(next);
        }
        group
    }
}
