//! People who write all the time and keep a record of what the server has acknowledged.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use reqwest::Method;
use serde_json::{Value, json};

use super::{Process, Reply, eventually, reply};
use crate::support::Actor;

const USERS: [&str; 2] = ["alice", "bob"];
const WRITERS: u64 = 8;

/// A task as its only writer knows it.
#[derive(Debug, Clone)]
struct Known {
    title: String,
    version: i64,
    /// Titles that were sent and not acknowledged: each may have been set or not.
    perhaps: Vec<String>,
}

/// What was acknowledged, and what was sent without an answer.
#[derive(Default)]
pub(super) struct Ledger {
    known: Mutex<BTreeMap<(&'static str, i64), Known>>,
    versions: Mutex<HashSet<(&'static str, i64)>>,
    /// The titles of the requests that got no whole answer.
    unanswered: Mutex<Vec<String>>,
    titles: AtomicU64,
    acknowledged: AtomicU64,
    refused: AtomicU64,
    cut: AtomicU64,
}

/// Writers at work.
pub(super) struct Writers {
    stop: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Writers {
    /// Waits until all have had their last answer.
    pub(super) async fn stop(self) {
        self.stop.store(true, Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

impl Ledger {
    /// Sends the writers to work on a server, or on several in turn.
    pub(super) fn write_to(self: &Arc<Self>, servers: &[&Process]) -> Writers {
        let stop = Arc::new(AtomicBool::new(false));
        let tasks = (0..WRITERS).map(|number| {
            let server = servers[usize::try_from(number).unwrap() / 2 % servers.len()];
            let user = USERS[usize::try_from(number).unwrap() % USERS.len()];
            let (actor, ledger, stop) = (server.user(user), self.clone(), stop.clone());
            tokio::spawn(async move {
                let mut mine = Vec::new();
                while !stop.load(Relaxed) {
                    ledger.write_once(&actor, user, &mut mine).await;
                }
            })
        });
        Writers {
            tasks: tasks.collect(),
            stop,
        }
    }

    /// Creates a task, or changes one of one's own.
    async fn write_once(&self, actor: &Actor, user: &'static str, mine: &mut Vec<i64>) {
        let number = self.titles.fetch_add(1, Relaxed);
        let title = format!("{user} {number}");
        let body = json!({ "title": title });
        let old = mine.last().copied().filter(|_| number.is_multiple_of(3));
        let (method, path) = match old {
            Some(id) => (Method::PATCH, format!("/api/v1/tasks/{id}")),
            None => (Method::POST, "/api/v1/tasks".to_owned()),
        };
        if let Some(id) = old {
            let mut known = self.known.lock().unwrap();
            let task = known.get_mut(&(user, id)).unwrap();
            task.perhaps.push(title.clone());
        }
        let answer = reply(actor.request(method, &path).json(&body)).await;
        let task = match answer {
            Ok(Reply {
                status: 200 | 201,
                body,
                ..
            }) => body,
            Ok(Reply { status: 503, .. }) => {
                self.refused.fetch_add(1, Relaxed);
                return;
            }
            Ok(other) => panic!("{other:?}"),
            Err(_) => {
                self.unanswered.lock().unwrap().push(title);
                self.cut.fetch_add(1, Relaxed);
                // A pause, so as not to try at full speed while the server is down.
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                return;
            }
        };
        let (id, version) = (id(&task), version(&task));
        assert_eq!(task["title"], *title);
        assert!(
            self.versions.lock().unwrap().insert((user, version)),
            "the version {version} of {user} was given twice"
        );
        let known = Known {
            title,
            version,
            perhaps: Vec::new(),
        };
        let before = self.known.lock().unwrap().insert((user, id), known);
        assert_eq!(
            before.is_some(),
            old.is_some(),
            "the id {id} was given twice"
        );
        if old.is_none() {
            mine.push(id);
        }
        self.acknowledged.fetch_add(1, Relaxed);
    }

    /// Waits until so many more writes have been acknowledged.
    pub(super) async fn grows_by(&self, more: u64) {
        let goal = self.acknowledged() + more;
        eventually("more writes are acknowledged", || async {
            (self.acknowledged() >= goal).then_some(())
        })
        .await;
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Relaxed)
    }

    /// Requests that were answered with 503.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Requests without a whole answer.
    pub(super) fn cut(&self) -> u64 {
        self.cut.load(Relaxed)
    }

    /// Requests without an answer were not accepted, either: nothing of them is there.
    pub(super) async fn check_nothing_cut_was_done(&self, server: &Process) {
        let unanswered = self.unanswered.lock().unwrap().clone();
        println!("{} requests were not accepted", unanswered.len());
        for user in USERS {
            for task in all_tasks(&server.user(user)).await.1 {
                let title = task["title"].as_str().unwrap();
                assert!(!unanswered.iter().any(|cut| cut == title), "{task}");
            }
        }
    }

    /// Every acknowledged write is there once, and the clocks continue from there.
    pub(super) async fn check(&self, server: &Process) {
        for user in USERS {
            let actor = server.user(user);
            let (etag, tasks) = all_tasks(&actor).await;
            let mut titles = HashSet::new();
            let mut there = BTreeMap::new();
            let (mut last_id, mut last_version) = (0, 0);
            for task in tasks {
                let title = task["title"].as_str().unwrap().to_owned();
                assert!(titles.insert(title), "done twice: {task}");
                last_id = last_id.max(id(&task));
                last_version = last_version.max(version(&task));
                assert!(
                    there.insert(id(&task), task).is_none(),
                    "an id is there twice"
                );
            }
            let known = self.known.lock().unwrap().clone();
            for ((_, id), known) in known.iter().filter(|((owner, _), _)| *owner == user) {
                let task = there
                    .get(id)
                    .unwrap_or_else(|| panic!("{user}'s {id} is lost, {known:?}"));
                let title = task["title"].as_str().unwrap();
                if title == known.title {
                    assert_eq!(version(task), known.version, "{known:?}");
                } else {
                    let perhaps = known.perhaps.iter().any(|perhaps| perhaps == title);
                    assert!(perhaps, "an update is lost: {known:?} is {task}");
                    assert!(version(task) > known.version, "{known:?} is {task}");
                }
                last_id = last_id.max(*id);
                last_version = last_version.max(known.version);
            }
            assert!(etag >= last_version, "the clock of {user} went back");
            let next = actor.create("afterwards").await;
            assert!(next.id > last_id, "{} after {last_id}", next.id);
            assert!(version(&next.task) > etag);
            let deleted = actor.delete(&next.location).await;
            assert_eq!(deleted.status, 204);
        }
    }
}

fn id(task: &Value) -> i64 {
    task["id"].as_i64().unwrap()
}

fn version(task: &Value) -> i64 {
    task["version"].as_i64().unwrap()
}

/// All tasks of somebody, and the ETag of the first page.
async fn all_tasks(actor: &Actor) -> (i64, Vec<Value>) {
    let mut path = "/api/v1/tasks?limit=100".to_owned();
    let mut etag = None;
    let mut tasks = Vec::new();
    loop {
        let page = actor.get(&path).await;
        assert_eq!(page.status, 200, "{page}");
        etag.get_or_insert_with(|| page.header("etag").trim_matches('"').parse().unwrap());
        tasks.extend_from_slice(page.items());
        match page.body["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/tasks?limit=100&cursor={cursor}"),
            None => return (etag.unwrap(), tasks),
        }
    }
}
