//! Lists, page by page, against a list in memory.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};
use taskward::unicode::{fold, search_key};

use super::try_on;
use crate::support::{Actor, Backend, on_both};

const TASKS: &str = "/api/v1/tasks";
pub(super) const SORTS: [&str; 10] = [
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
    "due_date",
    "-due_date",
    "priority",
    "-priority",
    "title",
    "-title",
];
/// Few, so that there are ties; of all lengths in UTF-8; with what is special in patterns, JSON and URLs.
const TEXTS: [&str; 20] = [
    "a", "A", "b", "ä", "Ä", "a\u{308}", "ß", "SS", "ẞ", "é", "Ω", "ω", "İ", "i", "%", "_", "\\",
    "\"'&+", "漢", "😀",
];
/// A date and a time that are the same instant, one microsecond more, the ends of time, an offset; a day that Samoa left
/// out, a midnight that Brazil skipped, and the instants of both.
const DUE: [&str; 14] = [
    "2026-02-06",
    "2026-02-06T00:00:00Z",
    "2026-02-06T00:00:00.000001Z",
    "2026-02-06T00:00:00.5Z",
    "2026-02-06T02:00:00+02:00",
    "0001-01-01",
    "9999-12-31T23:59:59.999999Z",
    "2026-02-07",
    "2026-02-06T05:00:00Z",
    "2011-12-30",
    "2011-12-31",
    "2011-12-30T10:00:00Z",
    "2018-11-04",
    "2018-11-04T03:00:00Z",
];
pub(super) const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
];
const PRIORITIES: [&str; 3] = ["low", "medium", "high"];

fn text(longest: usize) -> impl Strategy<Value = String> {
    vec(select(&TEXTS[..]), 1..=longest).prop_map(|parts| parts.concat())
}

pub(super) fn body() -> impl Strategy<Value = Value> {
    let tags = vec(select(&["a", "Ä", "%", "_", "x y"][..]), 0..3).prop_map(|mut tags| {
        tags.sort_unstable();
        tags.dedup();
        tags
    });
    let (description, due) = (option::of(text(3)), option::of(select(&DUE[..])));
    (text(3), description, any::<bool>(), select(&PRIORITIES[..]), due, tags).prop_map(
        |(title, description, completed, priority, due_date, tags)| {
            json!({
                "title": title, "description": description, "completed": completed, "priority": priority,
                "due_date": due_date, "tags": tags,
            })
        },
    )
}

/// A list that is asked for.
#[derive(Debug, Clone)]
pub(super) struct List {
    sort: &'static str,
    limit: usize,
    filters: Vec<(&'static str, String)>,
}

pub(super) fn list() -> impl Strategy<Value = List> {
    let due = || select(&DUE[..]).prop_map(str::to_owned);
    let filter = prop_oneof![
        any::<bool>().prop_map(|done| ("completed", done.to_string())),
        select(&PRIORITIES[..]).prop_map(|priority| ("priority", priority.to_owned())),
        select(&["A", "ä", "%", "_", "X Y", "none"][..]).prop_map(|tag| ("tag", tag.to_owned())),
        due().prop_map(|due| ("due_before", due)),
        due().prop_map(|due| ("due_after", due)),
        select(&["none", "any"][..]).prop_map(|due| ("due", due.to_owned())),
        select(&ZONES[..]).prop_map(|zone| ("time_zone", zone.to_owned())),
        text(1).prop_map(|q| ("q", q)),
    ];
    (select(&SORTS[..]), 1usize..=9, vec(filter, 0..4)).prop_map(|(sort, limit, mut filters)| {
        filters.sort();
        filters.dedup_by_key(|(name, _)| *name);
        List {
            sort,
            limit,
            filters,
        }
    })
}

fn instant(due: &str, zone: Tz) -> DateTime<Utc> {
    match due.parse::<NaiveDate>() {
        Ok(day) => first_instant(day, zone),
        Err(_) => due.parse().unwrap(),
    }
}

/// The first second of a day or a later one, found by looking at the clock.
fn first_instant(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let begun = |at: &DateTime<Utc>| at.with_timezone(&zone).date_naive() >= day;
    let midnight = day.and_time(NaiveTime::MIN).and_utc();
    let quarters = (-120..=120).map(|quarter| midnight + TimeDelta::minutes(15 * quarter));
    let quarter = quarters.into_iter().find(begun).unwrap();
    let mut seconds = (-899..=0).map(|second| quarter + TimeDelta::seconds(second));
    seconds.find(begun).unwrap()
}

impl List {
    pub(super) fn path(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("sort", self.sort)
            .append_pair("limit", &self.limit.to_string());
        query.extend_pairs(&self.filters);
        format!("{TASKS}?{}", query.finish())
    }

    fn zone(&self) -> Tz {
        let zone = self.filters.iter().find(|(name, _)| *name == "time_zone");
        zone.map_or(Tz::UTC, |(_, zone)| zone.parse().unwrap())
    }

    fn has(&self, task: &Value) -> bool {
        let text = |name: &str| search_key(task[name].as_str().unwrap_or_default());
        let instant = |due: &str| instant(due, self.zone());
        let due = task["due_date"].as_str().map(instant);
        self.filters.iter().all(|(name, value)| match *name {
            "completed" => task["completed"].as_bool() == Some(*value == "true"),
            "priority" => task["priority"] == **value,
            "tag" => task["tags"]
                .as_array()
                .unwrap()
                .iter()
                .any(|tag| fold(tag.as_str().unwrap()) == fold(value)),
            "time_zone" => true,
            "due" => due.is_some() == (value == "any"),
            "due_before" => due.is_some_and(|due| due < instant(value)),
            "due_after" => due.is_some_and(|due| due >= instant(value)),
            "q" => {
                text("title").contains(&search_key(value))
                    || text("description").contains(&search_key(value))
            }
            other => panic!("{other}"),
        })
    }

    /// The numbers of the tasks that the list has, in its order.
    fn expected(&self, tasks: &[Value]) -> Vec<i64> {
        let mut tasks: Vec<_> = tasks.iter().filter(|task| self.has(task)).collect();
        let (turned, key) = match self.sort.strip_prefix('-') {
            Some(key) => (true, key),
            None => (false, self.sort),
        };
        tasks.sort_by(|a, b| {
            let by_id = a["id"].as_i64().cmp(&b["id"].as_i64());
            let order = match key {
                "created_at" => by_id,
                "updated_at" => a["version"].as_i64().cmp(&b["version"].as_i64()),
                "title" => {
                    let title = |task: &Value| search_key(task["title"].as_str().unwrap());
                    title(a).cmp(&title(b))
                }
                "priority" => {
                    let rank =
                        |task: &Value| PRIORITIES.iter().position(|name| task["priority"] == *name);
                    rank(a).cmp(&rank(b))
                }
                "due_date" => {
                    let zone = self.zone();
                    let due =
                        |task: &Value| task["due_date"].as_str().map(|due| instant(due, zone));
                    let missing = due(a).is_none().cmp(&due(b).is_none());
                    if missing.is_ne() {
                        return missing;
                    }
                    due(a).cmp(&due(b))
                }
                other => panic!("{other}"),
            };
            let order = order.then(by_id);
            if turned { order.reverse() } else { order }
        });
        tasks
            .iter()
            .map(|task| task["id"].as_i64().unwrap())
            .collect()
    }

    /// Reads the list to its end; between two pages something may happen.
    async fn read(&self, actor: &Actor, between: impl AsyncFn(usize)) -> Vec<i64> {
        let (mut ids, mut path, mut pages) = (Vec::new(), self.path(), 0);
        loop {
            let page = actor.get(&path).await;
            assert_eq!(page.status, 200, "{page}");
            assert!(page.items().len() <= self.limit, "{page}");
            ids.extend(page.items().iter().map(|task| task["id"].as_i64().unwrap()));
            let link = page.header("link");
            let Some(cursor) = page.body["next_cursor"].as_str() else {
                assert_eq!(link, "");
                return ids;
            };
            assert_eq!(
                page.items().len(),
                self.limit,
                "a page that is not the last is full"
            );
            let next = link
                .strip_prefix('<')
                .and_then(|link| link.strip_suffix(">; rel=\"next\""));
            path = next.unwrap().to_owned();
            assert!(path.ends_with(&format!("cursor={cursor}")), "{path}");
            between(pages).await;
            pages += 1;
            assert!(pages < 200, "{self:?} does not end");
        }
    }
}

on_both! {
    /// All that the list has, in order, no task twice and none missed.
    async fn the_pages_together_are_the_list(on: Backend) {
        let app = on.app().await;
        let users = std::sync::atomic::AtomicU32::new(0);
        let edits = vec((any::<prop::sample::Index>(), option::of(body())), 0..6);
        let input = (vec(body(), 0..24), edits, vec(list(), 6));
        tokio::task::block_in_place(|| try_on(on, input, async |(bodies, edits, lists)| {
            let number = users.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let actor = app.user(&format!("user {number}"));
            let mut tasks = Vec::new();
            for body in bodies {
                tasks.push(actor.create_with(body).await.task);
            }
            for (index, edit) in edits {
                if tasks.is_empty() {
                    break;
                }
                let index = index.index(tasks.len());
                let path = format!("{TASKS}/{}", tasks[index]["id"]);
                match edit {
                    Some(patch) => {
                        let answer = actor.patch(&path, patch).await;
                        assert_eq!(answer.status, 200, "{answer}");
                        tasks[index] = answer.body;
                    }
                    None => {
                        assert_eq!(actor.delete(&path).await.status, 204);
                        tasks.remove(index);
                    }
                }
            }
            for list in lists {
                let ids = list.read(&actor, async |_| {}).await;
                assert_eq!(ids, list.expected(&tasks), "{list:?}");
            }
        }));
    }

    /// Tasks that are there from the first page to the last come exactly once, whatever comes and goes.
    async fn pages_hold_while_tasks_come_and_go(on: Backend) {
        let app = on.app().await;
        let users = std::sync::atomic::AtomicU32::new(0);
        // Not by the time of the last change: what is changed moves there.
        let still = SORTS.into_iter().filter(|sort| !sort.ends_with("updated_at")).collect::<Vec<_>>();
        let happenings = vec((any::<bool>(), body(), any::<prop::sample::Index>()), 1..8);
        let input = (vec(body(), 1..16), vec(body(), 1..8), happenings, select(still), 1usize..=4);
        tokio::task::block_in_place(|| try_on(on, input, async |(staying, going, happenings, sort, limit)| {
            let number = users.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let actor = app.user(&format!("user {number}"));
            let (mut stay, mut gone) = (Vec::new(), Vec::new());
            let mut going = going.into_iter();
            for body in staying {
                stay.push(actor.create_with(body).await.task);
                if let Some(body) = going.next() {
                    gone.push(actor.create_with(body).await.id);
                }
            }
            let list = List { sort, limit, filters: Vec::new() };
            let ids = list.read(&actor, async |page| {
                // Not for ever: a list that grows as fast as it is read has no end.
                let Some((create, body, index)) = happenings.get(page) else { return };
                // What stays may change where the order does not look.
                let stays = &stay[index.index(stay.len())]["id"];
                let patch = json!({ "description": page.to_string(), "tags": [page.to_string()] });
                assert_eq!(actor.patch(&format!("{TASKS}/{stays}"), patch).await.status, 200);
                if *create {
                    actor.create_with(body.clone()).await;
                } else if !gone.is_empty() {
                    actor.delete(&format!("{TASKS}/{}", gone[index.index(gone.len())])).await;
                }
            }).await;
            let once: BTreeSet<_> = ids.iter().collect();
            assert_eq!(once.len(), ids.len(), "a task came twice: {ids:?}");
            let ours = |id: &i64| stay.iter().any(|task| task["id"] == *id);
            let seen: Vec<_> = ids.into_iter().filter(ours).collect();
            assert_eq!(seen, list.expected(&stay), "{list:?}");
        }));
    }
}
