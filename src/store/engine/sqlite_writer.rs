//! Writes to SQLite: all that wait go together into one transaction.
//!
//! A commit waits for the disk, whatever it holds, and SQLite has one writer at a time. So one task has the
//! connection that writes. It takes every write that has arrived, runs them in one transaction and answers them
//! after the commit. Those that join each other go in the same statements. There is no timer: a lone write goes
//! alone and at once. Reads have connections of their own and never wait for it.

use std::{
    any::Any,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use sea_orm::{
    ConnAcquireErr, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument as _, Span};

use super::{immediate, metrics::Counters};
use crate::store::error::{Outage, is_busy};

/// The most writes in one transaction. A larger one would make the first of them wait for the last.
const MAX_GROUP: usize = 128;
/// The most writes that wait. Beyond it, senders wait for a place until their time is over.
const QUEUE: usize = 1024;

/// What is written to SQLite.
pub(in crate::store) trait SqliteWrite: Any + Send + Sync {
    /// Runs it in a transaction, which is committed afterwards. It may be run again after a rollback. An error must undo
    /// what it did.
    fn run<'a>(
        &'a self,
        transaction: &'a DatabaseTransaction,
    ) -> BoxFuture<'a, Result<Vec<QueryResult>, DbErr>>;

    /// Whether it can go in the same statements as these, which go in the same statements already.
    fn joins(&self, _others: &[&dyn SqliteWrite]) -> bool {
        false
    }

    /// Runs it, and others that [join](Self::joins) it. The rows of each, in its place.
    fn run_with<'a>(
        &'a self,
        _others: &'a [&'a dyn SqliteWrite],
        _transaction: &'a DatabaseTransaction,
    ) -> BoxFuture<'a, Result<Vec<Vec<QueryResult>>, DbErr>> {
        Box::pin(async { Err(DbErr::Custom("a write that joins no others".to_owned())) })
    }
}

/// What became of a write: the rows that it wrote.
type Done = Result<Vec<QueryResult>, DbErr>;

/// A write that waits for its commit.
struct Job {
    write: Box<dyn SqliteWrite>,
    since: Instant,
    deadline: Instant,
    /// The span of the request, so that what is logged here has its id.
    span: Span,
    answer: oneshot::Sender<Done>,
}

/// The way to the task that writes. That task ends with the last of these.
#[derive(Debug, Clone)]
pub(super) struct SqliteWriter {
    jobs: mpsc::Sender<Job>,
    limit: Duration,
}

impl SqliteWriter {
    /// Starts the task. `limit`: how long a write may wait for its turn.
    pub(super) fn start(
        connection: DatabaseConnection,
        limit: Duration,
        counters: Counters,
    ) -> Self {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(run(connection, waiting, counters));
        Self { jobs, limit }
    }

    /// Runs a write and waits for its commit. It is done or not done as a whole, also if the caller goes away.
    pub(super) async fn write(&self, write: Box<dyn SqliteWrite>) -> Done {
        let (answer, done) = oneshot::channel();
        let since = Instant::now();
        let job = Job {
            write,
            since,
            deadline: since + self.limit,
            span: Span::current(),
            answer,
        };
        match self.jobs.send_timeout(job, self.limit).await {
            Ok(()) => {}
            Err(_) => return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
        done.await
            .unwrap_or_else(|_| Err(DbErr::Custom("the writing task has ended".to_owned())))
    }
}

async fn run(connection: DatabaseConnection, mut jobs: mpsc::Receiver<Job>, counters: Counters) {
    let mut group = Vec::with_capacity(MAX_GROUP);
    while jobs.recv_many(&mut group, MAX_GROUP).await > 0 {
        counters.set_waiting(jobs.len());
        counters.send(group.iter().map(|job| job.since));
        let Some(transaction) = begin(&connection, &mut group, &mut jobs).await else {
            continue;
        };
        let Some(undone) = together(transaction, std::mem::take(&mut group)).await else {
            continue;
        };
        group = undone;
        if let Some(transaction) = begin(&connection, &mut group, &mut jobs).await {
            apart(transaction, std::mem::take(&mut group)).await;
        }
    }
}

/// Takes the write lock. Another process may hold it: a job whose time ends meanwhile is answered, and `None` comes
/// when that is so for all of them.
async fn begin(
    connection: &DatabaseConnection,
    group: &mut Vec<Job>,
    jobs: &mut mpsc::Receiver<Job>,
) -> Option<DatabaseTransaction> {
    loop {
        let error = match connection.begin_with_options(immediate()).await {
            Ok(transaction) => return Some(transaction),
            Err(error) => error,
        };
        // Those that have arrived since have their own time.
        while let Ok(job) = jobs.try_recv() {
            group.push(job);
        }
        let now = Instant::now();
        let again = is_busy(&error);
        let (over, waiting) = std::mem::take(group)
            .into_iter()
            .partition::<Vec<_>, _>(|job| !again || job.deadline <= now);
        answer_all(over, &error);
        *group = waiting;
        if group.is_empty() {
            return None;
        }
    }
}

/// Runs all in one transaction. Gives the jobs back, undone, if one of them failed for a reason of its own.
async fn together(transaction: DatabaseTransaction, group: Vec<Job>) -> Option<Vec<Job>> {
    let rows = match all(&transaction, &group).await {
        Ok(rows) => rows,
        Err(error) => {
            let undone = transaction.rollback().await;
            let outage = Outage::of(&error).is_some() || undone.is_err();
            if outage || group.len() == 1 {
                answer_all(group, &error);
                return None;
            }
            return Some(group);
        }
    };
    match transaction.commit().await {
        Ok(()) => {
            for (job, rows) in group.into_iter().zip(rows) {
                let _ = job.answer.send(Ok(rows));
            }
        }
        Err(error) => answer_all(group, &error),
    }
    None
}

/// Runs all, those that join each other in the same statements. The rows of each, in its place.
async fn all(
    transaction: &DatabaseTransaction,
    group: &[Job],
) -> Result<Vec<Vec<QueryResult>>, DbErr> {
    let mut rows: Vec<Option<Vec<QueryResult>>> = group.iter().map(|_| None).collect();
    for place in 0..group.len() {
        if rows[place].is_some() {
            continue;
        }
        let mut places = vec![place];
        let mut company = vec![&*group[place].write];
        for (place, job) in group.iter().enumerate().skip(place + 1) {
            if rows[place].is_none() && job.write.joins(&company) {
                places.push(place);
                company.push(&*job.write);
            }
        }
        let span = group[place].span.clone();
        let done = match &*company {
            [first, others @ ..] if !others.is_empty() => {
                let run = first.run_with(others, transaction);
                run.instrument(span).await?
            }
            _ => vec![run_one(transaction, &group[place]).await?],
        };
        // Otherwise one of them would be run again, or get the rows of another.
        if done.len() != places.len() {
            return Err(DbErr::Custom("a write has no rows of its own".to_owned()));
        }
        for (place, done) in places.into_iter().zip(done) {
            rows[place] = Some(done);
        }
    }
    Ok(rows.into_iter().map(Option::unwrap_or_default).collect())
}

/// Runs all in one transaction, each with a savepoint, so that one that fails for a reason of its own undoes nothing
/// of the others. What the database itself cannot do ends all of them: SQLite may have ended the transaction.
async fn apart(transaction: DatabaseTransaction, group: Vec<Job>) {
    let mut results: Vec<Done> = Vec::with_capacity(group.len());
    for job in &group {
        let result = match transaction.begin().await {
            Ok(savepoint) => match run_one(&savepoint, job).await {
                Ok(row) => savepoint.commit().await.map(|()| row),
                Err(error) => savepoint.rollback().await.and(Err(error)),
            },
            Err(error) => Err(error),
        };
        if let Err(error) = &result
            && Outage::of(error).is_some()
        {
            let error = error.clone();
            let _ = transaction.rollback().await;
            return answer_all(group, &error);
        }
        results.push(result);
    }
    match transaction.commit().await {
        Ok(()) => {
            for (job, result) in group.into_iter().zip(results) {
                let _ = job.answer.send(result);
            }
        }
        Err(error) => answer_all(group, &error),
    }
}

async fn run_one(transaction: &DatabaseTransaction, job: &Job) -> Done {
    job.write
        .run(transaction)
        .instrument(job.span.clone())
        .await
}

fn answer_all(jobs: Vec<Job>, error: &DbErr) {
    for job in jobs {
        let _ = job.answer.send(Err(error.clone()));
    }
}
