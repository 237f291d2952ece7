//! `find_tasks`.

use std::fmt;

use rmcp::schemars::JsonSchema;
use serde::Serialize;

use crate::{
    api::Read,
    contract::{
        Count, CursorText, Filter, Flag, ListQuery, Maybe, Priority, SearchText, Sort, Tag,
    },
    mcp::{
        arguments::arguments,
        row::{Row, quoted},
        toolbox::{Call, Effect, Outcome, Refusal, Tooling},
    },
};

/// A page of tasks.
pub(in crate::mcp) struct FindTasks;

arguments! {
    /// Which tasks, in which order.
    struct Wanted {
        /// Text in the title or description, any case
        q: Maybe<SearchText>,
        /// false: open tasks; true: done ones; absent: both
        completed: Maybe<Flag>,
        priority: Maybe<Priority>,
        tag: Maybe<Tag>,
        /// Default -created_at; `-` turns it round
        sort: Maybe<Sort>,
        /// Default 25
        limit: Maybe<Count>,
        /// next_cursor of the page before; repeat all other arguments
        cursor: Maybe<CursorText>,
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub(in crate::mcp) struct Listed {
    tasks: Vec<Row>,
    /// On all pages
    total: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} tasks", self.tasks.len(), self.total)?;
        self.tasks
            .iter()
            .try_for_each(|task| write!(f, "\n{task}"))?;
        match &self.next_cursor {
            Some(cursor) => write!(f, "\nnext_cursor {}", quoted(cursor)),
            None => Ok(()),
        }
    }
}

impl Outcome for Listed {}

impl Tooling for FindTasks {
    const NAME: &'static str = "find_tasks";
    const TITLE: &'static str = "Find tasks";
    const DESCRIPTION: &'static str = "List or search tasks, a page at a time, with the total.";
    type Access = Read;
    const EFFECT: Effect = Effect::Reads;
    type Arguments = Wanted;
    type Output = Listed;

    async fn call(call: Call<Read>, wanted: Wanted) -> Result<Listed, Refusal> {
        let Wanted {
            q,
            completed,
            priority,
            tag,
            sort,
            limit,
            cursor,
        } = wanted;
        let query = ListQuery {
            filter: Filter {
                completed: completed.0.map(|Flag(done)| done),
                priority: priority.0,
                tag: tag.0,
                q: q.0,
                ..Filter::default()
            },
            sort: sort.0.unwrap_or(Sort::CreatedDesc),
            limit: limit.0.unwrap_or(Count::DEFAULT),
            cursor: cursor.0,
        };
        let tasks = call.caller.tasks();
        let (page, total) =
            futures_util::try_join!(tasks.list(&query), tasks.count(&query.filter))?;
        Ok(Listed {
            tasks: page.items.iter().map(Row::of).collect(),
            total,
            next_cursor: page.next_cursor,
        })
    }
}
