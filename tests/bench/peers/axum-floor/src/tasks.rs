//! The operations.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use crate::{App, Error, json, respond};

type Answer = Result<Response, Error>;

const NOT_FOUND: Error = Error::Refused(StatusCode::NOT_FOUND, "no such task");

#[derive(Deserialize)]
pub struct Create {
    pub title: String,
    pub description: Option<String>,
}

#[derive(Deserialize)]
pub struct Update {
    pub title: Option<String>,
    /// Null clears the description, and is not the same as an absent member.
    #[serde(default, deserialize_with = "present")]
    pub description: Option<Option<String>>,
    pub completed: Option<bool>,
}

fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Deserialize::deserialize(value).map(Some)
}

#[derive(Deserialize)]
pub struct Page {
    limit: Option<u16>,
    cursor: Option<String>,
}

pub async fn create(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Answer {
    let user = app.auth.user(&headers)?;
    let task: Create = parse(&body)?;
    check(Some(&task.title), task.description.as_deref())?;
    let row = app.db.create(&user, &task).await?;
    Ok(respond(StatusCode::CREATED, json::task(&row)?))
}

pub async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(page): Query<Page>,
) -> Answer {
    let user = app.auth.user(&headers)?;
    let limit = page.limit.unwrap_or(50);
    if !(1..=100).contains(&limit) {
        return Err(unprocessable("limit must be 1 to 100"));
    }
    let after = match page.cursor.as_deref() {
        None => None,
        Some(cursor) => Some(json::read_cursor(cursor).ok_or(unprocessable("bad cursor"))?),
    };
    // One row more than is shown tells whether there is a next page.
    let rows = app.db.list(&user, i64::from(limit) + 1, after).await?;
    Ok(respond(StatusCode::OK, json::page(&rows, limit.into())?))
}

pub async fn get(State(app): State<Arc<App>>, headers: HeaderMap, Path(id): Path<Uuid>) -> Answer {
    let user = app.auth.user(&headers)?;
    let row = app.db.get(&user, id).await?.ok_or(NOT_FOUND)?;
    Ok(respond(StatusCode::OK, json::task(&row)?))
}

pub async fn update(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    body: Bytes,
) -> Answer {
    let user = app.auth.user(&headers)?;
    let change: Update = parse(&body)?;
    let description = change.description.as_ref().and_then(Option::as_deref);
    check(change.title.as_deref(), description)?;
    let row = app.db.update(&user, id, &change).await?.ok_or(NOT_FOUND)?;
    Ok(respond(StatusCode::OK, json::task(&row)?))
}

pub async fn delete(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Error> {
    let user = app.auth.user(&headers)?;
    match app.db.delete(&user, id).await? {
        None => Err(NOT_FOUND),
        Some(_) => Ok(StatusCode::NO_CONTENT),
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|_| unprocessable("malformed body"))
}

fn check(title: Option<&str>, description: Option<&str>) -> Result<(), Error> {
    if title.is_some_and(|title| title.is_empty() || title.chars().count() > 200) {
        return Err(unprocessable("title must have 1 to 200 characters"));
    }
    if description.is_some_and(|description| description.chars().count() > 2000) {
        return Err(unprocessable(
            "description must have at most 2000 characters",
        ));
    }
    Ok(())
}

fn unprocessable(detail: &'static str) -> Error {
    Error::Refused(StatusCode::UNPROCESSABLE_ENTITY, detail)
}
