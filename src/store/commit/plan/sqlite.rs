//! A plan on SQLite, in the transaction of the one writer.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveModelTrait as _, ConnectionTrait as _, DatabaseTransaction, DbErr, EntityTrait as _,
    ExprTrait as _, IdenStatic as _, IntoActiveModel as _,
    prelude::DateTimeUtc,
    sea_query::{Alias, Expr, Query, TableRef, UnionType, Value, ValueTuple},
};

use super::{Before, Decision, Plan, RowWrite, Wanted, Writes, first_clock, found};
use crate::{
    auth::UserId,
    store::{
        commit::{Sizes, Stored, insert::insert},
        entity::{task, task::Column as Task, user_clock},
        row::COLUMNS,
    },
};

/// Carries a plan out.
pub(in crate::store::commit) async fn on_sqlite(
    transaction: &DatabaseTransaction,
    user: &UserId,
    now: DateTimeUtc,
    plan: &dyn Plan,
) -> Result<(), DbErr> {
    let clock = user_clock::Entity::find_by_id(user.as_str())
        .one(transaction)
        .await?;
    let is_first = clock.is_none();
    let mut before = Before {
        clock: clock.unwrap_or_else(|| first_clock(user, now)),
        found: read(transaction, user, plan.wanted()).await?,
        tombstones: None,
    };
    let mut decision = plan.decide(&before);
    if let Decision::NeedsRoom = decision {
        let rows = transaction.query_all(&Stored::of(user.as_str())).await?;
        before.tombstones = Some(Stored::read(&rows)?.tombstones);
        decision = plan.decide(&before);
    }
    let Decision::Write(Writes {
        clock,
        rows,
        purged,
    }) = decision
    else {
        return Ok(());
    };
    let moment = clock.updated_at.to_utc();
    let clock = clock.into_active_model();
    match is_first {
        true => clock.insert(transaction).await?,
        false => clock.reset_all().update(transaction).await?,
    };
    // A new task may have the uid of one that goes.
    purge(transaction, user, &purged).await?;
    let (created, changed) = rows.into_iter().partition(|row| row.new.is_some());
    create(transaction, user, moment, created).await?;
    change(transaction, user, moment, changed).await
}

async fn read(
    transaction: &DatabaseTransaction,
    user: &UserId,
    Wanted { ids, uids, keys }: &Wanted,
) -> Result<Vec<super::FoundTask>, DbErr> {
    let by = |column: Task, values: Vec<Value>| {
        (!values.is_empty()).then(|| {
            Query::select()
                .columns(COLUMNS)
                .columns([Task::CreateKey, Task::CreateHash])
                .exprs(Sizes::exprs(None))
                .from(task::Entity)
                .and_where(Expr::col(Task::UserId).eq(user.as_str()))
                .and_where(Expr::col(column).is_in(values))
                .take()
        })
    };
    let of_texts = |texts: &[String]| texts.iter().map(|text| text.as_str().into()).collect();
    let selects = [
        by(Task::Id, ids.iter().map(|id| (*id).into()).collect()),
        by(Task::Uid, of_texts(uids)),
        by(Task::CreateKey, of_texts(keys)),
    ];
    let Some(select) = selects.into_iter().flatten().reduce(|mut all, one| {
        all.union(UnionType::All, one);
        all
    }) else {
        return Ok(Vec::new());
    };
    let rows = transaction.query_all(&select).await?;
    rows.iter().map(|row| found(row, 0)).collect()
}

/// Ids in one statement. SQLite takes 32,766 parameters.
const IDS: usize = 1_000;

async fn purge(
    transaction: &DatabaseTransaction,
    user: &UserId,
    purged: &[i64],
) -> Result<(), DbErr> {
    for ids in purged.chunks(IDS) {
        let delete = Query::delete()
            .from_table(task::Entity)
            .and_where(Expr::col(Task::UserId).eq(user.as_str()))
            .and_where(Expr::col(Task::Id).is_in(ids.iter().copied()))
            .take();
        transaction.execute(&delete).await?;
    }
    Ok(())
}

async fn create(
    transaction: &DatabaseTransaction,
    user: &UserId,
    moment: DateTimeUtc,
    rows: Vec<RowWrite>,
) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.into_iter().map(|row| (user.as_str(), moment, row));
    transaction.execute(&insert(rows)).await.map(|_| ())
}

/// Changes tasks: one statement for all of which the same columns are set.
async fn change(
    transaction: &DatabaseTransaction,
    user: &UserId,
    moment: DateTimeUtc,
    rows: Vec<RowWrite>,
) -> Result<(), DbErr> {
    let mut alike: BTreeMap<Vec<&str>, Vec<RowWrite>> = BTreeMap::new();
    for mut row in rows {
        row.values.sort_by_key(|(column, _)| column.as_str());
        let columns = row.values.iter().map(|(column, _)| column.as_str());
        alike.entry(columns.collect()).or_default().push(row);
    }
    for rows in alike.into_values() {
        let count = rows.len();
        let columns: Vec<Task> = rows
            .first()
            .map(|row| row.values.iter().map(|(column, _)| *column).collect())
            .unwrap_or_default();
        let tuples = rows.into_iter().map(|row| {
            let own = [row.id.into(), row.revision.into()];
            let values = row.values.into_iter().map(|(_, value)| value);
            ValueTuple::Many(own.into_iter().chain(values).collect())
        });
        // SQLite names the columns of `VALUES` itself.
        let new = || Alias::new("n");
        let value = |place: usize| Expr::col((new(), Alias::new(format!("column{place}"))));
        let mut update = Query::update();
        update
            .table(task::Entity)
            .from(TableRef::ValuesList(tuples.collect(), new().into()))
            .value(Task::UpdatedAt, moment)
            .value(Task::Revision, value(2))
            .and_where(Expr::col((task::Entity, Task::UserId)).eq(user.as_str()))
            .and_where(Expr::col((task::Entity, Task::Id)).equals((new(), Alias::new("column1"))));
        for (place, column) in (3..).zip(columns) {
            update.value(column, value(place));
        }
        let done = transaction.execute(&update).await?.rows_affected();
        if done != count as u64 {
            return Err(DbErr::Custom("a task of a plan is not there".to_owned()));
        }
    }
    Ok(())
}
