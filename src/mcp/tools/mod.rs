//! One file a tool.

mod find_tasks;
mod get_task;

pub(super) use find_tasks::FindTasks;
pub(super) use get_task::GetTask;
