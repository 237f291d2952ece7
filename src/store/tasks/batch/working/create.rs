//! Creating a task in a batch.

use sea_orm::prelude::DateTimeUtc;

use super::{Known, Working};
use crate::store::{
    StoreError,
    commit::{Assignment, Sizes},
    entity::task::Column as Task,
    row::TaskRow,
    tasks::{
        batch::OperationOutcome,
        create::{By, Created, Mark, is_same},
        room::Need,
    },
};

impl Working<'_> {
    pub(super) fn create(
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
        Ok(OperationOutcome::Created(Created { task, replayed }))
    }
}
