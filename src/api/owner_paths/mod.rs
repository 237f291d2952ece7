//! The paths that existing front ends call, with the owner in the path: `/api/{user_id}/tasks…`.
//!
//! The owner in the path adds nothing to the rights of the caller: it must be the caller, or the answer is 403 before
//! anything else of the request is read ([`OwnerCaller`]).

mod list;
mod owner;
mod written;

use poem::web::Data;
use poem_openapi::{ApiResponse, OpenApi};

use self::{
    list::{Given, OwnerList},
    owner::{OwnerCaller, Prefer},
};
use super::{
    OperationGroup,
    conditions::{IfNoneMatch, NoPrecondition, Precondition, RetryKey, etag},
    parameters::{Address, ParameterFaults, PathId, Query, QueryNames},
    tasks::update,
};
use crate::{
    access::{Caller, Price, problem},
    contract::{
        Direction, DueDate, DueFilter, Fail, Json, Lenient, Offset, OwnerCompletion, OwnerFlag,
        OwnerNewTask, OwnerSort, OwnerTask, OwnerTaskChanges, PageNumber, PageSize, Pointer,
        Priority, Problem, RenderedJson, SearchText, Status, Task,
        codes::{BODY, CALLER, KEY, LIMIT, OWNER, PARAMETERS, PATH, STORAGE, TASK, VERSION, WRITE},
    },
    store::{Changes, Created, Read, Write},
};

pub use list::ListShape;

/// The operations on the owner paths.
pub struct OwnerPaths;

#[derive(ApiResponse)]
enum OwnerListResponse {
    /// The tasks, in the shape that the server is configured for.
    #[oai(status = 200)]
    Tasks(
        RenderedJson<OwnerList>,
        /// How many tasks there are with these filters, on all pages.
        #[oai(header = "X-Total-Count")]
        i64,
        /// Where the next page is (RFC 8288, `rel="next"`); absent if this is the end of the list.
        #[oai(header = "Link")]
        Option<String>,
    ),
}

#[derive(ApiResponse)]
enum CreatedOwnerTask {
    /// The task.
    #[oai(status = 201)]
    Task(
        Json<OwnerTask>,
        /// Its version, in quotes.
        #[oai(header = "ETag")]
        String,
        /// Present, and `true`, if an earlier request with this Idempotency-Key created the task.
        #[oai(header = "Idempotency-Replayed")]
        Option<String>,
    ),
}

#[derive(ApiResponse)]
enum OwnerTaskResponse {
    /// The task.
    #[oai(status = 200)]
    Task(
        Json<OwnerTask>,
        /// Its version, in quotes.
        #[oai(header = "ETag")]
        String,
    ),
}

impl OwnerTaskResponse {
    fn of(task: Task) -> Self {
        let etag = etag(task.version.get());
        Self::Task(Json(task.into()), etag)
    }
}

#[derive(ApiResponse)]
enum OwnerTaskFound {
    /// The task.
    #[oai(status = 200)]
    Task(
        Json<OwnerTask>,
        /// Its version, in quotes.
        #[oai(header = "ETag")]
        String,
    ),
    /// The task has not changed since.
    #[oai(status = 304)]
    NotModified(
        /// Its version, in quotes.
        #[oai(header = "ETag")]
        String,
    ),
}

#[derive(ApiResponse)]
enum DeletedOwnerTask {
    /// The task, which is deleted now.
    #[oai(status = 200)]
    Task(Json<OwnerTask>),
    /// The task is deleted.
    #[oai(status = 204)]
    Empty,
}

/// The codes of every operation here.
const ANY: u32 = CALLER | OWNER | PATH;
/// The codes of an operation whose path names a task.
const ONE: u32 = ANY | PARAMETERS | TASK;
/// The codes of an operation that changes a task.
const CHANGE: u32 = ONE | BODY | WRITE | VERSION;

#[OpenApi(tag = "OperationGroup::OwnerPaths")]
impl OwnerPaths {
    /// List your tasks (owner path)
    ///
    /// The answer is an array or `{tasks, total}`, as the server is configured. Several parameters have more than one
    /// name, because front ends differ.
    #[oai(
        path = "/api/:user_id/tasks",
        method = "get",
        operation_id = "listOwnerTasks"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a parameter of the contract"
    )]
    async fn list_owner_tasks(
        &self,
        /// Your user id: the `sub` of your token, or `me`.
        #[oai(name = "user_id")]
        OwnerCaller(caller): OwnerCaller<Read>,
        shape: Data<&ListShape>,
        /// `all`, `pending` or `completed`.
        status: Query<Status>,
        /// `true` or `false`; the same as `status`.
        completed: Query<OwnerFlag>,
        /// The same as `completed`.
        is_completed: Query<OwnerFlag>,
        /// Only tasks of this priority.
        priority: Query<Lenient<Priority>>,
        /// Only tasks with this tag.
        tag: Query<crate::contract::Tag>,
        /// The same as `tag`.
        tags: Query<crate::contract::Tag>,
        /// Only tasks without a due date (`none`), or only those with one (`any`).
        due: Query<DueFilter>,
        /// Only tasks due before this, exclusive. A date is its midnight in UTC.
        due_before: Query<Lenient<DueDate>>,
        /// Only tasks due at this or later. A date is its midnight in UTC.
        due_after: Query<Lenient<DueDate>>,
        /// Only tasks with this text in the title or the description.
        search: Query<SearchText>,
        /// The same as `search`.
        q: Query<SearchText>,
        /// The same as `search`.
        keyword: Query<SearchText>,
        /// What to sort by; newest first when absent.
        sort: Query<OwnerSort>,
        /// The same as `sort`.
        sort_by: Query<OwnerSort>,
        /// `asc` or `desc`.
        order: Query<Direction>,
        /// The same as `order`.
        sort_order: Query<Direction>,
        /// The same as `order`.
        sort_direction: Query<Direction>,
        /// How many tasks; 1000 when absent.
        limit: Query<PageSize>,
        /// The same as `limit`.
        per_page: Query<PageSize>,
        /// The same as `limit`.
        page_size: Query<PageSize>,
        /// The same as `limit`.
        size: Query<PageSize>,
        /// How many tasks to skip.
        offset: Query<Offset>,
        /// The same as `offset`.
        skip: Query<Offset>,
        /// Which page of `limit` tasks; the first is 1.
        page: Query<PageNumber>,
        names: QueryNames,
        address: Address,
    ) -> Result<OwnerListResponse, Fail<{ ANY | PARAMETERS }>> {
        let mut faults = ParameterFaults::default();
        let given = Given {
            status: faults.take_unless_blank(status),
            completed: faults.any([completed, is_completed]),
            priority: faults
                .take_unless_blank(priority)
                .and_then(|priority| priority.0),
            tag: faults.any([tag, tags]),
            due: faults.take_unless_blank(due),
            due_before: faults.take_unless_blank(due_before).and_then(|due| due.0),
            due_after: faults.take_unless_blank(due_after).and_then(|due| due.0),
            text: faults.any([search, q, keyword]),
            sort: faults.any([sort, sort_by]),
            direction: faults.any([order, sort_order, sort_direction]),
            limit: faults.any([limit, per_page, page_size, size]),
            offset: faults.any([offset, skip]),
            page: faults.take_unless_blank(page),
        };
        given.check(&mut faults);
        faults.check_values(&names)?;
        let query = given.into_query();
        let price = Price::of_list(query.filter.q.as_ref());
        let (tasks, limit, offset) = (caller.scope().tasks(), query.limit, query.offset);
        let slice = caller.in_turn(price, async move { tasks.slice(&query).await });
        let slice = slice.await?.map_err(problem)?;
        let total = slice.total;
        let read = offset + slice.len() as u64;
        let next = (read < total.unsigned_abs() && slice.len() > 0).then(|| {
            let with = [("limit", limit.to_string()), ("offset", read.to_string())];
            let replaced = ["skip", "page", "per_page", "page_size", "size"];
            address.next_page(&with, &replaced)
        });
        let list = written::body(*shape.0, slice, caller)?;
        Ok(OwnerListResponse::Tasks(
            RenderedJson::new(list),
            total,
            next,
        ))
    }

    /// Create a task (owner path)
    #[oai(
        path = "/api/:user_id/tasks",
        method = "post",
        operation_id = "createOwnerTask"
    )]
    async fn create_owner_task(
        &self,
        /// Your user id: the `sub` of your token, or `me`.
        #[oai(name = "user_id")]
        OwnerCaller(caller): OwnerCaller<Write>,
        _precondition: NoPrecondition,
        /// A text that is the same for all retries of one request, and for no other (a UUID, for example).
        #[oai(name = "Idempotency-Key")]
        key: RetryKey,
        task: Json<OwnerNewTask>,
    ) -> Result<CreatedOwnerTask, Fail<{ ANY | PARAMETERS | BODY | WRITE | LIMIT | STORAGE | KEY }>>
    {
        if task.0.contradicts_itself() {
            let fault = Pointer::member("is_completed").fault("must not contradict completed");
            return Err(Problem::validation(vec![fault]).into());
        }
        let Created { task, replayed } = caller
            .scope()
            .tasks()
            .create(task.0.into(), key.0)
            .await
            .map_err(problem)?;
        let etag = etag(task.version.get());
        let replayed = replayed.then(|| "true".to_owned());
        Ok(CreatedOwnerTask::Task(Json(task.into()), etag, replayed))
    }

    /// Get one of your tasks (owner path)
    #[oai(
        path = "/api/:user_id/tasks/:id",
        method = "get",
        operation_id = "getOwnerTask"
    )]
    async fn get_owner_task(
        &self,
        /// Your user id: the `sub` of your token, or `me`.
        #[oai(name = "user_id")]
        OwnerCaller(caller): OwnerCaller<Read>,
        /// The `id` of the task.
        id: PathId,
        /// The ETag of the task that you have. Returns 304 if the task has not changed since.
        #[oai(name = "If-None-Match")]
        if_none_match: IfNoneMatch,
    ) -> Result<OwnerTaskFound, Fail<ONE>> {
        let task = caller.scope().tasks().get(id.0).await.map_err(problem)?;
        let version = task.version.get();
        Ok(match if_none_match.matches(version) {
            true => OwnerTaskFound::NotModified(etag(version)),
            false => OwnerTaskFound::Task(Json(task.into()), etag(version)),
        })
    }

    /// Change a task (owner path)
    ///
    /// Changes the members that the body has; the others stay as they are.
    #[oai(
        path = "/api/:user_id/tasks/:id",
        method = "put",
        operation_id = "replaceOwnerTask"
    )]
    async fn replace_owner_task(
        &self,
        /// Your user id: the `sub` of your token, or `me`.
        #[oai(name = "user_id")]
        OwnerCaller(caller): OwnerCaller<Write>,
        /// The `id` of the task.
        id: PathId,
        /// The ETag of the task as you have it: answers 412 if the task has changed since.
        #[oai(name = "If-Match")]
        precondition: Precondition,
        changes: Json<OwnerTaskChanges>,
    ) -> Result<OwnerTaskResponse, Fail<{ CHANGE | STORAGE }>> {
        change(&caller, id, &precondition, changes).await
    }

    /// Change a task (owner path, by PATCH)
    ///
    /// The same as by PUT.
    #[oai(
        path = "/api/:user_id/tasks/:id",
        method = "patch",
        operation_id = "updateOwnerTask"
    )]
    async fn update_owner_task(
        &self,
        /// Your user id: the `sub` of your token, or `me`.
        #[oai(name = "user_id")]
        OwnerCaller(caller): OwnerCaller<Write>,
        /// The `id` of the task.
        id: PathId,
        /// The ETag of the task as you have it: answers 412 if the task has changed since.
        #[oai(name = "If-Match")]
        precondition: Precondition,
        changes: Json<OwnerTaskChanges>,
    ) -> Result<OwnerTaskResponse, Fail<{ CHANGE | STORAGE }>> {
        change(&caller, id, &precondition, changes).await
    }

    /// Complete or reopen a task (owner path)
    ///
    /// Without a body, `completed` is toggled. With `{"completed": …}`, it is set.
    #[oai(
        path = "/api/:user_id/tasks/:id/complete",
        method = "patch",
        operation_id = "completeOwnerTask"
    )]
    async fn complete_owner_task(
        &self,
        /// Your user id: the `sub` of your token, or `me`.
        #[oai(name = "user_id")]
        OwnerCaller(caller): OwnerCaller<Write>,
        /// The `id` of the task.
        id: PathId,
        /// The ETag of the task as you have it: answers 412 if the task has changed since.
        #[oai(name = "If-Match")]
        precondition: Precondition,
        completion: Json<OwnerCompletion>,
    ) -> Result<OwnerTaskResponse, Fail<{ CHANGE }>> {
        let task = caller
            .scope()
            .tasks()
            .complete(id.0, completion.0.side(), &precondition.0)
            .await
            .map_err(|error| caller.problem(error))?;
        Ok(OwnerTaskResponse::of(task))
    }

    /// Delete a task (owner path)
    ///
    /// Answers with the task, since many front ends read the answer as JSON. With `Prefer: return=minimal` (RFC 7240)
    /// the answer is empty.
    #[oai(
        path = "/api/:user_id/tasks/:id",
        method = "delete",
        operation_id = "deleteOwnerTask"
    )]
    async fn delete_owner_task(
        &self,
        /// Your user id: the `sub` of your token, or `me`.
        #[oai(name = "user_id")]
        OwnerCaller(caller): OwnerCaller<Write>,
        /// The `id` of the task.
        id: PathId,
        /// The ETag of the task as you have it: answers 412 if the task has changed since.
        #[oai(name = "If-Match")]
        precondition: Precondition,
        /// `return=minimal` for an empty answer.
        #[oai(name = "Prefer")]
        prefer: Prefer,
    ) -> Result<DeletedOwnerTask, Fail<{ ONE | WRITE | VERSION }>> {
        let task = caller
            .scope()
            .tasks()
            .delete(id.0, &precondition.0)
            .await
            .map_err(|error| caller.problem(error))?;
        Ok(if prefer.minimal {
            DeletedOwnerTask::Empty
        } else {
            DeletedOwnerTask::Task(Json(task.into()))
        })
    }
}

async fn change(
    caller: &Caller<Write>,
    id: PathId,
    precondition: &Precondition,
    changes: Json<OwnerTaskChanges>,
) -> Result<OwnerTaskResponse, Fail<{ CHANGE | STORAGE }>> {
    let contradicts_itself = changes.0.contradicts_itself();
    let patch = changes.0.into();
    let task = match contradicts_itself {
        true => {
            let changes = Changes::with_other_completion(patch);
            let changed = caller
                .scope()
                .tasks()
                .update(id.0, changes, &precondition.0)
                .await;
            changed.map_err(|error| caller.problem(error))?
        }
        false => update(caller, id.0, patch, &precondition.0).await?,
    };
    Ok(OwnerTaskResponse::of(task))
}
