//! The operation that gives the caller everything that they store.

use std::io;

use bytes::Bytes;
use futures_util::stream;
use poem::Body;
use poem_openapi::{ApiResponse, OpenApi};

use super::{OperationGroup, further_page::further_page, parameters::NoQuery};
use crate::{
    access::{Caller, Price, problem},
    contract::{
        ExportLines, Fail,
        codes::{CALLER, PARAMETERS},
    },
    store::{Export, ExportPage, Read, StoreError},
};

/// The operation that exports.
pub struct Exports;

/// A browser keeps it as a file of this name.
const ATTACHMENT: &str = r#"attachment; filename="tasks.ndjson""#;

#[derive(ApiResponse)]
enum ExportResponse {
    /// Everything, as lines of JSON. If the last line is not one with `"export":"end"`, the export was cut: ask again.
    #[oai(status = 200)]
    Lines(
        ExportLines,
        /// That it is a file, and its name.
        #[oai(header = "Content-Disposition")]
        String,
    ),
}

#[OpenApi(tag = "OperationGroup::Account")]
impl Exports {
    /// Export everything that you store
    ///
    /// Lines of JSON (NDJSON), which `taskward import` reads. The first line says whose tasks they are; then there is a line for
    /// each task in the order of their ids, deleted ones that are still kept too (`deleted_at`); the last line says how many
    /// there were. Without that last line the export was cut, and is not whole.
    ///
    /// It is read while you take it. A task that is there all the time comes once, as it is at some moment between the two; one
    /// that is created meanwhile does not. If `revision` of the first and the last line is the same, nothing was changed
    /// meanwhile. It counts as the requests that would list as many tasks.
    #[oai(
        path = "/api/v1/me/export",
        method = "get",
        operation_id = "exportTasks"
    )]
    async fn export_tasks(
        &self,
        caller: Caller<Read>,
        _query: NoQuery,
    ) -> Result<ExportResponse, Fail<{ CALLER | PARAMETERS }>> {
        let first = caller.in_turn(Price::PAGE, page(&caller, Export::default()));
        let ExportPage { text, rest } = first.await?.map_err(problem)?;
        let body = match rest {
            None => Body::from(text),
            Some(_) => {
                let parts = Parts { caller, rest };
                let parts = stream::try_unfold((Some(text), parts), |(first, parts)| async {
                    let part = match first {
                        Some(first) => Some((Bytes::from(first), parts)),
                        None => parts.next().await?,
                    };
                    Ok::<_, io::Error>(part.map(|(part, parts)| (part, (None, parts))))
                });
                Body::from_bytes_stream(parts)
            }
        };
        let lines = ExportLines(body);
        Ok(ExportResponse::Lines(lines, ATTACHMENT.to_owned()))
    }
}

/// Reads a page of an export.
fn page(
    caller: &Caller<Read>,
    export: Export,
) -> impl Future<Output = Result<ExportPage, StoreError>> + use<> {
    let tasks = caller.scope().tasks();
    async move { tasks.export(export).await }
}

/// What is still to be sent.
struct Parts {
    caller: Caller<Read>,
    rest: Option<Export>,
}

impl Parts {
    /// The next lines, when the client has taken those before. An export that is cut has no last line.
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let Some(rest) = self.rest else {
            return Ok(None);
        };
        let read = page(&self.caller, rest);
        let ExportPage { text, rest } = further_page(&self.caller, read).await?;
        self.rest = rest;
        Ok(Some((text.into(), self)))
    }
}
