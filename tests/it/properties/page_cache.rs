//! Pages from memory are those that a server without the cache reads, byte by byte.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use futures_util::future::join_all;
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};
use serde_json::{Value, json};

use super::{
    paging::{List, SORTS, ZONES, body, list},
    try_on,
};
use crate::support::{Actor, Answer, Backend, on_both};

const TASKS: &str = "/api/v1/tasks";
/// Those of one task, of a few, and of more tasks than there are.
const LIMITS: [u32; 4] = [1, 2, 5, 50];
const USERS: usize = 2;

/// What happens to the tasks of a user.
#[derive(Debug, Clone)]
enum Happening {
    Create(Value),
    Patch(Index, Value),
    Delete(Index),
    Restore(Index),
    /// So many patches before anybody reads again.
    Often(usize, Index, Value),
}

/// A page that is asked for.
#[derive(Debug, Clone)]
enum Read {
    First(&'static str, u32, Option<&'static str>),
    Filtered(List),
    /// The page after one that was read before.
    Next(Index),
}

#[derive(Debug, Clone)]
struct Step {
    user: usize,
    /// Whether the other server writes.
    elsewhere: bool,
    happening: Happening,
    /// Whether somebody looks at the lists that are looked at all the time.
    looks: bool,
    /// Of whom, and which page.
    reads: Vec<(usize, Read)>,
}

fn patch() -> impl Strategy<Value = Value> {
    let members = select(&["title", "due_date", "priority", "completed"][..]);
    (body(), vec(members, 1..3)).prop_map(|(body, members)| {
        let members = members
            .into_iter()
            .map(|name| (name.to_owned(), body[name].clone()));
        members.collect::<serde_json::Map<_, _>>().into()
    })
}

fn happening() -> impl Strategy<Value = Happening> {
    let index = any::<Index>;
    prop_oneof![
        3 => body().prop_map(Happening::Create),
        4 => (index(), patch()).prop_map(|(index, patch)| Happening::Patch(index, patch)),
        3 => index().prop_map(Happening::Delete),
        2 => index().prop_map(Happening::Restore),
        1 => (14..20usize, index(), patch()).prop_map(|(times, index, patch)| Happening::Often(times, index, patch)),
    ]
}

fn first() -> impl Strategy<Value = Read> {
    let zone = prop_oneof![3 => Just(None), 1 => select(&ZONES[..]).prop_map(Some)];
    let first = (select(&SORTS[..]), select(&LIMITS[..]), zone);
    first.prop_map(|(sort, limit, zone)| Read::First(sort, limit, zone))
}

fn step() -> impl Strategy<Value = Step> {
    let read = prop_oneof![
        first(),
        list().prop_map(Read::Filtered),
        any::<Index>().prop_map(Read::Next),
    ];
    let looks = prop::bool::weighted(0.7);
    let reads = vec((0..USERS, read), 0..3);
    let step = (0..USERS, any::<bool>(), happening(), looks, reads);
    step.prop_map(|(user, elsewhere, happening, looks, reads)| Step {
        user,
        elsewhere,
        happening,
        looks,
        reads,
    })
}

/// One user of two servers, one with a cache and one without.
struct Reader {
    cached: Actor,
    uncached: Actor,
    ids: Vec<i64>,
    /// The pages that followed those read so far.
    next: Vec<String>,
}

impl Reader {
    async fn live_through(&mut self, happening: &Happening, elsewhere: bool) {
        let actor = match elsewhere {
            true => &self.uncached,
            false => &self.cached,
        };
        let task = |index: &Index| {
            let id = (!self.ids.is_empty()).then(|| index.get(&self.ids));
            id.map(|id| format!("{TASKS}/{id}"))
        };
        match happening {
            Happening::Create(body) => {
                let id = actor.create_with(body.clone()).await.id;
                self.ids.push(id);
            }
            Happening::Patch(index, patch) => {
                if let Some(path) = task(index) {
                    let answer = actor.patch(&path, patch.clone()).await;
                    assert!(matches!(answer.status, 200 | 404), "{answer}");
                }
            }
            Happening::Delete(index) => {
                if let Some(path) = task(index) {
                    let answer = actor.delete(&path).await;
                    assert!(matches!(answer.status, 204 | 404), "{answer}");
                }
            }
            Happening::Restore(index) => {
                if let Some(path) = task(index) {
                    let answer = actor.post_nothing(&format!("{path}/restore")).await;
                    assert_eq!(answer.status, 200, "{answer}");
                }
            }
            Happening::Often(times, index, patch) => {
                for number in 0..*times {
                    let Some(path) = task(index) else { return };
                    let mut patch = patch.clone();
                    patch["title"] = json!(format!("a{}", number % 3));
                    let answer = actor.patch(&path, patch).await;
                    assert!(matches!(answer.status, 200 | 404), "{answer}");
                }
            }
        }
    }

    fn path(&self, read: &Read) -> Option<String> {
        Some(match read {
            Read::First(sort, limit, zone) => {
                let zone = zone.map_or(String::new(), |zone| format!("&time_zone={zone}"));
                format!("{TASKS}?sort={sort}&limit={limit}{zone}")
            }
            Read::Filtered(list) => list.path(),
            Read::Next(_) if self.next.is_empty() => return None,
            Read::Next(index) => index.get(&self.next).clone(),
        })
    }
}

/// All of an answer that a client sees of a page.
fn seen(answer: &Answer) -> (u16, [&str; 5]) {
    let header = |name| answer.header(name);
    let headers = ["etag", "link", "cache-control", "content-type"].map(header);
    let [etag, link, cache, kind] = headers;
    (answer.status, [etag, link, cache, kind, &answer.text])
}

/// Reads a page from both servers, the one with the cache twice.
async fn same(cached: &Actor, uncached: &Actor, path: &str) -> Answer {
    let (kept, read) = tokio::join!(cached.get(path), uncached.get(path));
    assert_eq!(seen(&kept), seen(&read), "{path}");
    let again = cached.get(path).await;
    assert_eq!(seen(&again), seen(&read), "{path}, once more");
    read
}

on_both! {
    async fn a_page_from_memory_is_the_page_in_the_database(on: Backend) {
        let app = on.app().await;
        let other = app.another(|settings| settings.page_cache_bytes = 0).await;
        let cases = AtomicU32::new(0);
        tokio::task::block_in_place(|| try_on(on, (vec(first(), 3), vec(step(), 1..20)), async |(always, steps)| {
            let case = cases.fetch_add(1, Relaxed);
            let mut users = Vec::new();
            for number in 0..USERS {
                let name = format!("user {case} {number}");
                let (cached, uncached) = (app.user(&name), other.user(&name));
                users.push(Reader { cached, uncached, ids: Vec::new(), next: Vec::new() });
            }
            for step in steps {
                users[step.user].live_through(&step.happening, step.elsewhere).await;
                let all = always.iter().filter(|_| step.looks);
                let all = all.flat_map(|read| (0..USERS).map(move |user| (user, read.clone())));
                // All at once, so that they also go together.
                let pages = join_all(all.chain(step.reads).map(async |(user, read)| {
                    let reader = &users[user];
                    let page = same(&reader.cached, &reader.uncached, &reader.path(&read)?).await;
                    assert_eq!(page.status, 200, "{page}");
                    let link = page.header("link").strip_prefix('<')?.split('>').next()?.to_owned();
                    Some((user, link))
                })).await;
                for (user, link) in pages.into_iter().flatten() {
                    users[user].next.push(link);
                }
            }
        }));
    }

    /// Every order, every limit, after each of some changes: what random input may not meet.
    async fn every_first_page_follows_each_change(on: Backend) {
        let app = on.app().await;
        let other = app.another(|settings| settings.page_cache_bytes = 0).await;
        let (cached, uncached) = (app.user("alice"), other.user("alice"));
        let all = async || {
            let lists = SORTS.iter().flat_map(|sort| LIMITS.map(|limit| format!("{TASKS}?sort={sort}&limit={limit}")));
            join_all(lists.map(async |path| same(&cached, &uncached, &path).await)).await;
        };
        all().await;
        let mut paths = Vec::new();
        for title in ["m", "b", "z"] {
            paths.push(cached.create_with(json!({ "title": title, "due_date": "2026-02-06" })).await.location);
            all().await;
        }
        let [first, second, third] = &paths[..] else { panic!("three tasks") };
        // The last one goes, which no page of two shows; the first one moves behind it, and so on.
        cached.delete(third).await;
        all().await;
        cached.post_nothing(&format!("{third}/restore")).await;
        all().await;
        for patch in [
            json!({ "title": "zz", "priority": "high" }),
            json!({ "title": "a", "due_date": null }),
            json!({ "due_date": "2026-02-05", "completed": true }),
            json!({ "priority": "low", "completed": false }),
        ] {
            for path in [first, second, third] {
                cached.patch(path, patch.clone()).await;
                all().await;
            }
        }
        // Two changes between two reads: one leaves the page, and the only one behind it comes up.
        cached.delete(first).await;
        cached.patch(third, json!({ "title": "0", "priority": "medium", "due_date": "2026-01-01" })).await;
        all().await;
        for path in [second, third] {
            cached.delete(path).await;
            all().await;
        }
    }
}
