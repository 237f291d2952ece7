//! A list on the owner paths as it is sent: its first tasks at once, the others when the client has taken those before.

use std::{io, vec};

use bytes::Bytes;
use futures_util::stream;
use poem::Body;

use super::{super::further_page::further_page, list::ListShape};
use crate::{
    access::Caller,
    contract::{OwnerTask, Problem, Task},
    store::{AT_ONCE, Read, Slice},
};

/// The JSON of a list, with `Content-Length` if all of it has been read.
pub(super) fn body(shape: ListShape, slice: Slice, caller: Caller<Read>) -> Result<Body, Problem> {
    let Slice {
        first, rest, total, ..
    } = slice;
    let mut json = match shape {
        ListShape::Array => b"[".to_vec(),
        ListShape::Tasks => br#"{"tasks":["#.to_vec(),
    };
    write(&mut json, first, true).map_err(|_| Problem::internal())?;
    let end = match shape {
        ListShape::Array => "]".to_owned(),
        ListShape::Tasks => format!("],\"total\":{total}}}"),
    };
    if rest.is_empty() {
        json.extend_from_slice(end.as_bytes());
        return Ok(Body::from(json));
    }
    let parts = Parts {
        caller,
        first: Some(json),
        rest: rest.into_iter(),
        end: Some(end),
    };
    let parts = stream::try_unfold(parts, Parts::next);
    Ok(Body::from_bytes_stream(parts))
}

/// Writes tasks as elements of an array. The first of all has no comma before it.
fn write(json: &mut Vec<u8>, tasks: Vec<Task>, mut is_first: bool) -> serde_json::Result<()> {
    for task in tasks {
        if !std::mem::take(&mut is_first) {
            json.push(b',');
        }
        serde_json::to_writer(&mut *json, &OwnerTask::from(task))?;
    }
    Ok(())
}

/// What is still to be sent.
struct Parts {
    caller: Caller<Read>,
    first: Option<Vec<u8>>,
    rest: vec::IntoIter<i64>,
    end: Option<String>,
}

impl Parts {
    /// The next part. A list that is cut has no end.
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        if let Some(first) = self.first.take() {
            return Ok(Some((first.into(), self)));
        }
        let ids: Vec<i64> = self.rest.by_ref().take(AT_ONCE).collect();
        if ids.is_empty() {
            let end = self.end.take();
            return Ok(end.map(|end| (end.into(), self)));
        }
        let tasks = self.caller.scope().tasks();
        let read = async move { tasks.by_ids(&ids).await };
        let tasks = further_page(&self.caller, read).await?;
        let mut json = Vec::new();
        write(&mut json, tasks, false)?;
        Ok(Some((json.into(), self)))
    }
}
