//! The tasks of a batch in memory, as they become operation by operation.

mod room;

use std::collections::HashMap;

use sea_orm::{IdenStatic as _, prelude::DateTimeUtc, sea_query::Value};

use super::{Act, BatchPlan, BatchStep, OperationOutcome};
use crate::{
    contract::{self, Target},
    store::{
        StoreError,
        commit::{
            Assignment, Before, Expected, FoundTask, Once, RowWrite, Set, Sizes, Tombstone, Writes,
        },
        entity::{task::Column as Task, user_clock},
        row::TaskRow,
        tasks::{
            Named, Unchanged,
            create::{By, Mark, is_same},
            room::Need,
        },
    },
};

/// What is known of the user's tasks, and what is to be written.
pub(super) struct Working<'a> {
    plan: &'a BatchPlan,
    clock: user_clock::Model,
    /// When the batch happens: not before the write before it.
    moment: DateTimeUtc,
    known: Vec<Known>,
    ids: HashMap<i64, usize>,
    uids: HashMap<String, usize>,
    keys: HashMap<String, usize>,
    /// The oldest first. `None`: not known yet.
    tombstones: Option<Vec<Tombstone>>,
    /// What goes of the rows that are there.
    purged: Vec<i64>,
    needs_room: bool,
}

/// A task as it is by now.
struct Known {
    row: TaskRow,
    /// Of the request that created it.
    digest: Option<String>,
    new: Option<Once>,
    /// The columns that are to be written.
    values: Vec<(Task, Value)>,
    sizes: Sizes,
    is_written: bool,
}

impl<'a> Working<'a> {
    pub(super) fn new(
        plan: &'a BatchPlan,
        Before {
            clock,
            found,
            tombstones,
        }: &Before,
    ) -> Self {
        let mut working = Self {
            plan,
            moment: clock.updated_at.to_utc().max(plan.now),
            clock: clock.clone(),
            known: Vec::with_capacity(plan.steps.len()),
            ids: HashMap::new(),
            uids: HashMap::new(),
            keys: HashMap::new(),
            tombstones: tombstones.clone(),
            purged: Vec::new(),
            needs_room: false,
        };
        for found in found {
            let FoundTask {
                row,
                key,
                digest,
                sizes,
            } = found.clone();
            if working.ids.contains_key(&row.id) {
                continue;
            }
            working.add(
                Known {
                    row,
                    digest,
                    new: None,
                    values: Vec::new(),
                    sizes,
                    is_written: false,
                },
                key,
            );
        }
        working
    }

    fn add(&mut self, known: Known, key: Option<String>) {
        let place = self.known.len();
        self.ids.insert(known.row.id, place);
        self.uids
            .extend(known.row.uid.clone().map(|uid| (uid, place)));
        self.keys.extend(key.map(|key| (key, place)));
        self.known.push(known);
    }

    /// Carries out the next operation. One that is refused changes nothing.
    pub(super) fn carry_out(&mut self, step: &BatchStep) -> Result<OperationOutcome, StoreError> {
        match step {
            BatchStep::Create { values, mark } => self.create(values, mark),
            BatchStep::Change {
                target,
                expected,
                act,
            } => self.change(target, expected, act),
        }
    }

    fn create(
        &mut self,
        values: &[Assignment],
        mark: &Mark,
    ) -> Result<OperationOutcome, StoreError> {
        if let Some(digest) = &mark.digest {
            let by_key = mark.key.as_ref().and_then(|key| self.keys.get(&key.0));
            let by_uid = mark
                .uid
                .as_ref()
                .and_then(|uid| self.uids.get(uid.as_str()));
            let found = by_key
                .map(|place| (By::Key, *place))
                .or(by_uid.map(|place| (By::Uid, *place)));
            if let Some((by, place)) = found {
                let Known {
                    row, digest: of, ..
                } = &self.known[place];
                let same = is_same(of.as_deref(), digest);
                let created = by.judge(row.clone(), same, self.plan.user.as_str());
                return created.map(OperationOutcome::Created);
            }
        }
        let once = mark.once();
        let sizes = Sizes::of_new(values, &once);
        self.make_room(Need {
            tasks: 1,
            bytes: sizes.total(),
            ..Need::default()
        })?;
        let (id, revision) = (self.clock.last_task_id + 1, self.clock.revision + 1);
        let mut row = TaskRow::new(id, revision, self.moment, once.uid.clone());
        let mut values = self.set(&mut row, values)?;
        // A new task may be deleted by the same batch, and all new rows have the same columns.
        values.push((Task::DeletedAt, None::<DateTimeUtc>.into()));
        let task = self.task(&row)?;
        self.clock.last_task_id = id;
        self.clock.revision = revision;
        self.clock.task_count += 1;
        self.clock.row_count += 1;
        self.clock.stored_bytes += sizes.total();
        let key = once.key.clone();
        self.add(
            Known {
                row,
                digest: once.digest.clone(),
                new: Some(once),
                values,
                sizes,
                is_written: true,
            },
            key,
        );
        let replayed = false;
        Ok(OperationOutcome::Created(super::Created { task, replayed }))
    }

    fn change(
        &mut self,
        target: &Target,
        expected: &Expected,
        act: &Act,
    ) -> Result<OperationOutcome, StoreError> {
        let place = self.find(target).ok_or_else(|| not_found(target))?;
        let before = self.known[place].row.clone();
        match (act, before.deleted_at) {
            (Act::Update { .. } | Act::Delete, Some(_)) => return Err(not_found(target)),
            (Act::Restore, Some(deleted)) if deleted <= self.plan.oldest_tombstone => {
                return Err(not_found(target));
            }
            _ => {}
        }
        if !expected.is_met_by(before.revision) {
            return Err(expected.not_met(self.task(&before)?));
        }
        let (sets, count) = match act {
            Act::Restore if before.deleted_at.is_none() => return self.nothing(&before),
            Act::Restore => (vec![(Task::DeletedAt, Set::to(None::<DateTimeUtc>))], 1),
            Act::Delete => (vec![(Task::DeletedAt, Set::Moment)], -1),
            Act::Update { values, .. } if values.is_empty() => return self.nothing(&before),
            Act::Update { values, .. } => (values.clone(), 0),
        };
        let mut row = before.clone();
        let values = self.set(&mut row, &sets)?;
        if matches!(
            act,
            Act::Update {
                if_different: true,
                ..
            }
        ) && row == before
        {
            return self.nothing(&before);
        }
        let growth = self.known[place].sizes.growth(&sets);
        self.make_room(Need {
            tasks: count.max(0),
            tombstones: (-count).max(0),
            bytes: growth,
        })?;
        row.revision = self.clock.revision + 1;
        row.updated_at = self.moment;
        let task = self.task(&row)?;
        let done = match act {
            Act::Update { .. } => OperationOutcome::Updated {
                task,
                before: self.unchanged(&before)?,
            },
            Act::Delete => OperationOutcome::Deleted(task),
            Act::Restore => OperationOutcome::Restored(task),
        };
        self.clock.revision += 1;
        self.clock.task_count += count;
        self.clock.stored_bytes += growth;
        let known = &mut self.known[place];
        known.sizes.set(&sets);
        known.write(row, values);
        self.keep_tombstone(place);
        Ok(done)
    }

    fn find(&self, target: &Target) -> Option<usize> {
        match target {
            Target::Id(id) => self.ids.get(&id.get()).copied(),
            Target::Uid(uid) => self.uids.get(uid.as_str()).copied(),
        }
    }

    /// Sets columns of a row, and gives what they were set to.
    fn set(
        &self,
        row: &mut TaskRow,
        values: &[Assignment],
    ) -> Result<Vec<(Task, Value)>, StoreError> {
        let mut done = Vec::with_capacity(values.len());
        for (column, set) in values {
            let now = match column {
                Task::DeletedAt => row.deleted_at,
                _ => row.completed_at,
            };
            let value = match set {
                Set::To(value) => value.clone(),
                Set::Moment => self.moment.into(),
                Set::MomentIfNull => now.unwrap_or(self.moment).into(),
                Set::Turned => now.is_none().then_some(self.moment).into(),
            };
            row.set(*column, &value)?;
            done.push((*column, value));
        }
        Ok(done)
    }

    fn task(&self, row: &TaskRow) -> Result<contract::Task, StoreError> {
        row.clone().into_task(self.plan.user.as_str())
    }

    fn unchanged(&self, row: &TaskRow) -> Result<Unchanged, StoreError> {
        let task = Box::new(self.task(row)?);
        let named = Named::Nothing;
        Ok(Unchanged { task, named })
    }

    fn nothing(&self, row: &TaskRow) -> Result<OperationOutcome, StoreError> {
        self.unchanged(row).map(OperationOutcome::Nothing)
    }

    /// What is to be written of all that was carried out.
    pub(super) fn into_writes(mut self) -> Writes {
        self.clock.updated_at = self.moment.into();
        let written = self.known.into_iter().filter(|known| known.is_written);
        let rows = written.map(|known| RowWrite {
            id: known.row.id,
            revision: known.row.revision,
            new: known.new,
            values: known.values,
        });
        Writes {
            rows: rows.collect(),
            purged: self.purged,
            clock: self.clock,
        }
    }
}

impl Known {
    fn write(&mut self, row: TaskRow, values: Vec<(Task, Value)>) {
        self.row = row;
        self.is_written = true;
        for (column, value) in values {
            let mut values = self.values.iter_mut();
            match values.find(|(other, _)| other.as_str() == column.as_str()) {
                Some((_, old)) => *old = value,
                None => self.values.push((column, value)),
            }
        }
    }
}

fn not_found(target: &Target) -> StoreError {
    match target {
        Target::Id(id) => StoreError::NotFound(*id),
        Target::Uid(uid) => StoreError::NoUid(uid.clone()),
    }
}
