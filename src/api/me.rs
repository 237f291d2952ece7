//! The operation that shows the caller what the server knows about them.

use chrono::{DateTime, TimeDelta};
use poem_openapi::{ApiResponse, Enum, Object, OpenApi, types::Example};
use serde::Serialize;

use super::{OperationGroup, parameters::NoQuery};
use crate::{
    access::Caller,
    auth::Scopes,
    contract::{
        Fail, Json, Nullable, Timestamp, UserIdText,
        codes::{CALLER, PARAMETERS},
    },
    store::Read,
};

/// The operations on the account.
pub struct Me;

/// The user of your token, and what the token allows.
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
        }
    }
}

#[derive(ApiResponse)]
enum AccountResponse {
    /// The user of your token.
    #[oai(status = 200)]
    Account(Json<Account>),
}

#[OpenApi(tag = "OperationGroup::Account")]
impl Me {
    /// Get the user of your token
    ///
    /// Call this first when a token is refused or shows other tasks than expected.
    #[oai(path = "/api/v1/me", method = "get", operation_id = "getMe")]
    async fn get_me(
        &self,
        caller: Caller<Read>,
        _query: NoQuery,
    ) -> Result<AccountResponse, Fail<{ CALLER | PARAMETERS }>> {
        let identity = caller.identity();
        Ok(AccountResponse::Account(Json(Account {
            user_id: UserIdText(identity.user_id.as_str().to_owned()),
            issuer: Nullable(identity.issuer.clone()),
            expires_at: Timestamp::new(identity.expires_at),
            scopes: ScopeName::all_of(identity.scopes),
            rule: identity.rule.to_string(),
        })))
    }
}
