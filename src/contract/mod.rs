//! The wire types: what goes over HTTP, and nothing else.
//!
//! The types say what is valid, so that a value that exists has been checked. The OpenAPI document is
//! derived from them (`api::spec`), and a request is read by the same types that document it.
//!
//! - `task.rs`: a task, and the bodies that write one (made by the macros in `bodies.rs`).
//! - `scalar.rs`: what a value of one member is; `text.rs`, `time.rs`, `due_date.rs`, `priority.rs`, `tags.rs`, `sort.rs`,
//!   `uid.rs`: the kinds of values.
//! - `batch.rs`: many operations in one request; `changes.rs`: what has changed since; `events.rs`: the same as a stream;
//!   `export.rs`: everything, as lines.
//! - `json.rs`, `read.rs`, `strict.rs`, `syntax.rs`, `pointer.rs`: how a body is read, and where its faults are; `nullability.rs`: absent,
//!   null and a value.
//! - `problem/`: errors, and their codes. `owner/`, `lenient.rs`, `ignored.rs`: what differs on the owner paths.
//! - `registry.rs`: the only file that imports poem-openapi's registry.

mod batch;
mod bodies;
mod changes;
mod due_date;
mod events;
mod export;
mod ignored;
mod json;
mod lenient;
mod nullability;
mod owner;
mod pointer;
mod priority;
mod problem;
mod read;
pub(crate) mod registry;
mod repeats;
mod scalar;
mod sort;
mod strict;
mod syntax;
mod tags;
mod task;
mod text;
mod time;
mod time_zone;
mod uid;
mod values;

pub use batch::{BatchOperation, BatchRequest, BatchResults, OperationResult, Target};
pub use changes::{ChangeList, DeletedTask};
pub use due_date::{DueDate, DueFilter};
pub use events::{EndReason, EventStream, StreamEnd, event};
pub use export::{EXPORT_FORMAT, ExportBegin, ExportEnd, ExportLines, ExportMark, ExportedTask};
pub(crate) use ignored::note_ignored;
pub use json::{Json, RenderedJson, RequestBody};
pub(crate) use json::{check_media_type, crowded, length_of_body, read_body};
pub use lenient::Lenient;
pub use nullability::{Change, Maybe, Nullable};
pub use owner::{
    Direction, Offset, OwnerCompletion, OwnerFlag, OwnerSort, OwnerTask, PageNumber, PageSize,
    Status,
};
pub use pointer::Pointer;
pub use priority::Priority;
pub use problem::{Challenge, Fail, Fault, Problem, ProblemCode, ProblemDetail, RequestId, codes};
pub(crate) use problem::{example, into_poem, repeated, response_component};
pub use read::{Member, Members};
pub(crate) use repeats::first_repeat;
pub use scalar::{Flag, PageLimit, Revision, Scalar, TaskId, Total, UserIdText, Version};
pub(crate) use scalar::{integer, kind};
pub use sort::Sort;
pub(crate) use syntax::SyntaxFault;
pub use tags::Tags;
pub use task::{NewTask, OwnerNewTask, OwnerTaskChanges, Task, TaskList, TaskPatch};
pub use text::{CursorText, Description, SearchText, Tag, Title};
pub(crate) use time::TimeSpelling;
pub use time::Timestamp;
pub use time_zone::TimeZone;
pub use uid::Uid;
pub(crate) use values::too_many_values;
