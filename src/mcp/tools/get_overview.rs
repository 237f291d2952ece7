//! `get_overview`.

use std::fmt;

use rmcp::schemars::JsonSchema;
use serde::Serialize;

use crate::{
    access::Price,
    contract::TimeZone,
    mcp::{
        arguments::{arguments, at},
        date::Dates,
        row::quoted,
        tool::{Call, Effect, Outcome, Tool},
        tool_error::ToolError,
    },
    store::{Overview, Periods, Read},
};

/// Counts of tasks.
pub(in crate::mcp) struct GetOverview;

arguments! {
    /// Where the user is.
    struct Here {
        /// The user's, such as Europe/Berlin; ask if unknown
        time_zone: TimeZone,
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub(in crate::mcp) struct Counts {
    today: String,
    weekday: String,
    open: i64,
    done: i64,
    overdue: i64,
    /// Not overdue
    due_today: i64,
    /// After today
    due_next_7_days: i64,
    open_by_priority: ByPriority,
    /// Of open tasks
    top_tags: Vec<TagCount>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct ByPriority {
    high: i64,
    medium: i64,
    low: i64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct TagCount {
    tag: String,
    open: i64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            today,
            weekday,
            open,
            done,
            overdue,
            due_today,
            due_next_7_days,
            open_by_priority: ByPriority { high, medium, low },
            top_tags,
        } = self;
        write!(
            f,
            "today is {weekday} {today}; {open} open ({high} high, {medium} medium, {low} low), {done} done; \
             {overdue} overdue, \
             {due_today} more due today, {due_next_7_days} in the 7 days after"
        )?;
        let tags: Vec<String> = top_tags
            .iter()
            .map(|TagCount { tag, open }| format!("{} {open}", quoted(tag)))
            .collect();
        match tags.is_empty() {
            true => Ok(()),
            false => write!(f, "; tags of open tasks: {}", tags.join(", ")),
        }
    }
}

impl Outcome for Counts {}

impl Tool for GetOverview {
    const NAME: &'static str = "get_overview";
    const TITLE: &'static str = "Get an overview";
    const DESCRIPTION: &'static str = "The user's date today, and how many tasks are open, done, \
        overdue or due soon. A good first call.";
    type Access = Read;
    const EFFECT: Effect = Effect::Reads;
    type Arguments = Here;
    type Output = Counts;

    fn price(_: &Here) -> Price {
        Price::ALL_TEXTS
    }

    async fn call(call: Call<Read>, Here { time_zone }: Here) -> Result<Counts, ToolError> {
        let dates = Dates::new(call.now, Some(time_zone));
        let today = dates.today().map_err(at("time_zone"))?;
        let begins = |after| dates.day_begins(today, after).map_err(at("time_zone"));
        let periods = Periods {
            now: dates.present().map_err(at("time_zone"))?,
            tomorrow: begins(1)?,
            end: begins(8)?,
        };
        let Overview {
            open,
            done,
            overdue,
            today: due_today,
            soon,
            by_priority: [low, medium, high],
            tags,
        } = call.caller.scope().tasks().overview(&periods).await?;
        Ok(Counts {
            today: today.format("%Y-%m-%d").to_string(),
            weekday: today.format("%A").to_string(),
            open,
            done,
            overdue,
            due_today,
            due_next_7_days: soon,
            open_by_priority: ByPriority { high, medium, low },
            top_tags: tags
                .into_iter()
                .map(|(tag, open)| TagCount { tag, open })
                .collect(),
        })
    }
}
