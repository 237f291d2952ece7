//! The operations on health, for operators: is the server alive, and is it ready?

use poem::web::Data;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi, types::Example};
use serde::Serialize;

use super::{OperationGroup, Readiness};
use crate::contract::{Fail, Json, Problem, ProblemCode, codes::READINESS};

/// The operations on health.
pub struct Health;

/// The state of the server.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
struct Status {
    /// Always `ok`. A server that is not ready answers with a problem.
    status: Condition,
}

/// The state of the server.
#[derive(Debug, Enum, Serialize)]
#[oai(rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
enum Condition {
    /// The server is alive, or ready.
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
    /// The server is alive, or ready.
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
    /// Checks nothing else, not even the database. Needs no token.
    #[oai(path = "/healthz", method = "get", operation_id = "getHealth")]
    async fn get_health(&self) -> Well {
        Well::ok()
    }

    /// Tell whether the server is alive (for front ends that call `/health`)
    ///
    /// The same as `/healthz`.
    #[oai(path = "/health", method = "get", operation_id = "getPlainHealth")]
    async fn get_plain_health(&self) -> Well {
        Well::ok()
    }

    /// Tell whether the server is ready
    ///
    /// If it is not, `detail` says what is missing. Needs no token.
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
