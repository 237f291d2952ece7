//! The operations on all that the server knows about the caller: what that is, and its removal.

use chrono::{DateTime, TimeDelta};
use poem_openapi::{ApiResponse, Enum, Object, OpenApi, types::Example};
use serde::Serialize;

use super::{OperationGroup, parameters::NoQuery};
use crate::{
    access::{Caller, Price, RateLimit, problem},
    auth::Scopes,
    contract::{
        Fail, Json, Nullable, Timestamp, Total, UserIdText,
        codes::{CALLER, PARAMETERS, WRITE},
    },
    store::{Read, Usage, UserLimits, Write},
};

/// The operations on the account.
pub struct Me;

/// The user of your token, what the token allows, and what the server allows.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
struct Account {
    /// The `sub` of your token.
    user_id: UserIdText,
    /// The `iss` of your token; null if it has none.
    issuer: Nullable<String>,
    /// When your token expires.
    expires_at: Timestamp,
    /// What your token allows.
    scopes: Vec<ScopeName>,
    /// The server's setting that accepted your token.
    rule: String,
    /// What you may use.
    limits: Limits,
    /// What you use of it.
    usage: AccountUsage,
}

/// What a user may use.
#[derive(Debug, Object, Serialize)]
struct Limits {
    /// The most tasks. Besides them, as many deleted ones are kept for a while; then the oldest go.
    tasks: Total,
    /// The most bytes, deleted tasks and what the server derives for search included; null if there is no limit. When they
    /// are reached, the oldest deleted tasks go first.
    bytes: Nullable<Total>,
    /// Requests per second that can be kept up; null if there is no limit.
    requests_per_second: Nullable<Total>,
    /// Requests at once, after a pause; null if there is no limit.
    burst: Nullable<Total>,
}

/// What a user uses.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Usage")]
struct AccountUsage {
    /// Tasks that are not deleted.
    tasks: Total,
    /// Deleted tasks that are still kept.
    deleted_tasks: Total,
    /// Bytes of both.
    bytes: Total,
}

impl Limits {
    fn of(UserLimits { tasks, bytes }: UserLimits, rate: Option<RateLimit>) -> Self {
        Self {
            tasks: Total::of(tasks),
            bytes: Nullable(bytes.map(Total::of)),
            requests_per_second: Nullable(rate.map(|rate| Total::of(rate.per_second.get().into()))),
            burst: Nullable(rate.map(|rate| Total::of(rate.burst.get().into()))),
        }
    }
}

impl From<Usage> for AccountUsage {
    fn from(usage: Usage) -> Self {
        let Usage {
            tasks,
            tombstones,
            bytes,
        } = usage;
        Self {
            tasks: Total::of(tasks),
            deleted_tasks: Total::of(tombstones),
            bytes: Total::of(bytes),
        }
    }
}

/// What a token can allow.
#[derive(Debug, Enum, Serialize)]
enum ScopeName {
    /// To read tasks.
    #[oai(rename = "tasks:read")]
    #[serde(rename = "tasks:read")]
    Read,
    /// To create, change, delete and restore tasks.
    #[oai(rename = "tasks:write")]
    #[serde(rename = "tasks:write")]
    Write,
}

impl ScopeName {
    fn all_of(scopes: Scopes) -> Vec<Self> {
        let Scopes { read, write } = scopes;
        let granted = [read.then_some(Self::Read), write.then_some(Self::Write)];
        granted.into_iter().flatten().collect()
    }
}

impl Example for Account {
    fn example() -> Self {
        Self {
            user_id: UserIdText("k3v9QmXb2ZtR7sLw4NcYp8HfJd6GaUe1".to_owned()),
            issuer: Nullable(Some("https://todo.example".to_owned())),
            expires_at: Timestamp::new(DateTime::UNIX_EPOCH + TimeDelta::days(20_490)),
            scopes: ScopeName::all_of(Scopes {
                read: true,
                write: true,
            }),
            rule: "BETTER_AUTH_URL".to_owned(),
            limits: Limits {
                tasks: Total::of(10_000),
                bytes: Nullable(Some(Total::of(67_108_864))),
                requests_per_second: Nullable(Some(Total::of(50))),
                burst: Nullable(Some(Total::of(100))),
            },
            usage: AccountUsage {
                tasks: Total::of(120),
                deleted_tasks: Total::of(34),
                bytes: Total::of(78_300),
            },
        }
    }
}

#[derive(ApiResponse)]
enum AccountResponse {
    /// The user of your token.
    #[oai(status = 200)]
    Account(Json<Account>),
}

#[derive(ApiResponse)]
enum ErasedResponse {
    /// Everything is gone.
    #[oai(status = 204)]
    Gone,
}

#[OpenApi(tag = "OperationGroup::Account")]
impl Me {
    /// Get the user of your token, with limits and use
    ///
    /// Call this first when a token is refused or shows other tasks than expected. It also shows how much you may store and
    /// send, and how much you store.
    #[oai(path = "/api/v1/me", method = "get", operation_id = "getMe")]
    async fn get_me(
        &self,
        caller: Caller<Read>,
        _query: NoQuery,
    ) -> Result<AccountResponse, Fail<{ CALLER | PARAMETERS }>> {
        let tasks = caller.scope().tasks();
        let usage = tasks.usage().await.map_err(problem)?;
        let identity = caller.identity();
        Ok(AccountResponse::Account(Json(Account {
            user_id: UserIdText(identity.user_id.as_str().to_owned()),
            issuer: Nullable(identity.issuer.clone()),
            expires_at: Timestamp::new(identity.expires_at),
            scopes: ScopeName::all_of(identity.scopes),
            rule: identity.rule.to_string(),
            limits: Limits::of(tasks.limits(), caller.rate_limit()),
            usage: usage.into(),
        })))
    }

    /// Delete everything that you store
    ///
    /// Removes all your tasks for good and at once, deleted ones with them, and their Idempotency-Keys and uids. Nothing can be
    /// restored: export first. No ETag, version or cursor from before fits afterwards, and no number of a task is used again.
    /// `listChanges` and `streamEvents` tell every copy to begin again (`resync_required`). Your account is your issuer's, and
    /// stays.
    #[oai(path = "/api/v1/me", method = "delete", operation_id = "deleteMyData")]
    async fn delete_my_data(
        &self,
        caller: Caller<Write>,
        _query: NoQuery,
    ) -> Result<ErasedResponse, Fail<{ CALLER | PARAMETERS | WRITE }>> {
        let tasks = caller.scope().tasks();
        let erased = caller.in_turn(Price::PAGE, async move { tasks.erase().await });
        erased.await?.map_err(problem)?;
        Ok(ErasedResponse::Gone)
    }
}
