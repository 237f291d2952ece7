//! A row of `task` and the task it stands for.

use sea_orm::{
    DbErr, FromJsonQueryResult, IdenStatic as _, QueryResult, SqlxError,
    prelude::DateTimeUtc,
    sea_query::Value,
    sqlx::{ColumnIndex, Decode, Row, types::Json},
};
use serde::{Deserialize, Serialize};

use super::{StoreError, entity::task::Column, error::of_driver};
use crate::contract::{
    DeletedTask, Description, DueDate, Flag, Nullable, Priority, Tag, Tags, Task, TaskId,
    Timestamp, Title, Uid, UserIdText, Version,
};

/// What is read of a task. The folded copies stay in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TaskRow {
    pub(super) id: i64,
    title: String,
    description: Option<String>,
    pub(super) completed_at: Option<DateTimeUtc>,
    priority: i16,
    due_at: Option<DateTimeUtc>,
    due_is_date: bool,
    tags: StoredTags,
    created_at: DateTimeUtc,
    pub(super) updated_at: DateTimeUtc,
    pub(super) revision: i64,
    pub(super) deleted_at: Option<DateTimeUtc>,
    pub(super) uid: Option<String>,
}

/// The columns of [`TaskRow`], in its order.
pub(super) const COLUMNS: [Column; 13] = [
    Column::Id,
    Column::Title,
    Column::Description,
    Column::CompletedAt,
    Column::Priority,
    Column::DueAt,
    Column::DueIsDate,
    Column::Tags,
    Column::CreatedAt,
    Column::UpdatedAt,
    Column::Revision,
    Column::DeletedAt,
    Column::Uid,
];

/// [`COLUMNS`] of a table, for a statement that is written by hand.
pub(super) fn columns_of(table: &str) -> String {
    COLUMNS
        .map(|column| format!(r#"{table}."{}""#, column.as_str()))
        .join(", ")
}

/// Tags as they are stored: a JSON array of strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub(super) struct StoredTags(Vec<String>);

impl From<Tags> for StoredTags {
    fn from(tags: Tags) -> Self {
        Self(tags.0.into_iter().map(Tag::into_string).collect())
    }
}

impl TaskRow {
    /// The bytes of its texts.
    pub(super) fn text_bytes(&self) -> u64 {
        let tags = self.tags.0.iter().map(String::len).sum::<usize>();
        let description = self.description.as_ref().map_or(0, String::len);
        (self.title.len() + description + tags) as u64
    }

    /// Reads a row that begins with [`COLUMNS`].
    pub(super) fn read(row: &QueryResult) -> Result<Self, DbErr> {
        Self::read_from(row, 0)
    }

    /// Reads a row that has [`COLUMNS`] from an index on. By position: a list of 50 looks up 650 names otherwise.
    pub(super) fn read_from(row: &QueryResult, first: usize) -> Result<Self, DbErr> {
        match (row.try_as_pg_row(), row.try_as_sqlite_row()) {
            (Some(row), _) => Self::decode(row, first),
            (_, Some(row)) => Self::decode(row, first),
            (None, None) => Err(SqlxError::RowNotFound),
        }
        .map_err(of_driver)
    }

    /// Without a look at the type of each value: it is that of its column, in the migrations. On PostgreSQL, where a list takes
    /// longer to decode than to read, that look is a third of the decoding.
    fn decode<'r, R>(row: &'r R, first: usize) -> Result<Self, SqlxError>
    where
        R: Row,
        usize: ColumnIndex<R>,
        i64: Decode<'r, R::Database>,
        i16: Decode<'r, R::Database>,
        bool: Decode<'r, R::Database>,
        String: Decode<'r, R::Database>,
        DateTimeUtc: Decode<'r, R::Database>,
        Json<StoredTags>: Decode<'r, R::Database>,
    {
        let Json(tags) = row.try_get_unchecked(first + 7)?;
        Ok(Self {
            id: row.try_get_unchecked(first)?,
            title: row.try_get_unchecked(first + 1)?,
            description: row.try_get_unchecked(first + 2)?,
            completed_at: row.try_get_unchecked(first + 3)?,
            priority: row.try_get_unchecked(first + 4)?,
            due_at: row.try_get_unchecked(first + 5)?,
            due_is_date: row.try_get_unchecked(first + 6)?,
            tags,
            created_at: row.try_get_unchecked(first + 8)?,
            updated_at: row.try_get_unchecked(first + 9)?,
            revision: row.try_get_unchecked(first + 10)?,
            deleted_at: row.try_get_unchecked(first + 11)?,
            uid: row.try_get_unchecked(first + 12)?,
        })
    }

    /// A task that is created now. Its values are still to be [set](Self::set).
    pub(super) fn new(id: i64, revision: i64, moment: DateTimeUtc, uid: Option<String>) -> Self {
        Self {
            id,
            title: String::new(),
            description: None,
            completed_at: None,
            priority: 0,
            due_at: None,
            due_is_date: false,
            tags: StoredTags(Vec::new()),
            created_at: moment,
            updated_at: moment,
            revision,
            deleted_at: None,
            uid,
        }
    }

    /// Sets a column, as a statement would. A column that is not read of a task changes nothing here.
    pub(super) fn set(&mut self, column: Column, value: &Value) -> Result<(), DbErr> {
        match (column, value) {
            (Column::Title, Value::String(Some(text))) => self.title.clone_from(text),
            (Column::Description, Value::String(text)) => self.description.clone_from(text),
            (Column::CompletedAt, Value::ChronoDateTimeUtc(time)) => self.completed_at = *time,
            (Column::Priority, Value::SmallInt(Some(rank))) => self.priority = *rank,
            (Column::DueAt, Value::ChronoDateTimeUtc(time)) => self.due_at = *time,
            (Column::DueIsDate, Value::Bool(Some(is_date))) => self.due_is_date = *is_date,
            (Column::Tags, Value::Json(Some(tags))) => {
                let tags = StoredTags::deserialize(&**tags);
                self.tags = tags.map_err(|error| DbErr::Json(error.to_string()))?;
            }
            (Column::DeletedAt, Value::ChronoDateTimeUtc(time)) => self.deleted_at = *time,
            (Column::TitleFold | Column::DescriptionFold | Column::TagsFold, _) => {}
            (column, value) => {
                let column = column.as_str();
                return Err(DbErr::Custom(format!("{column} cannot be {value:?}")));
            }
        }
        Ok(())
    }

    /// The tombstone.
    pub(super) fn into_deleted(self) -> Result<DeletedTask, StoreError> {
        Ok(DeletedTask {
            id: TaskId::new(self.id).ok_or_else(|| Self::broken(self.id, "id"))?,
            version: Version::new(self.revision)
                .ok_or_else(|| Self::broken(self.id, "revision"))?,
            uid: Nullable(self.uid.map(Uid::stored)),
        })
    }

    fn broken(id: i64, what: &str) -> StoreError {
        StoreError::Internal(format!("task {id}: bad {what}"))
    }

    /// The task. It fails on a row that this program cannot have written.
    pub(super) fn into_task(self, user_id: &str) -> Result<Task, StoreError> {
        let broken = |what: &str| Self::broken(self.id, what);
        Ok(Task {
            id: TaskId::new(self.id).ok_or_else(|| broken("id"))?,
            uid: Nullable(self.uid.map(Uid::stored)),
            user_id: UserIdText(user_id.to_owned()),
            title: Title::stored(self.title),
            description: Nullable(self.description.map(Description::stored)),
            completed: Flag(self.completed_at.is_some()),
            completed_at: Nullable(self.completed_at.map(Timestamp::new)),
            priority: priority(self.priority).ok_or_else(|| broken("priority"))?,
            due_date: Nullable(self.due_at.map(|at| DueDate::stored(at, self.due_is_date))),
            tags: Tags::stored(self.tags.0),
            created_at: Timestamp::new(self.created_at),
            updated_at: Timestamp::new(self.updated_at),
            version: Version::new(self.revision).ok_or_else(|| broken("revision"))?,
        })
    }
}

/// The number that stands for a priority, so that it sorts by urgency.
pub(super) fn rank(priority: Priority) -> i16 {
    match priority {
        Priority::Low => 0,
        Priority::Medium => 1,
        Priority::High => 2,
    }
}

fn priority(rank: i16) -> Option<Priority> {
    [Priority::Low, Priority::Medium, Priority::High]
        .into_iter()
        .find(|p| self::rank(*p) == rank)
}
