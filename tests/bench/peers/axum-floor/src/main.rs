//! The floor: the leanest sensible server for the operations that are measured, written by hand on axum and
//! tokio-postgres. It has no ETags, no rate limit, no scopes, no log and no contract.

mod auth;
mod db;
mod json;
mod tasks;

use std::{env, sync::Arc};

use anyhow::Context as _;
use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt as _,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct App {
    auth: auth::Auth,
    db: db::Db,
}

enum Error {
    Refused(StatusCode, &'static str),
    Database,
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        eprintln!("database: {error}");
        Self::Database
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Self::Refused(status, detail) => (status, detail),
            Self::Database => (StatusCode::SERVICE_UNAVAILABLE, "database unavailable"),
        };
        respond(status, format!(r#"{{"detail":"{detail}"}}"#).into_bytes())
    }
}

fn respond(status: StatusCode, body: Vec<u8>) -> Response {
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], body).into_response()
}

fn main() -> anyhow::Result<()> {
    let workers = variable("WORKERS")?.parse()?;
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()?
        .block_on(serve())
}

async fn serve() -> anyhow::Result<()> {
    let connections = variable("DB_POOL")?.parse()?;
    let app = App {
        auth: auth::Auth::new(
            &std::fs::read(variable("JWKS_FILE")?)?,
            variable("JWT_ISSUER")?,
            variable("JWT_AUDIENCE")?,
        )?,
        db: db::Db::open(&variable("DATABASE_URL")?, connections).await?,
    };
    let router = Router::new()
        .route("/api/v1/tasks", get(tasks::list).post(tasks::create))
        .route(
            "/api/v1/tasks/{id}",
            get(tasks::get).patch(tasks::update).delete(tasks::delete),
        )
        .with_state(Arc::new(app));
    let address = format!("127.0.0.1:{}", variable("PORT")?);
    let listener = tokio::net::TcpListener::bind(&address)
        .await?
        .tap_io(|socket| {
            // Without it, only a request would be slower.
            let _ = socket.set_nodelay(true);
        });
    axum::serve(listener, router).await?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the rule is about Taskward's own settings"
)]
fn variable(name: &str) -> anyhow::Result<String> {
    env::var(name).with_context(|| format!("{name} is not set"))
}
