//! Many clients of many users at once, each user with one task, while servers are killed: the history of each task is
//! one in which the requests took effect one after the other, each between its start and its answer.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use rand::random_range;
use reqwest::{Method, header};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{Home, Process, any, eventually, reply};
use crate::support::{Actor, postgres::Cluster};

const TASK: &str = "/api/v1/tasks/1";
const USERS: usize = 16;
/// Of each user.
const CLIENTS: usize = 3;
const ROUNDS: usize = 3;

/// A request about the one task of a user.
#[derive(Debug)]
struct Event {
    began: Instant,
    ended: Instant,
    /// The title that it writes; `None` for a read. No two requests write the same.
    writes: Option<String>,
    /// The version that the write was for, if it was for one.
    expected: Option<i64>,
    /// The version and the title that came back; `None` if no answer came.
    saw: Option<(i64, String)>,
    /// Whether what came back is what it wrote.
    wrote: bool,
}

/// The requests about each user's task.
type Histories = Vec<Mutex<Vec<Event>>>;

fn version_and_title(task: &Value) -> (i64, String) {
    let title = task["title"].as_str().unwrap();
    (task["version"].as_i64().unwrap(), title.to_owned())
}

/// Sends one request.
async fn event(actor: &Actor, title: String, last: i64) -> Event {
    let change = json!({ "title": title });
    let patch = || actor.request(Method::PATCH, TASK).json(&change);
    let (request, writes, expected) = match random_range(0..6) {
        0 => (actor.request(Method::GET, TASK), None, None),
        1 => (actor.request(Method::GET, "/api/v1/tasks"), None, None),
        2 => {
            let request = patch().header(header::IF_MATCH, format!("\"{last}\""));
            (request, Some(title), Some(last))
        }
        _ => (patch(), Some(title), None),
    };
    let began = Instant::now();
    let answer = reply(request).await;
    let ended = Instant::now();
    let (saw, wrote) = match answer {
        Err(_) => (None, false),
        Ok(answer) => match (answer.status, &answer.body["items"][0]) {
            (200, Value::Null) => (Some(version_and_title(&answer.body)), writes.is_some()),
            (200, task) => (Some(version_and_title(task)), false),
            (412, _) => (Some(version_and_title(&answer.body["current"])), false),
            _ => panic!("{answer:?}"),
        },
    };
    Event {
        began,
        ended,
        writes,
        expected,
        saw,
        wrote,
    }
}

/// Reads the task of a server that nobody kills meanwhile.
async fn read(actor: &Actor) -> Event {
    let began = Instant::now();
    let answer = actor.get(TASK).await.has(200);
    let saw = Some(version_and_title(&answer.body));
    let ended = Instant::now();
    Event {
        began,
        ended,
        writes: None,
        expected: None,
        saw,
        wrote: false,
    }
}

/// Sends requests until the server is killed.
fn work(server: &Process, histories: &Arc<Histories>, titles: &Arc<AtomicU64>) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    for place in 0..USERS * CLIENTS {
        let user = place % USERS;
        let actor = server.user(&format!("user-{user}"));
        let (histories, titles) = (histories.clone(), titles.clone());
        clients.spawn(async move {
            let mut last = 1;
            loop {
                let title = titles.fetch_add(1, Relaxed).to_string();
                let event = event(&actor, title, last).await;
                let saw = event.saw.as_ref().map(|(version, _)| *version);
                histories[user].lock().unwrap().push(event);
                match saw {
                    Some(version) => last = version,
                    None => return,
                }
            }
        });
    }
    clients
}

/// Asserts that there is an order of the requests that explains what they saw.
fn check(history: &[Event]) {
    let mut titles = BTreeMap::from([(1, "first".to_owned())]);
    for (version, title) in history.iter().filter_map(|event| event.saw.as_ref()) {
        let known = titles.entry(*version).or_insert_with(|| title.clone());
        assert_eq!(known, title, "the version {version} had two titles");
    }
    for (version, title) in titles.iter().skip(1) {
        let writer = history
            .iter()
            .find(|event| event.writes.as_ref() == Some(title));
        let writer = writer.unwrap_or_else(|| panic!("nobody wrote {title:?}"));
        let at = titles.iter().filter(|(_, other)| *other == title);
        assert_eq!(at.count(), 1, "{title:?} was written twice");
        if let Some((wrote, _)) = writer.saw.as_ref().filter(|_| writer.wrote) {
            assert_eq!(wrote, version, "{writer:?}");
        }
        assert!(
            writer.saw.is_none() || writer.wrote,
            "refused, and yet done: {writer:?}"
        );
        // Nobody has seen it before it was sent.
        let early = history.iter().filter(|event| event.ended < writer.began);
        for event in early.filter_map(|event| event.saw.as_ref()) {
            assert_ne!(event.0, *version, "{title:?} was seen too early");
        }
    }
    for event in history {
        let Some((version, title)) = &event.saw else {
            continue;
        };
        if event.wrote {
            assert_eq!(event.writes.as_ref(), Some(title), "{event:?}");
        }
        if let (Some(expected), true) = (event.expected, event.wrote) {
            let between = titles.range(expected + 1..*version).next();
            assert_eq!(between, None, "{event:?} was for another version");
        }
        // What had ended when this began was before it.
        for earlier in history.iter().filter(|earlier| earlier.ended < event.began) {
            let Some((before, _)) = earlier.saw else {
                continue;
            };
            let fine = if event.wrote {
                before < *version
            } else {
                before <= *version
            };
            assert!(fine, "{event:?} came after {earlier:?}");
        }
    }
}

async fn kill_and_check(home: &Home) {
    let histories: Arc<Histories> = Arc::new((0..USERS).map(|_| Mutex::default()).collect());
    let titles = Arc::default();
    for round in 0..ROUNDS {
        let server = home.start().await;
        for user in 0..USERS {
            let actor = server.user(&format!("user-{user}"));
            if round == 0 {
                actor.create("first").await;
            }
            // What became of the requests that were cut.
            let event = read(&actor).await;
            histories[user].lock().unwrap().push(event);
        }
        let clients = work(&server, &histories, &titles);
        let before = titles.load(Relaxed);
        let goal = before + any(300..600);
        eventually("enough requests", || async {
            (titles.load(Relaxed) > goal).then_some(())
        })
        .await;
        server.kill();
        clients.join_all().await;
    }
    let server = home.start().await;
    let (mut requests, mut cut, mut done_and_cut) = (0, 0, 0);
    for (user, history) in histories.iter().enumerate() {
        let event = read(&server.user(&format!("user-{user}"))).await;
        let mut history = history.lock().unwrap();
        history.push(event);
        check(&history);
        requests += history.len();
        let all: Vec<_> = history
            .iter()
            .filter_map(|event| event.saw.as_ref())
            .collect();
        for event in history.iter().filter(|event| event.saw.is_none()) {
            cut += 1;
            let seen = all
                .iter()
                .any(|(_, title)| Some(title) == event.writes.as_ref());
            done_and_cut += usize::from(seen);
        }
    }
    println!("{requests} requests, {cut} cut, of which {done_and_cut} were done");
    assert!(cut > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_are_linearizable_on_sqlite() {
    kill_and_check(&Home::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_are_linearizable_on_postgres() {
    let Ok(cluster) = Cluster::own_cluster(true) else {
        return;
    };
    let database = cluster.fresh_database().await;
    kill_and_check(&Home::postgres(&database.url())).await;
}

/// A check that finds nothing would prove nothing.
#[test]
#[should_panic(expected = "came after")]
fn a_read_of_an_older_version_is_noticed() {
    let event = |writes: Option<&str>, version, title: &str| Event {
        began: Instant::now(),
        ended: Instant::now(),
        writes: writes.map(str::to_owned),
        expected: None,
        saw: Some((version, title.to_owned())),
        wrote: writes.is_some(),
    };
    let history = [
        event(None, 1, "first"),
        event(Some("second"), 2, "second"),
        event(None, 2, "second"),
    ];
    check(&history);
    let [first, second, third] = history;
    check(&[first, second, third, event(None, 1, "first")]);
}
