//! First pages of lists without a filter: many requests in one statement, which reads no more than has changed.
//!
//! A request says at which revision it knows the page. If that is the user's revision, the statement reads the clock alone.
//! If a few tasks have changed since, it reads those; otherwise the page. A task that was deleted since and is purged
//! already cannot be read, so then it is the page, too.

use std::sync::{Arc, LazyLock};

use sea_orm::{
    DbErr, IdenStatic as _, QueryResult,
    sea_query::{Alias, Expr, ExprTrait as _, PostgresQueryBuilder, Query},
    sqlx::{self, AssertSqlSafe, PgConnection},
};

use super::order::Ordering;
use crate::{
    auth::UserId,
    contract::Sort,
    store::{
        Usage,
        engine::{Grouped, Sqlite, fetch, place},
        entity::{task, task::Column as Task},
        row::{COLUMNS, TaskRow, columns_of},
    },
    telemetry::StatementKind,
};

/// Up to so many changes are read as such. Beyond it, the page is read.
const CHANGES: i64 = 16;

/// Reads first pages.
pub(super) enum Paging {}

/// A first page that is asked for.
#[derive(Debug, Clone)]
pub(super) struct FirstPage {
    pub(super) user: UserId,
    pub(super) sort: Sort,
    /// The most tasks to be read.
    pub(super) most: i64,
    /// The revision at which the page is known.
    pub(super) known: Option<i64>,
}

/// What was read, at one moment.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// The user's revision; 0 before the first write.
    pub(super) revision: i64,
    /// The greatest revision of a tombstone that was purged.
    pub(super) purged_revision: i64,
    /// What the user stores.
    pub(super) stored: Usage,
    /// The page, or the tasks that [have changed](FirstPage::is_told_changes), deleted ones too. In no order.
    pub(super) rows: Vec<ShownRow>,
}

impl FirstPage {
    /// Whether the statement reads what has changed since the revision that is known, instead of the page. The
    /// statement decides it in the same way.
    pub(super) fn is_told_changes(&self, shown: &Shown) -> bool {
        self.known.is_some_and(|known| {
            known >= shown.purged_revision && (0..=CHANGES).contains(&(shown.revision - known))
        })
    }
}

/// A task, and its folded title in the orders by title.
#[derive(Debug)]
pub(super) struct ShownRow {
    pub(super) task: TaskRow,
    pub(super) title_fold: Option<String>,
}

/// The statements by [`Sort`]: for one page, and for many. sea-query knows neither `unnest` of several arrays nor a limit
/// that is a column; the sub-selects keep the planner from planning for the length of each array anew.
static STATEMENTS: LazyLock<Vec<(Sort, [Arc<str>; 2])>> = LazyLock::new(|| {
    let one =
        "(SELECT 1::int8 AS place, $1::text AS user_id, $2::int8 AS most, $3::int8 AS known) AS k";
    let many = "unnest((SELECT $1::text[]), (SELECT $2::int8[]), (SELECT $3::int8[])) \
                WITH ORDINALITY AS k(user_id, most, known, place)";
    let of = |sort| {
        (
            sort,
            [statement(sort, one).into(), statement(sort, many).into()],
        )
    };
    Sort::all().map(of).collect()
});

/// The statements for an order: for one page, and for many.
fn statements(sort: Sort) -> Result<&'static [Arc<str>; 2], DbErr> {
    let found = STATEMENTS.iter().find(|(of, _)| *of == sort);
    found
        .map(|(_, texts)| texts)
        .ok_or_else(|| DbErr::Custom("no statement for an order".to_owned()))
}

fn statement(sort: Sort, requests: &str) -> String {
    let order = Ordering::of(sort, None);
    let columns = |table| match order.by_title() {
        true => format!(
            r#"{}, {table}."{}""#,
            columns_of(table),
            Task::TitleFold.as_str()
        ),
        false => columns_of(table),
    };
    let table = Alias::new("t");
    let mut tasks = Query::select();
    tasks
        .columns(COLUMNS.map(|column| (table.clone(), column)))
        .from_as(task::Entity, table.clone())
        .and_where(Expr::cust("t.user_id = k.user_id"))
        .and_where(Expr::col((table.clone(), Task::DeletedAt)).is_null());
    if order.by_title() {
        tasks.column((table, Task::TitleFold));
    }
    order.apply(&mut tasks, Some("t"));
    format!(
        "SELECT k.place, c.user_id, c.revision, c.purged_revision, c.task_count, c.row_count, c.stored_bytes, {shown}
FROM {requests}
JOIN user_clock c ON c.user_id = k.user_id
LEFT JOIN LATERAL (
    SELECT * FROM ({page} LIMIT k.most) AS page
    WHERE k.known IS NULL OR c.revision - k.known NOT BETWEEN 0 AND {CHANGES} OR k.known < c.purged_revision
    UNION ALL
    SELECT {changed} FROM task t
    WHERE t.user_id = k.user_id AND t.revision > k.known AND c.revision - k.known BETWEEN 1 AND {CHANGES}
        AND k.known >= c.purged_revision
) AS p ON true",
        shown = columns("p"),
        page = tasks.to_string(PostgresQueryBuilder),
        changed = columns("t"),
    )
}

impl Grouped for Paging {
    type Element = FirstPage;
    type Answer = Shown;

    const KIND: StatementKind = StatementKind::FirstPages;
    const LANES: usize = 2;
    const MAX: usize = 16;

    fn joins(one: &FirstPage, other: &FirstPage) -> bool {
        one.sort == other.sort
    }

    fn repeats(_: &FirstPage) -> bool {
        true
    }

    async fn alone(connection: &mut PgConnection, page: &FirstPage) -> Result<Shown, DbErr> {
        let [one, _] = statements(page.sort)?;
        let query = sqlx::query(AssertSqlSafe(one.clone()))
            .bind(page.user.as_str())
            .bind(page.most)
            .bind(page.known);
        let rows = fetch(connection, query).await?;
        let mut shown = hand_back(rows, page.sort, &[&page.user])?;
        shown.pop().ok_or_else(|| misread("nobody's page"))
    }

    async fn together(
        connection: &mut PgConnection,
        pages: &[Arc<FirstPage>],
    ) -> Result<Vec<Option<Shown>>, DbErr> {
        let sort = pages[0].sort;
        let [_, many] = statements(sort)?;
        let query = sqlx::query(AssertSqlSafe(many.clone()))
            .bind(
                pages
                    .iter()
                    .map(|page| page.user.as_str())
                    .collect::<Vec<_>>(),
            )
            .bind(pages.iter().map(|page| page.most).collect::<Vec<_>>())
            .bind(pages.iter().map(|page| page.known).collect::<Vec<_>>());
        let rows = fetch(connection, query).await?;
        let users: Vec<&UserId> = pages.iter().map(|page| &page.user).collect();
        let shown = hand_back(rows, sort, &users)?;
        Ok(shown.into_iter().map(Some).collect())
    }

    async fn on_sqlite(_: &Sqlite, _: FirstPage) -> Result<Shown, DbErr> {
        Err(DbErr::Custom("SQLite reads each page alone".to_owned()))
    }
}

/// Where the columns of a task begin.
const TASK: usize = 7;

/// Gives each user's request its rows.
fn hand_back(rows: Vec<QueryResult>, sort: Sort, users: &[&UserId]) -> Result<Vec<Shown>, DbErr> {
    let by_title = Ordering::of(sort, None).by_title();
    let mut all: Vec<Shown> = users.iter().map(|_| Shown::default()).collect();
    for row in rows {
        let index = place(&row, 0)?;
        let (Some(shown), Some(user)) = (all.get_mut(index), users.get(index)) else {
            return Err(misread("a page that nobody asked for"));
        };
        if row.try_get_by_index::<String>(1)? != user.as_str() {
            return Err(misread("the page of another user"));
        }
        shown.revision = row.try_get_by_index(2)?;
        shown.purged_revision = row.try_get_by_index(3)?;
        shown.stored = Usage::read(&row, 4)?;
        // If no task is read, there is a row for the clock, with nulls.
        if row.try_get_by_index::<Option<i64>>(TASK)?.is_none() {
            continue;
        }
        shown.rows.push(ShownRow {
            task: TaskRow::read_from(&row, TASK)?,
            title_fold: match by_title {
                true => row.try_get_by_index(TASK + COLUMNS.len())?,
                false => None,
            },
        });
    }
    Ok(all)
}

fn misread(what: &str) -> DbErr {
    DbErr::Custom(format!("a group read {what}"))
}
