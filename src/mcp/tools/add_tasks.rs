//! `add_tasks`.

use serde_json::{Value, json};

use super::items::carry_out;
use crate::{
    access::Price,
    contract::{Fault, Maybe, Member, NewTask, Pointer, TimeZone},
    mcp::{
        arguments::{Argument, Items, arguments, in_words},
        date::Dates,
        outcome::{ItemResult, Results},
        row::Row,
        schema::object,
        tool::{Call, Effect, Tool},
        tool_error::ToolError,
        worded::{self, Worded},
    },
    store::{
        Canonical, Created, IdempotencyKey, Operation, OperationOutcome, RequestDigest, StoreError,
        Tasks, Write,
    },
};

/// Adds tasks.
pub(in crate::mcp) struct AddTasks;

arguments! {
    /// The new tasks.
    struct Additions {
        tasks: Items<Addition>,
        /// Any unique text; repeat it to retry, and nothing is added twice
        request_id: Maybe<CallId>,
        /// IANA; needed for date words and local times
        time_zone: Maybe<TimeZone>,
    }
}

/// One new task.
type Addition = Worded<NewTask>;

/// The id of a call, the same for all its retries: 1 to 100 characters, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mcp) struct CallId(String);

const MAX_REQUEST_ID: usize = 100;

impl Member for CallId {
    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        let is_valid = |id: &&str| {
            (1..=MAX_REQUEST_ID).contains(&id.chars().count()) && !id.chars().any(char::is_control)
        };
        let id = value.as_str().filter(is_valid);
        if id.is_none() {
            faults.push(at.fault(format!(
                "must be a text of 1 to {MAX_REQUEST_ID} characters"
            )));
        }
        id.map(|id| Self(id.to_owned()))
    }
}

impl Argument for CallId {
    fn schema() -> serde_json::Map<String, Value> {
        object(json!({ "type": "string", "maxLength": MAX_REQUEST_ID }))
    }
}

impl CallId {
    /// The idempotency key of an item. It contains spaces, so that no Idempotency-Key of REST can be the same.
    fn key(&self, index: usize) -> IdempotencyKey {
        IdempotencyKey(format!("mcp {index} {}", self.0))
    }
}

impl Tool for AddTasks {
    const NAME: &'static str = "add_tasks";
    const TITLE: &'static str = "Add tasks";
    const DESCRIPTION: &'static str =
        "Add 1 to 25 tasks. The result has their ids, or an error for one that was not added.";
    type Access = Write;
    const EFFECT: Effect = Effect::Adds;
    type Arguments = Additions;
    type Output = Results;

    fn price(additions: &Additions) -> Price {
        Price::of_items(additions.tasks.0.len())
    }

    async fn call(call: Call<Write>, additions: Additions) -> Result<Results, ToolError> {
        let Additions {
            tasks: items,
            request_id,
            time_zone,
        } = additions;
        let tasks = call.caller.scope().tasks();
        let request = request_id.0.map(|id| (id, digest(&items, time_zone.0)));
        if let Some((id, digest)) = &request {
            let keys: Vec<_> = (0..items.0.len()).map(|index| id.key(index)).collect();
            tasks.check_keys(&keys, digest).await.map_err(refusal)?;
        }
        let mut dates = Dates::new(call.now, time_zone.0);
        let mut operations = Vec::with_capacity(items.0.len());
        let mut said = Vec::with_capacity(items.0.len());
        for (index, item) in items.0.into_iter().enumerate() {
            let key = request.as_ref().map(|(id, digest)| (id.key(index), digest));
            said.push(item.as_ref().ok().map(|item| item.due_date.clone()));
            operations.push(prepare(&tasks, item, key, &dates).await);
        }
        let results = carry_out(&tasks, operations, |place, outcome| {
            let OperationOutcome::Created(created) = outcome.map_err(refusal)? else {
                return Err(ToolError("the server failed".to_owned()));
            };
            // If an earlier call added the task, its phrases are not shown: they meant dates seen from that day.
            if let (false, Some(said)) = (created.replayed, &said[place]) {
                worded::due_date(said, &mut dates)?;
            }
            Ok(result(&created, &dates))
        });
        let results = results.await;
        Ok(Results::new(results, dates))
    }
}

/// The operation that adds an item, or its result if that is known.
async fn prepare(
    tasks: &Tasks<Write>,
    item: Result<Addition, Vec<Fault>>,
    key: Option<(IdempotencyKey, &RequestDigest)>,
    dates: &Dates,
) -> Result<Operation, Box<ItemResult>> {
    let in_result = |error: ToolError| Box::new(ItemResult::from(error));
    let Worded { body, due_date } =
        item.map_err(|faults| in_result(ToolError(in_words(&faults))))?;
    let due_date = match worded::due_date(&due_date, &mut dates.clone()) {
        Ok(due_date) => due_date,
        // On the day of the first call, it may have been a valid date.
        Err(refused) => {
            let before = made_before(tasks, key.as_ref(), dates).await;
            let before = before.map_err(in_result)?;
            return Err(before.map_or_else(|| in_result(refused), Box::new));
        }
    };
    let new = NewTask { due_date, ..body };
    let key = key.map(|(key, digest)| (key, digest.clone()));
    Ok(Operation::Create(new, key))
}

/// The result for an item that an earlier call with this key added.
async fn made_before(
    tasks: &Tasks<Write>,
    key: Option<&(IdempotencyKey, &RequestDigest)>,
    dates: &Dates,
) -> Result<Option<ItemResult>, ToolError> {
    let Some((key, digest)) = key else {
        return Ok(None);
    };
    let found = tasks.replay(key, digest).await.map_err(refusal)?;
    Ok(found.map(|created| result(&created, dates)))
}

fn result(created: &Created, dates: &Dates) -> ItemResult {
    ItemResult {
        replayed: created.replayed.then_some(true),
        ..ItemResult::task(Row::of(&created.task, dates))
    }
}

fn refusal(error: StoreError) -> ToolError {
    match error {
        StoreError::KeyReused => ToolError(
            "this `request_id` was used before with other arguments; repeat those to retry, or use a new one".to_owned(),
        ),
        StoreError::KeyOfDeleted(id) => ToolError(format!(
            "this `request_id` added it before as task {0}, which was deleted since; restore_tasks restores it",
            id.get()
        )),
        other => other.into(),
    }
}

/// The digest of the call as it was sent: after midnight, "tomorrow" must still be the same request. An item with a
/// fault adds nothing, so all that counts is that there is an item at this place.
fn digest(items: &Items<Addition>, zone: Option<TimeZone>) -> RequestDigest {
    let said = |item: &Result<Addition, _>| item.as_ref().map_or(Value::Null, said);
    let tasks: Vec<Value> = items.0.iter().map(said).collect();
    let call = Canonical::default()
        .member("tasks", json!(tasks), json!([]))
        .member("time_zone", json!(zone.map(TimeZone::name)), Value::Null);
    RequestDigest::of(&call)
}

/// One new task as it was sent.
fn said(Worded { body, due_date }: &Addition) -> Value {
    let due_date = due_date.clone().value();
    json!(Canonical::from(body.said()).member("due_date", json!(due_date), Value::Null))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::arguments::Arguments as _;

    fn digest_of(call: Value) -> String {
        let Value::Object(call) = call else {
            panic!("not an object")
        };
        let Additions {
            tasks, time_zone, ..
        } = Additions::read(call).unwrap();
        digest(&tasks, time_zone.0).as_str().to_owned()
    }

    /// What was stored must be found again for ever: these digests must not change.
    #[test]
    fn the_digests_are_fixed() {
        let call = json!({ "tasks": [{ "title": "milk" }, { "title": "" }] });
        assert_eq!(
            digest_of(call),
            "v1:d6136d4be5a87019df1c526e3a070a734e0106ad1d0132267c2ec88fde27dd8e"
        );
        let call = json!({
            "time_zone": "Europe/Berlin",
            "request_id": "r",
            "tasks": [{
                "title": "tea", "description": "green", "completed": true, "priority": "low",
                "due_date": "tomorrow 09:00", "tags": ["shop"],
            }],
        });
        assert_eq!(
            digest_of(call),
            "v1:61b4eb1524f049ddaadd68d0f08de09dc5c83da730ff4ea8c2d6e61af582432d"
        );
    }

    #[test]
    fn a_member_at_its_default_does_not_change_the_digest() {
        let spelled_out = json!({ "tasks": [{
            "tags": [], "due_date": null, "priority": "medium", "completed": false, "description": null, "title": "milk",
        }] });
        assert_eq!(
            digest_of(spelled_out),
            digest_of(json!({ "tasks": [{ "title": "milk" }] }))
        );
    }
}
