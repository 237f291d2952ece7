//! The operations on tasks: `/api/v1/tasks`.

mod answers;

use poem_openapi::OpenApi;

use super::{
    OperationGroup,
    conditions::{IfNoneMatch, NoPrecondition, Precondition, RetryKey, etag},
    parameters::{Address, NoQuery, ParameterFaults, PathId, Query, QueryNames},
};
use crate::{
    access::{Caller, Price, problem},
    contract::{
        CursorText, DueDate, DueFilter, Fail, Flag, Json, NewTask, PageLimit, Priority, Problem,
        RenderedJson, SearchText, Sort, Task, TaskId, TaskPatch, TimeZone,
        codes::{
            BODY, CALLER, CURSOR, KEY, LIMIT, PARAMETERS, PATH, STORAGE, TASK, UID, VERSION, WRITE,
        },
    },
    store::{Changes, Created, DueBound, Expected, Filter, ListQuery, Read, Restored, Write},
};

use answers::{ChangedTask, CreatedTask, Deleted, Found, TaskListResponse};

/// The codes of an operation whose path names a task.
const ONE: u32 = PARAMETERS | PATH | TASK;

/// The operations on tasks.
pub struct Tasks;

#[OpenApi(tag = "OperationGroup::Tasks")]
impl Tasks {
    /// List your tasks
    ///
    /// `next_cursor` leads to the next page, also when tasks are created or deleted meanwhile. The ETag changes with any of
    /// your tasks: send it as `If-None-Match` to get 304 for an unchanged list.
    #[oai(path = "/api/v1/tasks", method = "get", operation_id = "listTasks")]
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a parameter of the contract"
    )]
    async fn list_tasks(
        &self,
        caller: Caller<Read>,
        /// Only tasks that are done (`true`), or only those that are not (`false`).
        completed: Query<Flag>,
        /// Only tasks of this priority.
        priority: Query<Priority>,
        /// Only tasks with this tag, ignoring case.
        tag: Query<crate::contract::Tag>,
        /// Only tasks without a due date (`none`), or only those with one (`any`).
        due: Query<DueFilter>,
        /// Only tasks due before this, exclusive. A date is its midnight in UTC, or in `time_zone` if that is given.
        due_before: Query<DueDate>,
        /// Only tasks due at this or later. A date is its midnight in UTC, or in `time_zone` if that is given.
        due_after: Query<DueDate>,
        /// The time zone of the user, by its IANA name. In `due_before`, `due_after` and the order by due date, a date
        /// without a time is that day in this zone and begins at its first instant there. Default: UTC.
        time_zone: Query<TimeZone>,
        /// Only tasks with this text in the title or the description. Ignores case, accents, white space and the kind of
        /// quotes and dashes. Results are in the order of `sort`; exact matches do not come first.
        q: Query<SearchText>,
        /// The order.
        #[oai(default = "default_sort")]
        sort: Query<Sort>,
        /// How many tasks at most.
        #[oai(default = "default_limit")]
        limit: Query<PageLimit>,
        /// The `next_cursor` of the page before; the filters and the order must be the same as there.
        cursor: Query<CursorText>,
        /// The ETag of the list that you have. Returns 304 if no task has changed since.
        #[oai(name = "If-None-Match")]
        if_none_match: IfNoneMatch,
        names: QueryNames,
        address: Address,
    ) -> Result<TaskListResponse, Fail<{ CALLER | PARAMETERS | CURSOR }>> {
        let mut faults = ParameterFaults::default();
        let mut filter = Filter {
            completed: faults.take(completed).map(|Flag(done)| done),
            priority: faults.take(priority),
            tag: faults.take(tag),
            due: faults.take(due),
            ..Filter::default()
        };
        let (due_before, due_after) = (faults.take(due_before), faults.take(due_after));
        let time_zone = faults.take(time_zone);
        let bound = |due| DueBound::new(due, time_zone);
        filter.due_before = due_before.map(bound);
        filter.due_after = due_after.map(bound);
        filter.q = faults.take(q);
        let query = ListQuery {
            filter,
            sort: faults.take(sort).unwrap_or_else(default_sort),
            time_zone,
            limit: faults.take(limit).unwrap_or_else(default_limit),
            cursor: faults.take(cursor),
        };
        faults.check(&names)?;
        if if_none_match.is_given() {
            let revision = caller.scope().tasks().revision().await.map_err(problem)?;
            if if_none_match.matches(revision) {
                return Ok(TaskListResponse::NotModified(etag(revision)));
            }
        }
        let price = Price::of_list(query.filter.q.as_ref());
        let tasks = caller.scope().tasks();
        let page = caller.in_turn(price, async move { tasks.page(&query).await });
        let page = page.await?.map_err(problem)?;
        let next = page.next_cursor.as_ref();
        let link = next.map(|cursor| address.next_page(&[("cursor", cursor.clone())], &[]));
        Ok(TaskListResponse::Page(
            RenderedJson::new(page.body.clone()),
            etag(page.revision),
            link,
        ))
    }

    /// Create a task
    ///
    /// With an `Idempotency-Key` or a `uid`, a retry creates nothing: its answer is the task that the first request
    /// created, as it is now.
    #[oai(path = "/api/v1/tasks", method = "post", operation_id = "createTask")]
    async fn create_task(
        &self,
        caller: Caller<Write>,
        _query: NoQuery,
        _precondition: NoPrecondition,
        /// A text that is the same for all retries of one request, and for no other (a UUID, for example).
        #[oai(name = "Idempotency-Key")]
        key: RetryKey,
        task: Json<NewTask>,
    ) -> Result<
        CreatedTask,
        Fail<{ CALLER | PARAMETERS | BODY | WRITE | LIMIT | STORAGE | KEY | UID }>,
    > {
        let Created { task, replayed } = caller
            .scope()
            .tasks()
            .create(task.0, key.0)
            .await
            .map_err(|error| caller.problem(error))?;
        let location = format!("/api/v1/tasks/{}", task.id.get());
        let etag = etag(task.version.get());
        let replayed = replayed.then(|| "true".to_owned());
        Ok(CreatedTask::Task(Json(task), location, etag, replayed))
    }

    /// Get one of your tasks
    #[oai(path = "/api/v1/tasks/:id", method = "get", operation_id = "getTask")]
    async fn get_task(
        &self,
        caller: Caller<Read>,
        _query: NoQuery,
        /// The id of the task.
        id: PathId,
        /// The ETag of the task that you have. Returns 304 if the task has not changed since.
        #[oai(name = "If-None-Match")]
        if_none_match: IfNoneMatch,
    ) -> Result<Found, Fail<{ CALLER | ONE }>> {
        let task = caller.scope().tasks().get(id.0).await.map_err(problem)?;
        let version = task.version.get();
        if if_none_match.matches(version) {
            return Ok(Found::NotModified(etag(version)));
        }
        Ok(Found::Task(Json(task), etag(version)))
    }

    /// Change a task
    ///
    /// A JSON Merge Patch (RFC 7396): an absent member stays as it is, and null clears it. An empty patch changes
    /// nothing.
    #[oai(
        path = "/api/v1/tasks/:id",
        method = "patch",
        operation_id = "updateTask"
    )]
    async fn update_task(
        &self,
        caller: Caller<Write>,
        _query: NoQuery,
        /// The id of the task.
        id: PathId,
        /// The ETag of the task as you have it: answers 412 if the task has changed since.
        #[oai(name = "If-Match")]
        precondition: Precondition,
        patch: Json<TaskPatch>,
    ) -> Result<ChangedTask, Fail<{ CALLER | ONE | BODY | WRITE | STORAGE | VERSION }>> {
        let task = update(&caller, id.0, patch.0, &precondition.0).await?;
        Ok(ChangedTask::task(task))
    }

    /// Delete a task
    ///
    /// `restoreTask` can restore it, for 30 days unless the server is configured otherwise.
    #[oai(
        path = "/api/v1/tasks/:id",
        method = "delete",
        operation_id = "deleteTask"
    )]
    async fn delete_task(
        &self,
        caller: Caller<Write>,
        _query: NoQuery,
        /// The id of the task.
        id: PathId,
        /// The ETag of the task as you have it: answers 412 if the task has changed since.
        #[oai(name = "If-Match")]
        precondition: Precondition,
    ) -> Result<Deleted, Fail<{ CALLER | ONE | WRITE | VERSION }>> {
        caller
            .scope()
            .tasks()
            .delete(id.0, &precondition.0)
            .await
            .map_err(|error| caller.problem(error))?;
        Ok(Deleted::Gone)
    }

    /// Restore a deleted task
    ///
    /// The task is as it was, with the same `id`. A task that is not deleted stays as it is. A deletion is a
    /// version of the task, so `If-Match` must name that one; a 412 says which it is.
    #[oai(
        path = "/api/v1/tasks/:id/restore",
        method = "post",
        operation_id = "restoreTask"
    )]
    async fn restore_task(
        &self,
        caller: Caller<Write>,
        _query: NoQuery,
        /// The id of the task.
        id: PathId,
        /// The ETag of the task as you have it: answers 412 if the task has changed since.
        #[oai(name = "If-Match")]
        precondition: Precondition,
    ) -> Result<ChangedTask, Fail<{ CALLER | ONE | WRITE | LIMIT | VERSION }>> {
        let task = match caller.scope().tasks().restore(id.0, &precondition.0).await {
            Ok(Restored::Now(task)) => task,
            Ok(Restored::Already(task)) => caller.reading()?.scope().tasks().show(&task),
            Err(error) => return Err(caller.problem(error).into()),
        };
        Ok(ChangedTask::task(task))
    }
}

/// Applies a patch. An empty patch writes nothing: it shows the task, and so needs a token that may read.
pub(super) async fn update(
    caller: &Caller<Write>,
    id: TaskId,
    patch: TaskPatch,
    expected: &Expected,
) -> Result<Task, Problem> {
    let result = match Changes::of(patch) {
        Some(changes) => caller.scope().tasks().update(id, changes, expected).await,
        None => {
            caller
                .reading()?
                .scope()
                .tasks()
                .get_expected(id, expected)
                .await
        }
    };
    result.map_err(|error| caller.problem(error))
}

fn default_sort() -> Sort {
    Sort::CreatedDesc
}

fn default_limit() -> PageLimit {
    PageLimit::DEFAULT
}
