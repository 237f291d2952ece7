//! Lists on the owner paths: which tasks, and in which shape.

use std::borrow::Cow;

use poem_openapi::{
    Object,
    types::{Example, ToJSON, Type},
};
use serde::Serialize;

use super::super::parameters::ParameterFaults;
use crate::{
    contract::{
        Direction, DueDate, DueFilter, Offset, OwnerFlag, OwnerSort, OwnerTask, PageNumber,
        PageSize, Priority, SearchText, Status, Tag, Total,
        registry::{MetaSchema, MetaSchemaRef, Registry, inline},
    },
    store::{DueBound, Filter, SliceQuery},
};

/// The shape of lists on the owner paths (the setting `OWNER_PATHS_LIST`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListShape {
    /// An array of tasks.
    Array,
    /// `{"tasks": […], "total": n}`.
    Tasks,
}

/// How many tasks a list has at most without `limit`.
const DEFAULT_LIMIT: u32 = 1000;

/// The values of the parameters, once those with several names are merged.
pub(super) struct Given {
    pub(super) status: Option<Status>,
    pub(super) completed: Option<OwnerFlag>,
    pub(super) priority: Option<Priority>,
    pub(super) tag: Option<Tag>,
    pub(super) due: Option<DueFilter>,
    pub(super) due_before: Option<DueDate>,
    pub(super) due_after: Option<DueDate>,
    pub(super) text: Option<SearchText>,
    pub(super) sort: Option<OwnerSort>,
    pub(super) direction: Option<Direction>,
    pub(super) limit: Option<PageSize>,
    pub(super) offset: Option<Offset>,
    pub(super) page: Option<PageNumber>,
}

impl Given {
    /// Notes parameters that contradict each other, so that none is silently ignored.
    pub(super) fn check(&self, faults: &mut ParameterFaults) {
        let by_status = self.status.as_ref().and_then(|Status(done)| *done);
        let done = self.completed.map(|OwnerFlag(done)| done);
        if by_status.is_some() && done.is_some() && by_status != done {
            let detail = "must not contradict completed (or is_completed)";
            faults.note("status", detail);
        }
        if let (Some(sort), Some(Direction(false))) = (self.sort, self.direction)
            && sort.is_turned()
        {
            let detail = "must not be combined with an ascending order if it begins with `-`";
            faults.note("sort", detail);
        }
        if self.page.is_some() && self.offset.is_some() {
            faults.note("page", "must not be combined with an offset");
        }
    }

    pub(super) fn into_query(self) -> SliceQuery {
        let Self {
            status,
            completed,
            priority,
            tag,
            due,
            due_before,
            due_after,
            text,
            sort,
            direction,
            limit,
            offset,
            page,
        } = self;
        let limit = limit.map_or(DEFAULT_LIMIT, |PageSize(limit)| limit);
        let skipped = page.map_or(0, |PageNumber(page)| u64::from(page - 1) * u64::from(limit));
        SliceQuery {
            filter: Filter {
                completed: completed
                    .map(|OwnerFlag(done)| done)
                    .or(status.and_then(|Status(done)| done)),
                priority,
                tag,
                due,
                due_before: due_before.map(DueBound::Utc),
                due_after: due_after.map(DueBound::Utc),
                q: text,
                changed_since: None,
            },
            sort: sort.unwrap_or(OwnerSort::CREATED).with(direction),
            limit: limit.into(),
            offset: offset.map_or(skipped, |Offset(offset)| offset.into()),
        }
    }
}

/// Tasks with their total, as about half of the front ends expect them.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub(super) struct OwnedTasks {
    /// The tasks.
    tasks: Vec<OwnerTask>,
    /// How many there are with these filters, on all pages.
    total: Total,
}

/// A list in one of the two shapes, for the document. `written` writes it.
#[derive(Debug)]
pub(super) struct OwnerList;

impl Example for OwnedTasks {
    fn example() -> Self {
        Self {
            tasks: vec![OwnerTask::example()],
            total: Total::of(1),
        }
    }
}

// By hand, because poem-openapi's derive macro for unions cannot write an array or an object without a tag.
impl Type for OwnerList {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "OwnerList".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let array = vec![OwnerTask::example()];
        inline(MetaSchema {
            any_of: vec![Vec::<OwnerTask>::schema_ref(), OwnedTasks::schema_ref()],
            example: array.to_json(),
            ..MetaSchema::ANY
        })
    }

    fn register(registry: &mut Registry) {
        OwnerTask::register(registry);
        OwnedTasks::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}
