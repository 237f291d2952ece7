//! Many operations in one commit, each of which sees what those before it did.

mod working;

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use sea_orm::prelude::DateTimeUtc;

use super::{
    Changes, Created, IdempotencyKey, RequestDigest, Tasks, Unchanged, create::Mark, derived,
};
use crate::{
    auth::UserId,
    contract::{self, NewTask, Target},
    store::{
        StoreError, UserLimits, Work,
        commit::{
            Assignment, Before, Decision, Expected, Plan, Wanted, What, Write, written_bytes,
        },
        kind::CanWrite,
    },
    telemetry::Written,
};
use working::Working;

/// One operation of a batch.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Creates a task. With a key, which comes with the digest of its request, or with a uid, a retry finds what the
    /// first request made.
    Create(NewTask, Option<(IdempotencyKey, RequestDigest)>),
    /// Changes a task.
    Update {
        /// Which.
        target: Target,
        /// `None`: nothing, if the task is there and as expected.
        changes: Option<Changes>,
        /// In which version it must be.
        expected: Expected,
        /// Writes nothing where the values are what they would become.
        if_different: bool,
    },
    /// Deletes a task.
    Delete(Target, Expected),
    /// Restores a deleted task. One that is not deleted stays as it is.
    Restore(Target, Expected),
}

/// What is done in one commit.
#[derive(Debug, Clone)]
pub struct Batch {
    /// In their order.
    pub operations: Vec<Operation>,
    /// All or nothing.
    pub atomic: bool,
}

/// What an operation did.
#[derive(Debug)]
pub enum OperationOutcome {
    /// The task was created, now or by an earlier request.
    Created(Created),
    /// The task was changed.
    Updated {
        /// As it is now.
        task: contract::Task,
        /// As it was.
        before: Unchanged,
    },
    /// The task was deleted. It has the version of its deletion.
    Deleted(contract::Task),
    /// The task was deleted, and is back.
    Restored(contract::Task),
    /// Nothing had to be written.
    Nothing(Unchanged),
}

impl OperationOutcome {
    /// What was written; `None` if nothing was.
    fn written(&self) -> Option<Written> {
        match self {
            Self::Created(Created { replayed, .. }) => (!replayed).then_some(Written::Created),
            Self::Updated { .. } => Some(Written::Updated),
            Self::Deleted(_) => Some(Written::Deleted),
            Self::Restored(_) => Some(Written::Restored),
            Self::Nothing(_) => None,
        }
    }
}

/// What became of a batch.
#[derive(Debug)]
pub struct BatchOutcome {
    /// Of each operation, in their order.
    pub results: Vec<Result<OperationOutcome, StoreError>>,
    /// The user's revision: that of the last operation that wrote, or what it was before.
    pub revision: i64,
}

impl<A: CanWrite> Tasks<A> {
    /// Carries out operations in one commit, each by itself or all of them. Of one that is refused the result is an
    /// error: those of the single operations, [`StoreError::NoUid`], and in an atomic batch [`StoreError::NotDone`] for
    /// all others. Their revisions are consecutive. Where there is no room, the oldest tombstones go, as for a single
    /// operation; those that the batch itself makes are the newest.
    ///
    /// # Errors
    /// If the database is away. Then nothing of it was done, or all ([`StoreError::Uncertain`]).
    pub async fn batch(&self, batch: Batch) -> Result<BatchOutcome, StoreError> {
        let wanted = wanted(&batch.operations);
        let steps: Vec<_> = batch.operations.into_iter().map(BatchStep::of).collect();
        let written = steps.iter().map(BatchStep::written_bytes).sum();
        self.has_read(Work::writing(written));
        let plan = Arc::new(BatchPlan {
            user: self.user.clone(),
            now: self.store.clock.now(),
            limits: self.store.limits,
            oldest_tombstone: self.store.oldest_tombstone(),
            atomic: batch.atomic,
            wanted,
            steps,
            tombstones: AtomicUsize::new(0),
            done: Mutex::default(),
        });
        let write = Write {
            user: plan.user.clone(),
            now: plan.now,
            limits: plan.limits,
            what: What::Many(plan.clone()),
        };
        let written = self.store.writing.send(write).await;
        self.has_read(Work::tombstones(plan.tombstones.load(Relaxed)));
        written.map_err(|error| StoreError::of_write(&error))?;
        let done = plan
            .done
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let done =
            done.ok_or_else(|| StoreError::Internal("a batch was not decided".to_owned()))?;
        let wakeups = self.store.wakeups();
        wakeups.committed(self.user.as_str(), done.revision);
        for outcome in done.results.iter().flatten() {
            if let Some(written) = outcome.written() {
                self.store.instruments.written.of(written).increment();
            }
        }
        Ok(done)
    }
}

/// The tasks that operations may meet.
fn wanted(operations: &[Operation]) -> Wanted {
    let mut wanted = Wanted::default();
    for operation in operations {
        match operation {
            Operation::Create(new, key) => {
                let uid = new.uid.clone().value();
                wanted.uids.extend(uid.map(contract::Uid::into_string));
                wanted.keys.extend(key.iter().map(|(key, _)| key.0.clone()));
            }
            Operation::Update { target, .. }
            | Operation::Delete(target, _)
            | Operation::Restore(target, _) => match target {
                Target::Id(id) => wanted.ids.push(id.get()),
                Target::Uid(uid) => wanted.uids.push(uid.as_str().to_owned()),
            },
        }
    }
    wanted.ids.sort_unstable();
    wanted.ids.dedup();
    wanted.uids.sort_unstable();
    wanted.uids.dedup();
    wanted
}

/// An operation as it is carried out.
#[derive(Debug)]
enum BatchStep {
    Create {
        values: Vec<Assignment>,
        mark: Mark,
    },
    Change {
        target: Target,
        expected: Expected,
        act: Act,
    },
}

#[derive(Debug)]
enum Act {
    Update {
        values: Vec<Assignment>,
        if_different: bool,
    },
    Delete,
    Restore,
}

impl BatchStep {
    fn written_bytes(&self) -> i64 {
        match self {
            Self::Create { values, .. } => written_bytes(values),
            Self::Change {
                act: Act::Update { values, .. },
                ..
            } => written_bytes(values),
            Self::Change { .. } => 0,
        }
    }

    fn of(operation: Operation) -> Self {
        let (target, expected, act) = match operation {
            Operation::Create(new, key) => {
                let (key, digest) = key.unzip();
                let mark = Mark::of(&new, key, digest);
                let values = derived::of_new_task_now(new);
                return Self::Create { values, mark };
            }
            Operation::Update {
                target,
                changes,
                expected,
                if_different,
            } => {
                let values = changes.map(|Changes(values)| values).unwrap_or_default();
                let act = Act::Update {
                    values,
                    if_different,
                };
                (target, expected, act)
            }
            Operation::Delete(target, expected) => (target, expected, Act::Delete),
            Operation::Restore(target, expected) => (target, expected, Act::Restore),
        };
        Self::Change {
            target,
            expected,
            act,
        }
    }
}

/// A batch on its way to the database.
#[derive(Debug)]
struct BatchPlan {
    user: UserId,
    now: DateTimeUtc,
    limits: UserLimits,
    /// A tombstone must be younger to be restored.
    oldest_tombstone: DateTimeUtc,
    atomic: bool,
    steps: Vec<BatchStep>,
    wanted: Wanted,
    /// How many were looked at to make room.
    tombstones: AtomicUsize,
    done: Mutex<Option<BatchOutcome>>,
}

impl Plan for BatchPlan {
    fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    fn decide(&self, before: &Before) -> Decision {
        let tombstones = before.tombstones.as_ref().map_or(0, Vec::len);
        self.tombstones.fetch_add(tombstones, Relaxed);
        let revision = before.clock.revision;
        let mut working = Working::new(self, before);
        let mut results: Vec<Result<OperationOutcome, StoreError>> =
            Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let result = working.carry_out(step);
            if working.needs_room() {
                return Decision::NeedsRoom;
            }
            let place = results.len();
            if self.atomic && result.is_err() {
                results = (0..self.steps.len())
                    .map(|_| Err(StoreError::NotDone(place)))
                    .collect();
                results[place] = result;
                self.tell(results, revision);
                return Decision::Nothing;
            }
            results.push(result);
        }
        let writes = working.into_writes();
        self.tell(results, writes.clock.revision);
        match writes.clock.revision > revision {
            true => Decision::Write(writes),
            false => Decision::Nothing,
        }
    }

    /// A batch that only creates, and what it creates is recognized.
    fn repeats(&self) -> bool {
        self.steps
            .iter()
            .all(|step| matches!(step, BatchStep::Create { mark, .. } if mark.digest.is_some()))
    }
}

impl BatchPlan {
    fn tell(&self, results: Vec<Result<OperationOutcome, StoreError>>, revision: i64) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done = Some(BatchOutcome { results, revision });
    }
}
