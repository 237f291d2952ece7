//! `find_tasks`.

use std::{collections::BTreeMap, fmt};

use rmcp::schemars::JsonSchema;
use serde::Serialize;

use crate::{
    access::Price,
    contract::{
        CursorText, DueFilter, Flag, Maybe, PageLimit, Priority, Revision, SearchText, Sort, Tag,
        TimeZone,
    },
    mcp::{
        arguments::{arguments, at},
        date::{DateText, Dates},
        outcome::resolved,
        row::{Row, quoted},
        tool::{Call, Effect, Outcome, Tool},
        tool_error::ToolError,
    },
    store::{FeedPage, Filter, ListQuery, Read, Scope, StoreError},
};

/// Finds a page of tasks.
pub(in crate::mcp) struct FindTasks;

arguments! {
    /// Which tasks, in which order.
    struct FindTasksArguments {
        /// Text in the title or description, ignoring case
        q: Maybe<SearchText>,
        /// false: open; true: done; absent: both
        completed: Maybe<Flag>,
        /// true: open and due before now
        overdue: Maybe<Flag>,
        priority: Maybe<Priority>,
        tag: Maybe<Tag>,
        /// none: without a due date
        due: Maybe<DueFilter>,
        /// First day or time, included; a date as in add_tasks
        due_from: Maybe<DateText>,
        /// Last day or time, included
        due_to: Maybe<DateText>,
        /// Only tasks changed after this revision, and what was deleted: 0 at first, then the `revision` of the last answer
        changed_since: Maybe<Revision>,
        /// Default -created_at (newest first); no due date comes last
        sort: Maybe<Sort>,
        /// Default 25
        limit: Maybe<PageLimit>,
        /// next_cursor of the page before; keep the other arguments
        cursor: Maybe<CursorText>,
        /// IANA; needed with overdue, due_from, due_to
        time_zone: Maybe<TimeZone>,
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub(in crate::mcp) struct FoundTasks {
    tasks: Vec<Row>,
    /// On all pages
    total: i64,
    /// On the first page with changed_since
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
    /// Ids of tasks deleted since
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deleted: Vec<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dates: Option<BTreeMap<String, String>>,
}

impl fmt::Display for FoundTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} tasks", self.tasks.len(), self.total)?;
        if let Some(dates) = &self.dates {
            write!(f, "; {}", resolved(dates))?;
        }
        if let Some(revision) = self.revision {
            write!(f, "; revision {revision}")?;
        }
        if !self.deleted.is_empty() {
            let ids: Vec<String> = self.deleted.iter().map(|id| format!("#{id}")).collect();
            write!(f, "; deleted: {}", ids.join(" "))?;
        }
        self.tasks
            .iter()
            .try_for_each(|task| write!(f, "\n{task}"))?;
        match &self.next_cursor {
            Some(cursor) => write!(f, "\nnext_cursor {}", quoted(cursor)),
            None => Ok(()),
        }
    }
}

impl Outcome for FoundTasks {}

/// How many tasks a page has without `limit`: as many as a model can look through at once.
const DEFAULT_LIMIT: i64 = 25;

impl Tool for FindTasks {
    const NAME: &'static str = "find_tasks";
    const TITLE: &'static str = "Find tasks";
    const DESCRIPTION: &'static str = "List or search tasks: a page of them, and the total. \
        Rows leave out defaults (completed false, priority medium).";
    type Access = Read;
    const EFFECT: Effect = Effect::Reads;
    type Arguments = FindTasksArguments;
    type Output = FoundTasks;

    fn price(wanted: &FindTasksArguments) -> Price {
        Price::of_list(wanted.q.0.as_ref())
    }

    async fn call(call: Call<Read>, wanted: FindTasksArguments) -> Result<FoundTasks, ToolError> {
        let FindTasksArguments {
            q,
            completed,
            overdue,
            priority,
            tag,
            due,
            due_from,
            due_to,
            changed_since,
            sort,
            limit,
            cursor,
            time_zone,
        } = wanted;
        let mut dates = Dates::new(call.now, time_zone.0);
        let overdue = overdue.0.is_some_and(|Flag(overdue)| overdue);
        if overdue && (due_to.0.is_some() || completed.0 == Some(Flag(true))) {
            return Err(ToolError(
                "`overdue` finds open tasks that were due before now: leave out `due_to` and `completed`"
                    .to_owned(),
            ));
        }
        let due_after = due_from
            .0
            .map(|said| dates.from(&said).map_err(at("due_from")))
            .transpose()?;
        let due_before = match (overdue, due_to.0) {
            (true, _) => Some(dates.present().map_err(at("overdue"))?),
            (false, Some(said)) => Some(dates.to(&said).map_err(at("due_to"))?),
            (false, None) => None,
        };
        let query = ListQuery {
            filter: Filter {
                completed: completed
                    .0
                    .map(|Flag(done)| done)
                    .or(overdue.then_some(false)),
                priority: priority.0,
                tag: tag.0,
                due: due.0,
                due_before,
                due_after,
                q: q.0,
                changed_since: changed_since.0,
            },
            sort: sort.0.unwrap_or(Sort::CreatedDesc),
            time_zone: time_zone.0,
            limit: limit
                .0
                .or(PageLimit::new(DEFAULT_LIMIT))
                .unwrap_or(PageLimit::DEFAULT),
            cursor: cursor.0,
        };
        // A later page goes on with the first, whose revision counts.
        let since = changed_since.0.filter(|_| query.cursor.is_none());
        let scope = call.caller.scope();
        let deletions = match since {
            Some(since) => Some(deletions(scope, since).await?),
            None => None,
        };
        let tasks = scope.tasks();
        let (page, total) = futures_util::try_join!(tasks.list(&query), tasks.count(&query.filter))
            .map_err(|error| match error {
                StoreError::BadCursor => ToolError(
                    "`cursor` is not the next_cursor of a page with these arguments; start again without it".to_owned(),
                ),
                other => other.into(),
            })?;
        Ok(FoundTasks {
            tasks: page
                .items
                .iter()
                .map(|task| Row::of(task, &dates))
                .collect(),
            total,
            // Deletions were read first. What came in between is told again the next time.
            revision: deletions.as_ref().map(|told| told.next),
            deleted: deletions.map_or_else(Vec::new, |told| {
                told.deleted
                    .iter()
                    .map(|deleted| deleted.id.get())
                    .collect()
            }),
            next_cursor: page.next_cursor,
            dates: dates.into_resolved(),
        })
    }
}

/// What was deleted after a revision. Whoever begins with 0 knows of no task.
async fn deletions(scope: &Scope<Read>, since: Revision) -> Result<FeedPage, ToolError> {
    let most = PageLimit::new(MOST_DELETED).unwrap_or(PageLimit::DEFAULT);
    let told = scope.changes().deleted(since.get(), most).await;
    let again = "forget the tasks that you know, and call again with `changed_since` 0";
    let mut told = match told {
        Err(StoreError::ResyncRequired(_)) => {
            let why = "what was deleted after that revision is no longer known";
            return Err(ToolError(format!("`changed_since`: {why}; {again}")));
        }
        told => told?,
    };
    if since.get() == 0 {
        told.deleted.clear();
    } else if told.cursor.is_some() {
        let why = format!("more than {MOST_DELETED} tasks were deleted since");
        return Err(ToolError(format!("`changed_since`: {why}; {again}")));
    }
    Ok(told)
}

/// How many deletions are told to a model.
const MOST_DELETED: i64 = 100;
