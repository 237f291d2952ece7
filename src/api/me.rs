//! You, as the server sees you.

use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Serialize;

use super::{
    Tag,
    caller::{Caller, Read},
};
use crate::contract::{Fail, Json, Nullable, Timestamp, UserIdText, status::CALLER};

/// The operations on the account.
pub struct Me;

/// Who the server takes you for.
#[derive(Debug, Object, Serialize)]
struct Account {
    /// The `sub` of your token.
    user_id: UserIdText,
    /// The `iss` of your token; null if it has none.
    issuer: Nullable<String>,
    /// When your token expires.
    expires_at: Timestamp,
    /// What your token allows.
    scopes: Vec<String>,
    /// The setting of the server by which your token was accepted.
    rule: String,
}

#[derive(ApiResponse)]
enum Shown {
    /// You.
    #[oai(status = 200)]
    Account(Json<Account>),
}

#[OpenApi(tag = "Tag::Account")]
impl Me {
    /// See who the server takes you for
    #[oai(path = "/api/v1/me", method = "get", operation_id = "getMe")]
    async fn get_me(&self, caller: Caller<Read>) -> Result<Shown, Fail<{ CALLER }>> {
        let identity = caller.identity();
        Ok(Shown::Account(Json(Account {
            user_id: UserIdText(identity.user_id.as_str().to_owned()),
            issuer: Nullable(identity.issuer.clone()),
            expires_at: Timestamp::new(identity.expires_at),
            scopes: identity
                .scopes
                .names()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            rule: identity.rule.to_string(),
        })))
    }
}
