//! Sends what waits: alone or together, and again where that is safe.

use std::{
    collections::VecDeque,
    future::Future,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use sea_orm::DbErr;
use tokio::{task::yield_now, time::timeout};
use tracing::Instrument as _;

use super::{
    Grouped,
    queue::{Queue, Waiting},
};
use crate::{
    auth::UserId,
    store::{
        engine::{
            connections::{Connections, Lease},
            metrics::Counters,
        },
        error::{Outage, is_locked, is_lost, is_refused},
    },
    telemetry::StatementFault,
};

/// What takes longer is slow, or the database is far away. Then another task may send what waits meanwhile.
const LONG: Duration = Duration::from_millis(25);

/// How often an element is sent again when its connection broke. What ends the connections of a server one by one may also
/// meet the one that was opened in place of the first.
const AGAIN: u8 = 2;
/// What became of an element; `None` if it must go alone.
type Outcome<B> = Result<Option<<B as Grouped>::Answer>, DbErr>;

/// Counts the elements whose time was over where the database says so. Whoever has gone has counted itself.
fn count_late<B: Grouped>(counters: &Counters, fault: StatementFault, group: &[Waiting<B>]) {
    if fault == StatementFault::Timeout {
        let waiting = group.iter().filter(|one| !one.answer.is_closed());
        waiting.for_each(|_| counters.too_late());
    }
}

/// A task that sends what waits, until nothing does.
pub(super) struct Sender<B: Grouped> {
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
    pub(super) fn new(queue: Arc<Queue<B>>) -> Self {
        Self {
            queue,
            counted: true,
            locks: Vec::new(),
        }
    }

    pub(super) async fn run(mut self) {
        while self.counted {
            // The requests that have arrived meanwhile are read first, so that their statements go in the same group. A
            // server with nothing else to do goes on at once.
            yield_now().await;
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
        let counters = self.queue.counters.clone();
        let requests = group.iter().map(|one| (&one.span, one.since.into()));
        let statement = counters.begin(requests);
        if let [one] = &*group {
            let work = B::alone(lease.connection(), &one.element).instrument(one.span.clone());
            let result = self.watch(connections, work).await;
            count_late(&counters, counters.ran(statement, &result), &group);
            connections.give_back(lease, &result);
            let outcomes = group.into_iter().zip([result.map(Some)]).collect();
            return self.settle(outcomes);
        }
        let elements: Vec<_> = group.iter().map(|one| one.element.clone()).collect();
        let work = B::together(lease.connection(), &elements);
        let result = self.watch(connections, work).await;
        count_late(&counters, counters.ran(statement, &result), &group);
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
