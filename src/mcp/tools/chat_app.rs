//! The tools of todo chat apps that were written for FastAPI backends, for apps that cannot be changed. A call has one
//! task and a `user_id`, which must be the caller's and gives no rights.

use std::fmt;

use rmcp::schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::change::{TaskChange, change, completion};
use crate::{
    access::{Access, Price},
    contract::{
        Change, Description, Fault, Maybe, Member, NewTask, PageLimit, Pointer, Sort, Status,
        TaskId, TaskPatch, Title, UserIdText,
    },
    mcp::{
        arguments::{Argument, arguments},
        date::Dates,
        row::Row,
        schema::object,
        tool::{Call, Effect, Outcome, Tool},
        tool_error::ToolError,
    },
    store::{Expected, Filter, ListQuery, Read, ReadWrite, Write},
};

/// `add_task`
pub(in crate::mcp) struct AddTask;
/// `list_tasks`
pub(in crate::mcp) struct ListTasks;
/// `complete_task`
pub(in crate::mcp) struct CompleteTask;
/// `delete_task`
pub(in crate::mcp) struct DeleteTask;
/// `update_task`
pub(in crate::mcp) struct UpdateTask;

arguments! {
    /// A new task.
    struct NewOne {
        user_id: UserIdText,
        title: Title,
        description: Change<Description>,
    }
}

arguments! {
    /// Which tasks.
    struct ListTasksArguments {
        user_id: UserIdText,
        status: Maybe<StatusText>,
    }
}

arguments! {
    /// Which task.
    struct One {
        user_id: UserIdText,
        task_id: TaskId,
    }
}

arguments! {
    /// A change.
    struct OneChange {
        user_id: UserIdText,
        task_id: TaskId,
        title: Maybe<Title>,
        description: Change<Description>,
    }
}

/// `all`, `pending` or `completed`.
#[derive(Debug, Clone, Copy)]
pub(in crate::mcp) struct StatusText(Option<bool>);

impl Member for StatusText {
    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        // The words that the owner paths take.
        Status::read(value, at, faults).map(|Status(done)| Self(done))
    }
}

impl Argument for StatusText {
    fn schema() -> Map<String, Value> {
        object(json!({ "type": "string", "enum": ["all", "pending", "completed"] }))
    }
}

/// The answer that these apps expect.
#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub(in crate::mcp) struct Done {
    task_id: i64,
    /// created, completed, updated or deleted
    status: &'static str,
    title: String,
    /// The old values; setting them again undoes the change
    #[serde(skip_serializing_if = "Map::is_empty")]
    before: Map<String, Value>,
}

/// A list of tasks.
#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub(in crate::mcp) struct All {
    tasks: Vec<Row>,
    /// Present if there are more tasks
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&json!(self).to_string())
    }
}

impl fmt::Display for All {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&json!(self.tasks).to_string())?;
        // After the array, because apps parse the array from the start of the text.
        self.note.iter().try_for_each(|note| write!(f, "\n{note}"))
    }
}

impl Outcome for Done {}
impl Outcome for All {}

/// Checks that the user that a model names is the caller.
fn check<A: Access>(call: &Call<A>, UserIdText(named): &UserIdText) -> Result<(), ToolError> {
    if call.caller.identity().is_named(named) {
        return Ok(());
    }
    Err(ToolError(
        "`user_id` must be the user of the access token: no other user's tasks can be reached"
            .to_owned(),
    ))
}

impl Tool for AddTask {
    const NAME: &'static str = "add_task";
    const TITLE: &'static str = "Add a task";
    const DESCRIPTION: &'static str = "Create a task.";
    type Access = Write;
    const EFFECT: Effect = Effect::Adds;
    type Arguments = NewOne;
    type Output = Done;

    async fn call(
        call: Call<Write>,
        NewOne {
            user_id,
            title,
            description,
        }: NewOne,
    ) -> Result<Done, ToolError> {
        check(&call, &user_id)?;
        let new = NewTask {
            description,
            ..NewTask::new(title)
        };
        let task = call.caller.scope().tasks().create(new, None).await?.task;
        Ok(Done {
            task_id: task.id.get(),
            status: "created",
            title: task.title.into_string(),
            before: Map::new(),
        })
    }
}

impl Tool for ListTasks {
    const NAME: &'static str = "list_tasks";
    const TITLE: &'static str = "List tasks";
    const DESCRIPTION: &'static str = "The newest 100 tasks.";
    type Access = Read;
    const EFFECT: Effect = Effect::Reads;
    type Arguments = ListTasksArguments;
    type Output = All;

    fn price(_: &ListTasksArguments) -> Price {
        Price::PAGE
    }

    async fn call(
        call: Call<Read>,
        ListTasksArguments { user_id, status }: ListTasksArguments,
    ) -> Result<All, ToolError> {
        check(&call, &user_id)?;
        let query = ListQuery {
            filter: Filter {
                completed: status.0.and_then(|StatusText(done)| done),
                ..Filter::default()
            },
            sort: Sort::CreatedDesc,
            time_zone: None,
            limit: PageLimit::new(100).unwrap_or(PageLimit::DEFAULT),
            cursor: None,
        };
        let dates = Dates::new(call.now, None);
        let page = call.caller.scope().tasks().list(&query).await?;
        let note = match page.next_cursor {
            Some(_) => {
                let all = call.caller.scope().tasks().count(&query.filter).await?;
                let count = page.items.len();
                Some(format!(
                    "These are the newest {count} of {all} tasks; find_tasks finds the others."
                ))
            }
            None => None,
        };
        Ok(All {
            note,
            tasks: page
                .items
                .iter()
                .map(|task| Row::of(task, &dates))
                .collect(),
        })
    }
}

impl Tool for CompleteTask {
    const NAME: &'static str = "complete_task";
    const TITLE: &'static str = "Complete a task";
    const DESCRIPTION: &'static str = "Mark a task as completed.";
    type Access = ReadWrite;
    const EFFECT: Effect = Effect::Sets;
    type Arguments = One;
    type Output = Done;

    async fn call(call: Call<ReadWrite>, One { user_id, task_id }: One) -> Result<Done, ToolError> {
        check(&call, &user_id)?;
        let dates = Dates::new(call.now, None);
        let task = change(
            &call.caller.scope().tasks(),
            &TaskChange {
                id: task_id,
                patch: completion(true),
                expected: None,
            },
            &dates,
        )
        .await?
        .task;
        Ok(Done {
            task_id: task.id.get(),
            status: "completed",
            title: task.title.into_string(),
            before: Map::new(),
        })
    }
}

impl Tool for DeleteTask {
    const NAME: &'static str = "delete_task";
    const TITLE: &'static str = "Delete a task";
    const DESCRIPTION: &'static str = "Delete a task.";
    type Access = Write;
    const EFFECT: Effect = Effect::Overwrites;
    type Arguments = One;
    type Output = Done;

    async fn call(call: Call<Write>, One { user_id, task_id }: One) -> Result<Done, ToolError> {
        check(&call, &user_id)?;
        let task = call
            .caller
            .scope()
            .tasks()
            .delete(task_id, &Expected::Any)
            .await?;
        Ok(Done {
            task_id: task.id.get(),
            status: "deleted",
            title: task.title.into_string(),
            before: Map::new(),
        })
    }
}

impl Tool for UpdateTask {
    const NAME: &'static str = "update_task";
    const TITLE: &'static str = "Update a task";
    const DESCRIPTION: &'static str = "Change the title or description of a task.";
    type Access = ReadWrite;
    const EFFECT: Effect = Effect::Overwrites;
    type Arguments = OneChange;
    type Output = Done;

    async fn call(call: Call<ReadWrite>, arguments: OneChange) -> Result<Done, ToolError> {
        let OneChange {
            user_id,
            task_id,
            title,
            description,
        } = arguments;
        check(&call, &user_id)?;
        let dates = Dates::new(call.now, None);
        let patch = TaskPatch {
            title,
            description,
            ..TaskPatch::default()
        };
        let update = TaskChange {
            id: task_id,
            patch,
            expected: None,
        };
        let changed = change(&call.caller.scope().tasks(), &update, &dates).await?;
        Ok(Done {
            task_id: changed.task.id.get(),
            status: "updated",
            title: changed.task.title.into_string(),
            before: changed.before,
        })
    }
}
