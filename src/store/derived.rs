//! The columns that hold one member of a task, and the columns that are derived from it.
//!
//! Creating, changing and importing all take them from here, so that a derived column cannot be left
//! behind or be computed in two ways. The columns are called `…_fold` for what they were once; titles and
//! descriptions have their search keys there, tags are case-folded.

use sea_orm::sea_query::Expr;

use super::{entity::task::Column as Task, row::StoredTags};
use crate::{
    contract::{Description, DueDate, Tags, Title},
    unicode::{fold, search_key},
};

/// A column and its new value.
pub(super) type Assignment = (Task, Expr);

/// The title: as it was sent, and as it is searched and sorted.
pub(super) fn title(title: Title) -> [Assignment; 2] {
    [
        (Task::TitleFold, search_key(title.as_str()).into()),
        (Task::Title, title.into_string().into()),
    ]
}

/// The description: as it was sent, and as it is searched.
pub(super) fn description(description: Option<Description>) -> [Assignment; 2] {
    let text = description.map(Description::into_string);
    [
        (
            Task::DescriptionFold,
            Expr::val(text.as_deref().map(search_key)),
        ),
        (Task::Description, Expr::val(text)),
    ]
}

/// The tags: as they were sent, and as they are compared.
pub(super) fn tags(tags: Tags) -> [Assignment; 2] {
    [
        (Task::TagsFold, folded(&tags).into()),
        (Task::Tags, Expr::val(StoredTags::from(tags))),
    ]
}

/// The due date: the instant, and whether it is a date without a time.
pub(super) fn due_date(due: Option<DueDate>) -> [Assignment; 2] {
    [
        (Task::DueAt, Expr::val(due.map(DueDate::instant))),
        (Task::DueIsDate, due.is_some_and(DueDate::is_date).into()),
    ]
}

/// Each tag, case-folded, between line feeds, which no tag contains.
fn folded(tags: &Tags) -> String {
    let mut text = String::from("\n");
    for tag in &tags.0 {
        text.push_str(&fold(tag.as_str()));
        text.push('\n');
    }
    text
}
