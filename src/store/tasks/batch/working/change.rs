//! Changing, deleting and restoring a task in a batch.

use sea_orm::prelude::DateTimeUtc;

use super::Working;
use crate::{
    contract::Target,
    store::{
        StoreError,
        commit::{Expected, Set},
        entity::task::Column as Task,
        row::TaskRow,
        tasks::{
            Named, Unchanged,
            batch::{Act, OperationOutcome},
            room::Need,
        },
    },
};

impl Working<'_> {
    pub(super) fn change(
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

    fn unchanged(&self, row: &TaskRow) -> Result<Unchanged, StoreError> {
        let task = Box::new(self.task(row)?);
        let named = Named::Nothing;
        Ok(Unchanged { task, named })
    }

    fn nothing(&self, row: &TaskRow) -> Result<OperationOutcome, StoreError> {
        self.unchanged(row).map(OperationOutcome::Nothing)
    }
}

fn not_found(target: &Target) -> StoreError {
    match target {
        Target::Id(id) => StoreError::NotFound(*id),
        Target::Uid(uid) => StoreError::NoUid(uid.clone()),
    }
}
