//! Lanes: where statements of one kind wait, and go together.
//!
//! Whatever waits when a connection becomes free goes in one statement. There is no timer: a statement that comes alone
//! goes alone and at once. A group never waits for a lock, so it can be part of no deadlock: it leaves out what others
//! have locked, and that goes alone.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use sea_orm::{DbErr, sqlx::PgConnection};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout, timeout_at},
};
use tracing::{Instrument as _, Span};

use super::{
    Sqlite,
    availability::no_answer,
    connections::{Connections, Lease, not_in_time},
    metrics::Counters,
};
use crate::{
    auth::UserId,
    store::error::{Outage, is_locked, is_lost, is_refused},
};

/// What takes longer is slow, or the database is far away. Then another task may send what waits meanwhile.
const LONG: Duration = Duration::from_millis(25);

/// How often an element is sent again when its connection broke. What ends the connections of a server one by one may also
/// meet the one that was opened in place of the first.
const AGAIN: u8 = 2;
/// How long to wait before an element is sent again whose locks another transaction holds. It doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Statements of one kind.
pub(in crate::store) trait Grouped: Send + Sync + 'static {
    /// The parameters of one statement.
    type Element: Send + Sync + 'static;
    /// What comes back.
    type Answer: Send + 'static;

    /// What the elements are, in the metrics.
    const NAME: &'static str;
    /// The most tasks that send what waits, not counting those whose statement takes [`LONG`]. More would make the
    /// groups smaller.
    const LANES: usize;
    /// Whether a statement may take long by its nature.
    const IS_LONG: bool = false;
    /// The most elements in one group.
    const MAX: usize;

    /// The user whose rows an element locks. Of one user, one element is sent at a time; the others would wait for
    /// its locks with a connection each.
    fn locks(_element: &Self::Element) -> Option<&UserId> {
        None
    }

    /// Whether two elements can go in one statement.
    fn joins(one: &Self::Element, other: &Self::Element) -> bool;

    /// Whether an element may be sent again when it may have been done already.
    fn repeats(element: &Self::Element) -> bool;

    /// Sends one element.
    fn alone(
        connection: &mut PgConnection,
        element: &Self::Element,
    ) -> impl Future<Output = Result<Self::Answer, DbErr>> + Send;

    /// Sends several elements in one statement and answers each in its place; `None` for one that must go alone.
    fn together(
        connection: &mut PgConnection,
        elements: &[Arc<Self::Element>],
    ) -> impl Future<Output = Result<Vec<Option<Self::Answer>>, DbErr>> + Send;

    /// Does the same on SQLite.
    fn on_sqlite(
        sqlite: &Sqlite,
        element: Self::Element,
    ) -> impl Future<Output = Result<Self::Answer, DbErr>> + Send;
}

/// The way to the statements of one kind.
pub(in crate::store) enum Lane<B: Grouped> {
    Sqlite(Sqlite),
    Postgres(Arc<Queue<B>>),
}

// Not derived: a derived one would ask for `B: Clone`.
impl<B: Grouped> Clone for Lane<B> {
    fn clone(&self) -> Self {
        match self {
            Self::Sqlite(sqlite) => Self::Sqlite(sqlite.clone()),
            Self::Postgres(queue) => Self::Postgres(queue.clone()),
        }
    }
}

impl<B: Grouped> fmt::Debug for Lane<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").finish_non_exhaustive()
    }
}

impl<B: Grouped> Lane<B> {
    /// Sends an element, and waits for its answer, not for longer than a request may wait. If the caller goes away, what
    /// was sent is done all the same.
    pub(in crate::store) async fn send(&self, element: B::Element) -> Result<B::Answer, DbErr> {
        match self {
            Self::Sqlite(sqlite) => B::on_sqlite(sqlite, element).await,
            Self::Postgres(queue) => queue.send(element).await,
        }
    }
}

/// What waits on the way to PostgreSQL.
pub(in crate::store) struct Queue<B: Grouped> {
    connections: Arc<Connections>,
    counters: Arc<Counters>,
    state: Mutex<State<B>>,
}

struct State<B: Grouped> {
    waiting: VecDeque<Waiting<B>>,
    /// How many tasks send what waits.
    senders: usize,
    /// The users whose rows are locked by what has been sent.
    locked: HashSet<UserId>,
}

/// What became of an element; `None` if it must go alone.
type Outcome<B> = Result<Option<<B as Grouped>::Answer>, DbErr>;

/// An element that waits for its answer.
struct Waiting<B: Grouped> {
    element: Arc<B::Element>,
    answer: oneshot::Sender<Result<B::Answer, DbErr>>,
    since: Instant,
    /// Set by whoever is first: the task that sends the element, or the caller whose time is over.
    claimed: Arc<AtomicBool>,
    /// How often it was sent before, and the connection broke.
    again: u8,
    /// It was left out of a group.
    alone: bool,
    /// How long to wait before it is sent again, if another transaction holds its locks.
    pause: Duration,
    /// The span of the request, so that what is logged has its id.
    span: Span,
}

impl<B: Grouped> Queue<B> {
    pub(super) fn new(connections: Arc<Connections>) -> Arc<Self> {
        Arc::new(Self {
            counters: connections.metrics().counters(B::NAME),
            connections,
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                senders: 0,
                locked: HashSet::new(),
            }),
        })
    }

    async fn send(self: &Arc<Self>, element: B::Element) -> Result<B::Answer, DbErr> {
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
                let sent = claimed.swap(true, Relaxed);
                Err(if sent { no_answer() } else { not_in_time() })
            }
        }
    }

    fn add(self: &Arc<Self>, waiting: Waiting<B>) {
        let mut state = self.state();
        state.waiting.push_back(waiting);
        self.start_sender(state);
    }

    /// Puts an element back after a pause, behind those whose locks nobody holds. Until then nothing else of its user is
    /// sent.
    async fn add_later(self: Arc<Self>, mut waiting: Waiting<B>) {
        sleep(waiting.pause).await;
        waiting.pause = LONGEST_PAUSE.min(waiting.pause * 2);
        let mut state = self.state();
        if let Some(user) = B::locks(&waiting.element) {
            state.locked.remove(user);
        }
        state.waiting.push_back(waiting);
        self.start_sender(state);
    }

    fn state(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a task that sends what waits, unless there are enough.
    fn start_sender(self: &Arc<Self>, mut state: MutexGuard<'_, State<B>>) {
        self.counters.set_waiting(state.waiting.len());
        if state.senders >= B::LANES || !state.has_some() {
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
    fn has_some(&self) -> bool {
        self.waiting.iter().any(|waiting| self.can_go(waiting))
    }

    /// Takes what goes next, and nothing if nothing can go now.
    fn take(&mut self) -> Vec<Waiting<B>> {
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

/// A task that sends what waits, until nothing does.
struct Sender<B: Grouped> {
    queue: Arc<Queue<B>>,
    /// Whether it is counted: not while its statement takes long.
    counted: bool,
    /// The users whose rows its statement locks.
    locks: Vec<UserId>,
}

/// Also after a panic, so that nobody waits for ever.
impl<B: Grouped> Drop for Sender<B> {
    fn drop(&mut self) {
        if self.counted || !self.locks.is_empty() {
            let mut state = self.queue.state();
            state.senders -= usize::from(self.counted);
            for user in &self.locks {
                state.locked.remove(user);
            }
        }
    }
}

impl<B: Grouped> Sender<B> {
    fn new(queue: Arc<Queue<B>>) -> Self {
        Self {
            queue,
            counted: true,
            locks: Vec::new(),
        }
    }

    async fn run(mut self) {
        while self.counted {
            if let Err(error) = self.send_next().await {
                self.refuse(&error);
            }
        }
    }

    async fn send_next(&mut self) -> Result<(), DbErr> {
        let connections = self.queue.connections.clone();
        let _long = match B::IS_LONG {
            true => Some(connections.long().await?),
            false => None,
        };
        let lease = connections.lease().await?;
        let group = self.next();
        if group.is_empty() {
            connections.give_back(lease, &Ok(()));
        } else {
            self.send(&connections, lease, group).await;
        }
        Ok(())
    }

    /// What goes next. If nothing does, this task ends.
    fn next(&mut self) -> Vec<Waiting<B>> {
        let mut state = self.queue.state();
        let group = state.take();
        let counters = &self.queue.counters;
        counters.set_waiting(state.waiting.len());
        if !group.is_empty() {
            counters.send(group.iter().map(|waiting| waiting.since.into()));
        }
        let locks = group.iter().filter_map(|one| B::locks(&one.element));
        self.locks.extend(locks.cloned());
        if group.is_empty() {
            // Under the lock under which others look whether a task must be started.
            state.senders -= 1;
            self.counted = false;
        }
        group
    }

    /// No connection is to be had: answers all that wait, unless they can hope for one in the time that they have left.
    fn refuse(&mut self, error: &DbErr) {
        let hope =
            matches!(error, DbErr::ConnectionAcquire(_)) && self.queue.connections.may_come();
        let refused = {
            let mut state = self.queue.state();
            let refused = match hope {
                true => {
                    state.waiting.retain(|waiting| !waiting.answer.is_closed());
                    VecDeque::new()
                }
                false => std::mem::take(&mut state.waiting),
            };
            if !state.has_some() {
                state.senders -= 1;
                self.counted = false;
            }
            self.queue.counters.set_waiting(state.waiting.len());
            refused
        };
        for waiting in refused {
            let _ = waiting.answer.send(Err(error.clone()));
        }
    }

    async fn send(&mut self, connections: &Connections, mut lease: Lease, group: Vec<Waiting<B>>) {
        if let [one] = &*group {
            let work = B::alone(lease.connection(), &one.element).instrument(one.span.clone());
            let result = self.watch(connections, work).await;
            connections.give_back(lease, &result);
            let outcomes = group.into_iter().zip([result.map(Some)]).collect();
            return self.settle(outcomes);
        }
        let elements: Vec<_> = group.iter().map(|one| one.element.clone()).collect();
        let work = B::together(lease.connection(), &elements);
        let result = self.watch(connections, work).await;
        connections.give_back(lease, &result);
        let outcomes: Vec<_> = match result {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            // Nothing of it was done. One of the elements is to blame, and the others should not suffer.
            Err(error) if Outage::of(&error).is_none() && is_refused(&error) => {
                tracing::debug!(%error, "a group was refused; its statements are sent one by one");
                group.iter().map(|_| Ok(None)).collect()
            }
            Err(error) => group.iter().map(|_| Err(error.clone())).collect(),
        };
        self.settle(group.into_iter().zip(outcomes).collect());
    }

    async fn watch<T>(
        &mut self,
        connections: &Connections,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        let work = connections.availability().watch(connections.limit(), work);
        let mut work = std::pin::pin!(work);
        if let Ok(result) = timeout(LONG, &mut work).await {
            return result;
        }
        // Reads of many tasks are few enough as it is.
        let long = match B::IS_LONG {
            true => None,
            false => connections.became_long(),
        };
        if long.is_some() {
            self.step_aside();
        }
        let result = work.await;
        if long.is_some() {
            self.step_back();
        }
        result
    }

    /// Lets another task send what waits.
    fn step_aside(&mut self) {
        let mut state = self.queue.state();
        state.senders -= 1;
        self.counted = false;
        self.queue.start_sender(state);
    }

    fn step_back(&mut self) {
        let mut state = self.queue.state();
        if state.senders < B::LANES {
            state.senders += 1;
            self.counted = true;
        }
    }

    /// Answers those that are done, and puts back those that must be sent again.
    fn settle(&mut self, outcomes: Vec<(Waiting<B>, Outcome<B>)>) {
        let mut answers = Vec::with_capacity(outcomes.len());
        self.locks.clear();
        let mut state = self.queue.state();
        for (mut waiting, outcome) in outcomes {
            if outcome.as_ref().is_err_and(is_locked) {
                // Nothing of it was done.
                waiting.claimed.store(false, Relaxed);
                waiting.alone = true;
                tokio::spawn(self.queue.clone().add_later(waiting));
                continue;
            }
            if let Some(user) = B::locks(&waiting.element) {
                state.locked.remove(user);
            }
            match outcome {
                Ok(Some(answer)) => answers.push((waiting.answer, Ok(answer))),
                Ok(None) => {
                    // Nothing of it was done: if its time is over before it goes alone, that is known.
                    waiting.claimed.store(false, Relaxed);
                    waiting.alone = true;
                    state.waiting.push_front(waiting);
                }
                Err(error) => {
                    let not_done = Outage::of(&error) == Some(Outage::NotDone);
                    let safe = not_done || B::repeats(&waiting.element);
                    if is_lost(&error) && safe && waiting.again < AGAIN {
                        waiting.again += 1;
                        state.waiting.push_front(waiting);
                    } else {
                        answers.push((waiting.answer, Err(error)));
                    }
                }
            }
        }
        self.queue.start_sender(state);
        for (answer, outcome) in answers {
            let _ = answer.send(outcome);
        }
    }
}
