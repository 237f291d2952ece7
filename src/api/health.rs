//! For those who run the server: is it alive, and can it work?

use poem::web::Data;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi, types::Example};
use serde::Serialize;

use super::{OperationGroup, Readiness};
use crate::contract::{Fail, Json, Problem, ProblemCode, codes::READINESS};

/// The operations on health.
pub struct Health;

/// How the server is.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
struct Status {
    /// All is well; otherwise the answer is a problem.
    status: Condition,
}

/// The condition of the server.
#[derive(Debug, Enum, Serialize)]
#[oai(rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
enum Condition {
    /// All is well.
    Ok,
}

impl Example for Status {
    fn example() -> Self {
        Self {
            status: Condition::Ok,
        }
    }
}

#[derive(ApiResponse)]
enum Well {
    /// All is well.
    #[oai(status = 200)]
    Ok(Json<Status>),
}

impl Well {
    fn ok() -> Self {
        Self::Ok(Json(Status::example()))
    }
}

#[OpenApi(tag = "OperationGroup::Health")]
impl Health {
    /// Tell whether the server is alive
    ///
    /// Touches neither the database nor anything else, and needs no token.
    #[oai(path = "/healthz", method = "get", operation_id = "getHealth")]
    async fn get_health(&self) -> Well {
        Well::ok()
    }

    /// Tell whether the server is alive (the path that front ends know)
    ///
    /// The same as `/healthz`.
    #[oai(path = "/health", method = "get", operation_id = "getPlainHealth")]
    async fn get_plain_health(&self) -> Well {
        Well::ok()
    }

    /// Tell whether the server can work
    ///
    /// If not, the problem's `detail` says what is missing. Needs no token.
    #[oai(path = "/readyz", method = "get", operation_id = "getReadiness")]
    async fn get_readiness(
        &self,
        readiness: Data<&Readiness>,
    ) -> Result<Well, Fail<{ READINESS }>> {
        let missing = readiness.0.missing().await;
        if missing.is_empty() {
            return Ok(Well::ok());
        }
        let detail = format!("Not ready: {}.", missing.join("; "));
        let problem = Problem::new(ProblemCode::NotReady, detail);
        Err(problem.retry_after(1).into())
    }
}
