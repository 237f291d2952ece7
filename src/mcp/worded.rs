//! A body of REST as an item of a tool. It differs in the due date, which may be a phrase.

use super::{
    arguments::{Argument, Arguments, at},
    date::{DateText, Dates},
    schema::{Property, of_body},
    tool_error::ToolError,
};
use crate::contract::{Change, DueDate, Members, RequestBody};

/// The member that is read here, and not by the body.
const DUE_DATE: &str = "due_date";

/// A body, with the due date as the client sent it.
#[derive(Debug)]
pub(super) struct Worded<T> {
    /// All members but the due date.
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

/// The due date that a phrase stands for.
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
