//! Pages that are renewed are those that would be read.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{Frame, Item, RenderedPage};
use crate::{
    contract::{
        Description, DueDate, Flag, Nullable, Priority, Sort, Tags, Task, TaskId, TaskList,
        Timestamp, Title, UserIdText, Version,
    },
    store::tasks::{cursor::Fingerprint, order::Ordering, query::Filter},
    unicode::search_key,
};

const USER: &str = "somebody";

/// A task, and whether it is not deleted.
#[derive(Debug, Clone)]
struct Row {
    task: Task,
    live: bool,
}

/// What a change gives a task.
#[derive(Debug, Clone)]
struct Values {
    title: &'static str,
    due: Option<i64>,
    priority: Priority,
    live: bool,
}

fn values() -> impl Strategy<Value = Values> {
    let titles = select(
        &[
            "a",
            "b",
            "\u{e4}",
            "\"\\\u{1}\u{2028}</script>",
            "\u{1f600}",
        ][..],
    );
    let priorities = select(&[Priority::Low, Priority::Medium, Priority::High][..]);
    (
        titles,
        prop::option::of(0..3i64),
        priorities,
        prop::bool::weighted(0.8),
    )
        .prop_map(|(title, due, priority, live)| Values {
            title,
            due,
            priority,
            live,
        })
}

fn row(id: i64, revision: i64, values: &Values) -> Row {
    let now = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(revision);
    let due = values.due.map(|day| {
        let at = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(day);
        DueDate::stored(at, day > 1)
    });
    let task = Task {
        id: TaskId::new(id).unwrap(),
        uid: Nullable(None),
        user_id: UserIdText(USER.to_owned()),
        title: Title::stored(values.title.to_owned()),
        description: Nullable(Some(Description::stored(values.title.repeat(2)))),
        completed: Flag(false),
        completed_at: Nullable(None),
        priority: values.priority,
        due_date: Nullable(due),
        tags: Tags::stored(vec![values.title.to_owned()]),
        created_at: Timestamp::new(now),
        updated_at: Timestamp::new(now),
        version: Version::new(revision).unwrap(),
    };
    let live = values.live;
    Row { task, live }
}

fn frame(sort: Sort, limit: usize) -> Frame {
    let order = Ordering::of(sort, None);
    Frame {
        order,
        fingerprint: Fingerprint::of(USER, &Filter::default(), &order, sort),
        limit,
    }
}

fn item(frame: Frame, task: &Task) -> Item {
    let fold = (frame.order.by_title()).then(|| search_key(task.title.as_str()));
    Item::new(task.clone(), frame.order.position(task, fold))
}

/// The live tasks in their order, as the database would give them: one more than fit.
fn in_order(frame: Frame, rows: &[Row]) -> Vec<Task> {
    let live = rows.iter().filter(|row| row.live);
    let mut tasks: Vec<_> = live.map(|row| row.task.clone()).collect();
    tasks.sort_by(|one, other| {
        let position = |task| item(frame, task).position;
        frame.order.compare(&position(one), &position(other))
    });
    tasks.truncate(frame.limit + 1);
    tasks
}

fn page(frame: Frame, rows: &[Row], revision: i64) -> RenderedPage {
    let tasks = in_order(frame, rows);
    let items = tasks.iter().map(|task| item(frame, task)).collect();
    RenderedPage::new(frame, revision, items, false).unwrap()
}

fn sorts() -> impl Strategy<Value = Sort> {
    select(Sort::all().collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn a_page_is_the_list_as_json(values in vec(values(), 0..8), sort in sorts(), limit in 1..6usize) {
        let rows: Vec<_> = (1..).zip(&values).map(|(id, values)| row(id, id, values)).collect();
        let frame = frame(sort, limit);
        let page = page(frame, &rows, 9);
        let mut items = in_order(frame, &rows);
        prop_assert_eq!(page.next_cursor.is_some(), items.len() > limit);
        items.truncate(limit);
        let list = TaskList { items, next_cursor: Nullable(page.next_cursor.clone()) };
        let json = serde_json::to_string(&list).unwrap();
        prop_assert_eq!(std::str::from_utf8(&page.body).unwrap(), json.as_str());
        let other = RenderedPage::of(list.items, page.next_cursor, 9).unwrap();
        prop_assert_eq!(page.body, other.body);
    }

    /// Renewed as often as possible, one page after the other.
    #[test]
    fn a_renewed_page_is_the_one_that_would_be_read(
        values in vec(values(), 0..8),
        // Which task, beyond the last a new one; several changes between two pages.
        changes in vec(vec((0..10usize, values()), 1..4), 1..8),
        sort in sorts(),
        limit in 1..6usize,
    ) {
        let mut revision = i64::try_from(values.len()).unwrap();
        let mut rows: Vec<_> = (1..).zip(&values).map(|(id, values)| row(id, id, values)).collect();
        let frame = frame(sort, limit);
        let mut kept = page(frame, &rows, revision);
        for changes in changes {
            let mut changed = Vec::new();
            for (index, values) in changes {
                revision += 1;
                let index = index.min(rows.len());
                let id = i64::try_from(index).unwrap() + 1;
                changed.retain(|other| *other != id);
                changed.push(id);
                let new = row(id, revision, &values);
                match rows.get_mut(index) {
                    Some(row) => *row = new,
                    None => rows.push(new),
                }
            }
            let live = rows.iter().filter(|row| row.live && changed.contains(&row.task.id.get()));
            let live = live.map(|row| item(frame, &row.task)).collect();
            let expected = page(frame, &rows, revision);
            kept = match kept.renewed(frame, revision, &changed, live).unwrap() {
                Some(renewed) => {
                    prop_assert_eq!(&renewed.next_cursor, &expected.next_cursor);
                    prop_assert_eq!(&renewed.body, &expected.body);
                    prop_assert_eq!(renewed.revision, revision);
                    renewed
                }
                None => {
                    prop_assert!(kept.next_cursor.is_some(), "the whole list was known");
                    expected
                }
            };
        }
    }
}

/// The usual changes need no reading: a new task at the top, and a change of a task that stays where it is.
#[test]
fn the_usual_changes_renew_a_page() {
    let values = Values {
        title: "a",
        due: None,
        priority: Priority::Low,
        live: true,
    };
    let mut rows: Vec<_> = (1..=5).map(|id| row(id, id, &values)).collect();
    let frame = frame(Sort::CreatedDesc, 3);
    let kept = page(frame, &rows, 5);
    for (index, id) in [(5, 6), (3, 4), (0, 1)] {
        let new = row(id, 6, &values);
        let live = vec![item(frame, &new.task)];
        let mut after = rows.clone();
        after.truncate(index);
        after.push(new);
        after.extend_from_slice(rows.get(index + 1..).unwrap_or_default());
        let renewed = kept
            .renewed(frame, 6, &[id], live)
            .unwrap()
            .expect("renewed");
        assert_eq!(renewed.body, page(frame, &after, 6).body, "{id}");
    }
    rows.remove(4);
    assert!(
        kept.renewed(frame, 6, &[5], Vec::new()).unwrap().is_none(),
        "one moves up from below the page"
    );
}
