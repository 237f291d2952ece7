//! What the operations that change a task share.

use sea_orm::DbErr;

use super::{Named, Tasks, Unchanged, room::Attempts};
use crate::{
    contract::{self, TaskId},
    store::{
        StoreError, Work,
        commit::{Assignment, Count, Expected, Lone, State, What, Write, written_bytes},
        row::TaskRow,
    },
    telemetry::Written,
};

impl Expected {
    pub(super) fn is_met_by(&self, version: i64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
            Self::NoneOf(versions) => !versions.contains(&version),
            Self::Nothing => false,
        }
    }

    /// The error for a task in another version.
    pub(super) fn not_met(&self, task: contract::Task) -> StoreError {
        let now = task.version.get();
        let named = match self {
            Self::OneOf(versions) if versions.is_empty() => Named::Nothing,
            Self::OneOf(versions) if versions.iter().all(|version| *version > now) => Named::Later,
            Self::NoneOf(_) | Self::Nothing => Named::Excluded,
            Self::Any | Self::OneOf(_) => Named::Earlier,
        };
        let task = Box::new(task);
        StoreError::Changed(Unchanged { task, named })
    }
}

impl<A> Tasks<A> {
    /// Changes a task that is not deleted.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Changed`] if it is not in the version expected; [`StoreError::StorageFull`].
    pub(super) async fn change(
        &self,
        id: TaskId,
        expected: &Expected,
        values: Vec<Assignment>,
        count: Count,
    ) -> Result<contract::Task, StoreError> {
        self.has_read(Work::writing(written_bytes(&values)));
        let what = Lone::Change {
            id: id.get(),
            state: State::Live,
            expected: expected.clone(),
            values,
            count,
        };
        let mut attempts = Attempts::default();
        loop {
            attempts.next()?;
            if let Some(row) = self.write(what.clone()).await? {
                return row.into_task(self.user.as_str());
            }
            let task = self.find(id).await?;
            if !expected.is_met_by(task.version.get()) {
                return Err(expected.not_met(task));
            }
            // There is no room; or another request has just restored or changed it, and now it is as expected.
            self.make_room(&what, &mut attempts).await?;
        }
    }

    /// Writes. `None` if the conditions or the limits do not hold; then nothing has changed.
    pub(super) async fn write(&self, one: Lone) -> Result<Option<TaskRow>, StoreError> {
        let written = self.try_to_write(one).await;
        written.map_err(|error| StoreError::of_write(&error))
    }

    /// The same, with the error of the database.
    pub(super) async fn try_to_write(&self, one: Lone) -> Result<Option<TaskRow>, DbErr> {
        let written = match &one {
            Lone::Create { .. } => Written::Created,
            Lone::Change { count, .. } => match count {
                Count::Same => Written::Updated,
                Count::Less => Written::Deleted,
                Count::More => Written::Restored,
            },
        };
        let write = Write {
            user: self.user.clone(),
            now: self.store.clock.now(),
            limits: self.store.limits,
            what: What::One(one),
        };
        let row = self.store.writing.send(write).await?;
        let row = row.map(|row| TaskRow::read(&row)).transpose()?;
        if let Some(row) = &row {
            self.store.instruments.written.of(written).increment();
            self.store
                .wakeups
                .committed(self.user.as_str(), row.revision);
        }
        Ok(row)
    }
}
