//! The tasks of a batch in memory, as they become operation by operation.

mod change;
mod create;
mod room;

use std::collections::HashMap;

use sea_orm::{IdenStatic as _, prelude::DateTimeUtc, sea_query::Value};

use super::{BatchPlan, BatchStep, OperationOutcome};
use crate::{
    contract::{self},
    store::{
        StoreError,
        commit::{Assignment, Before, FoundTask, Once, RowWrite, Set, Sizes, Tombstone, Writes},
        entity::{task::Column as Task, user_clock},
        row::TaskRow,
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
