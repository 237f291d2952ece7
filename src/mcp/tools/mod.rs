//! The tools, one file each; `by_ids.rs` has the three that take only ids, `items.rs` and
//! `change.rs` what they and others share, `chat_app.rs` those of chat apps.

mod add_tasks;
mod by_ids;
mod change;
mod chat_app;
mod find_tasks;
mod get_overview;
mod get_task;
mod items;
mod update_tasks;

pub(super) use add_tasks::AddTasks;
pub(super) use by_ids::{CompleteTasks, DeleteTasks, RestoreTasks};
pub(super) use chat_app::{AddTask, CompleteTask, DeleteTask, ListTasks, UpdateTask};
pub(super) use find_tasks::FindTasks;
pub(super) use get_overview::GetOverview;
pub(super) use get_task::GetTask;
pub(super) use update_tasks::UpdateTasks;
