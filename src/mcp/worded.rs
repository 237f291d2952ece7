//! A body of REST as an item of a tool. The due date may be in words; the rest is the same.

use super::{
    arguments::{Argument, Arguments, at},
    date::{DateText, Dates},
    schema::{Property, of_body},
    tool_error::ToolError,
};
use crate::contract::{Change, DueDate, Members, RequestBody};

/// The member that is read here instead of by the body.
const DUE_DATE: &str = "due_date";

/// A body, and when it says that the task is due.
#[derive(Debug)]
pub(super) struct Worded<T> {
    /// All but the due date.
    pub(super) body: T,
    pub(super) due_date: Change<DateText>,
}

impl<T: RequestBody> Arguments for Worded<T> {
    fn take(members: &mut Members) -> Option<Self> {
        let due_date = members.take(DUE_DATE);
        let body = T::read(members);
        Some(Self {
            body: body?,
            due_date: due_date?,
        })
    }

    fn properties() -> Vec<Property> {
        let mut properties = of_body::<T>();
        for property in &mut properties {
            if property.name == DUE_DATE {
                property.schema = Change::<DateText>::schema();
            }
        }
        properties
    }
}

/// The date or time that was said.
pub(super) fn due_date(
    said: &Change<DateText>,
    dates: &mut Dates,
) -> Result<Change<DueDate>, ToolError> {
    Ok(match said {
        Change::Keep => Change::Keep,
        Change::Clear => Change::Clear,
        Change::Set(said) => Change::Set(dates.resolve(said).map_err(at(DUE_DATE))?),
    })
}
