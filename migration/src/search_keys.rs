//! Rewrites the search keys of all tasks, which a program computes and no database can.
//!
//! What a search key is, the program decides and not this crate, so the migrator is given the functions. A
//! migration of this kind therefore has one meaning for ever: the stored keys are those of the program that
//! ran it. When a function changes, another one is added.
//!
//! It does not hold up the server: it reads in batches and changes only what differs, each batch in one
//! statement, and never overwrites a task that was changed since it was read. It can be broken off and begun
//! again at any time. Processes of the older version, which write keys of the older form meanwhile, do no harm:
//! the texts themselves stay as they were sent, and such tasks are found as the older version finds them until
//! their keys are computed again (`taskward migrate reindex`).

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, FromQueryResult, JsonValue},
    sea_query::{TableRef, ValueTuple},
};

/// The functions that compute search keys.
#[derive(Debug, Clone, Copy)]
pub struct SearchKeys {
    /// That of a title or a description.
    pub text: fn(&str) -> String,
    /// That of all tags of a task, which are stored as a JSON array of strings.
    pub tags: fn(Vec<String>) -> String,
}

/// Rows in one batch, which are locked together while they are written: 6 parameters each.
const BATCH: usize = 500;

/// The migration that rewrites the keys; each time under another name.
pub(crate) struct RewriteSearchKeys {
    pub(crate) name: &'static str,
    pub(crate) search_keys: SearchKeys,
}

impl MigrationName for RewriteSearchKeys {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for RewriteSearchKeys {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        rewrite(manager.get_connection(), self.search_keys).await?;
        Ok(())
    }

    /// Keys are no schema: an older program finds what it finds, and writes its own.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    /// One for all batches would keep all rows locked until the last.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

#[derive(DeriveIden, Clone, Copy)]
enum Task {
    Table,
    UserId,
    Id,
    Revision,
    Title,
    Description,
    Tags,
    TitleFold,
    DescriptionFold,
    TagsFold,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    user_id: String,
    id: i64,
    revision: i64,
    title: String,
    description: Option<String>,
    tags: JsonValue,
    title_fold: String,
    description_fold: Option<String>,
    tags_fold: String,
}

/// Computes the keys of all tasks again, deleted ones included, and returns how many differed.
///
/// # Errors
/// If the database fails. What was rewritten before stays.
pub async fn rewrite(db: &impl ConnectionTrait, search_keys: SearchKeys) -> Result<u64, DbErr> {
    let mut after: Option<(String, i64)> = None;
    let mut rewritten = 0;
    loop {
        let rows = read(db, after.as_ref()).await?;
        let Some(last) = rows.last() else {
            return Ok(rewritten);
        };
        let last = (last.user_id.clone(), last.id);
        let mended: Vec<_> = rows
            .iter()
            .filter_map(|row| mend(row, search_keys))
            .collect();
        let differ = mended.len() as u64;
        let written = if mended.is_empty() {
            0
        } else {
            write(db, mended).await?
        };
        rewritten += written;
        // Those that somebody changed meanwhile are looked at again, with the rest of their batch.
        if written == differ {
            after = Some(last);
        }
    }
}

/// The next batch after a task, in the order of the primary key.
async fn read(db: &impl ConnectionTrait, after: Option<&(String, i64)>) -> Result<Vec<Row>, DbErr> {
    let key = [Task::UserId, Task::Id].map(Expr::col);
    let mut select = Query::select()
        .columns([
            Task::UserId,
            Task::Id,
            Task::Revision,
            Task::Title,
            Task::Description,
            Task::Tags,
            Task::TitleFold,
            Task::DescriptionFold,
            Task::TagsFold,
        ])
        .from(Task::Table)
        .order_by(Task::UserId, Order::Asc)
        .order_by(Task::Id, Order::Asc)
        .limit(BATCH as u64)
        .to_owned();
    if let Some((user, id)) = after {
        let after = Expr::tuple([user.as_str().into(), (*id).into()]);
        select.and_where(Expr::tuple(key).gt(after));
    }
    let rows = db.query_all(&select).await?;
    rows.iter()
        .map(|row| Row::from_query_result(row, ""))
        .collect()
}

/// The row's key, its revision and its right search keys, unless it has them.
fn mend(row: &Row, search_keys: SearchKeys) -> Option<ValueTuple> {
    let title = (search_keys.text)(&row.title);
    let description = row.description.as_deref().map(search_keys.text);
    let tags = row.tags.as_array().into_iter().flatten();
    let tags = tags.filter_map(|tag| tag.as_str().map(str::to_owned));
    let tags = (search_keys.tags)(tags.collect());
    if title == row.title_fold && description == row.description_fold && tags == row.tags_fold {
        return None;
    }
    Some(ValueTuple::Many(vec![
        row.user_id.as_str().into(),
        row.id.into(),
        row.revision.into(),
        title.into(),
        description.into(),
        tags.into(),
    ]))
}

/// Writes a batch, in one statement, and returns how many rows were still as they had been read.
async fn write(db: &impl ConnectionTrait, rows: Vec<ValueTuple>) -> Result<u64, DbErr> {
    let new = |column: &'static str| Expr::col((Alias::new("new"), Alias::new(column)));
    let old = |column: Task| Expr::col((Task::Table, column));
    let update = Query::update()
        .table(Task::Table)
        .value(Task::TitleFold, new("column4"))
        .value(Task::DescriptionFold, new("column5"))
        .value(Task::TagsFold, new("column6"))
        .from(TableRef::ValuesList(rows, Alias::new("new").into_iden()))
        .and_where(old(Task::UserId).eq(new("column1")))
        .and_where(old(Task::Id).eq(new("column2")))
        .and_where(old(Task::Revision).eq(new("column3")))
        .to_owned();
    Ok(db.execute(&update).await?.rows_affected())
}
