//! `add_tasks`.

use serde_json::{Value, json};

use crate::{
    contract::{
        Change, Description, Fault, Flag, Maybe, Member, NewTask, Pointer, Priority, Tags, Title,
    },
    mcp::{
        arguments::{Argument, Items, arguments, at, in_words, object},
        date::{DateText, Dates, Zone},
        outcome::{ItemResult, Results},
        row::Row,
        tool::{Call, Effect, Tool},
        tool_error::ToolError,
    },
    store::{Created, IdempotencyKey, Scope, StoreError, Write, digest},
};

/// New tasks.
pub(in crate::mcp) struct AddTasks;

arguments! {
    /// The new tasks.
    struct Additions {
        tasks: Items<Addition>,
        /// Any unique text; repeat it to retry, and nothing is added twice
        request_id: Maybe<RequestId>,
        /// IANA; needed for date words and local times
        time_zone: Maybe<Zone>,
    }
}

arguments! {
    /// One new task.
    struct Addition {
        title: Title,
        description: Change<Description>,
        completed: Maybe<Flag>,
        /// Default medium
        priority: Maybe<Priority>,
        due_date: Change<DateText>,
        tags: Maybe<Tags>,
    }
}

/// What is the same for all retries of one call: 1 to 100 characters, none of them a control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mcp) struct RequestId(String);

const MAX_REQUEST_ID: usize = 100;

impl Member for RequestId {
    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        let good = |id: &&str| {
            (1..=MAX_REQUEST_ID).contains(&id.chars().count()) && !id.chars().any(char::is_control)
        };
        let id = value.as_str().filter(good);
        if id.is_none() {
            faults.push(at.fault(format!(
                "must be a text of 1 to {MAX_REQUEST_ID} characters"
            )));
        }
        id.map(|id| Self(id.to_owned()))
    }
}

impl Argument for RequestId {
    fn schema() -> serde_json::Map<String, Value> {
        object(json!({ "type": "string", "maxLength": MAX_REQUEST_ID }))
    }
}

impl RequestId {
    /// The key of an item. It has spaces, which no Idempotency-Key of REST can have.
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

    async fn call(call: Call<Write>, additions: Additions) -> Result<Results, ToolError> {
        let Additions {
            tasks: items,
            request_id,
            time_zone,
        } = additions;
        let tasks = call.caller.tasks();
        // Of what was said, not of what it came to: "tomorrow" must not be another request after midnight.
        let request = request_id
            .0
            .map(|id| (id, fingerprint(&items, time_zone.0)));
        if let Some((id, hash)) = &request {
            let keys: Vec<_> = (0..items.0.len()).map(|index| id.key(index)).collect();
            tasks.check_keys(&keys, hash).await.map_err(refusal)?;
        }
        let mut dates = Dates::new(call.now, time_zone.0);
        let mut results = Vec::with_capacity(items.0.len());
        for (index, item) in items.0.into_iter().enumerate() {
            let key = request
                .as_ref()
                .map(|(id, hash)| (id.key(index), hash.clone()));
            results.push(add(tasks, item, key, &mut dates).await.into());
        }
        Ok(Results::new(results, dates))
    }
}

async fn add(
    tasks: &Scope<Write>,
    item: Result<Addition, Vec<Fault>>,
    key: Option<(IdempotencyKey, String)>,
    dates: &mut Dates,
) -> Result<ItemResult, ToolError> {
    let Addition {
        title,
        description,
        completed,
        priority,
        due_date,
        tags,
    } = item.map_err(|faults| ToolError(in_words(&faults)))?;
    // Of a task that was made before, its words are not told: they meant what they did on that day.
    let mut with_words = dates.clone();
    let due_date = match due_date {
        Change::Set(said) => match with_words.resolve(&said).map_err(at("due_date")) {
            Ok(due) => Change::Set(due),
            // On the day of the first call it may have been a good date.
            Err(refused) => {
                return made_before(tasks, key.as_ref(), dates)
                    .await?
                    .ok_or(refused);
            }
        },
        Change::Keep | Change::Clear => Change::Clear,
    };
    let new = NewTask {
        title,
        description,
        completed,
        priority,
        due_date,
        tags,
    };
    let created = match key {
        Some((key, hash)) => tasks.create_part(new, key, hash).await,
        None => tasks.create(new, None).await,
    };
    let created = created.map_err(refusal)?;
    if !created.replayed {
        *dates = with_words;
    }
    Ok(result(&created, dates))
}

/// What an earlier call with this key made of the item.
async fn made_before(
    tasks: &Scope<Write>,
    key: Option<&(IdempotencyKey, String)>,
    dates: &Dates,
) -> Result<Option<ItemResult>, ToolError> {
    let Some((key, hash)) = key else {
        return Ok(None);
    };
    let found = tasks.replay(key, Some(hash)).await.map_err(refusal)?;
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
            "this `request_id` came before with other arguments; repeat those to retry, or take a new one".to_owned(),
        ),
        StoreError::KeyOfDeleted(id) => ToolError(format!(
            "this `request_id` added it before as task {0}, which was deleted since; restore_tasks brings {0} back",
            id.get()
        )),
        other => other.into(),
    }
}

/// What was asked for, whatever the order of its members.
fn fingerprint(items: &Items<Addition>, zone: Option<Zone>) -> String {
    digest(&format!("{items:?} {zone:?}"))
}
