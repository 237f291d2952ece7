//! Statements of many users that go together: each gets its own answer, and nothing of the others changes it.

use std::{collections::BTreeSet, sync::Mutex};

use futures_util::future::join_all;
use rand::random_range;
use reqwest::{Method, header};
use sea_orm::{ConnectionTrait as _, Database, Statement};
use serde_json::{Value, json};

use super::{TASKS, check_user_clock};
use crate::support::{Actor, Answer, Backend, TestApp, on_both};

const USERS: usize = 32;
/// Of each user, each with tasks of its own.
const CLIENTS: usize = 2;
const STEPS: usize = 16;
/// So few that the limit is met.
const MAX_TASKS: i64 = 10;
const MEMBERS: [&str; 6] = [
    "title",
    "description",
    "completed",
    "priority",
    "due_date",
    "tags",
];

/// What the clients of one user have been given.
#[derive(Default)]
struct Given {
    ids: BTreeSet<i64>,
    versions: BTreeSet<i64>,
    limited: usize,
}

/// A task as its only writer knows it.
struct Known {
    task: Value,
    deleted: bool,
    /// The key that it was created with, and that request.
    key: Option<(String, Value)>,
}

struct Client<'a> {
    actor: Actor,
    user: String,
    name: String,
    given: &'a Mutex<Given>,
    tasks: Vec<Known>,
    number: usize,
}

fn values(title: &str) -> Value {
    let pick = |of: &[Value]| of[random_range(0..of.len())].clone();
    json!({
        "title": title,
        "description": pick(&[Value::Null, format!("more about {title}").into()]),
        "completed": random_range(0..2) == 0,
        "priority": pick(&["low".into(), "medium".into(), "high".into()]),
        "due_date": pick(&[Value::Null, "2026-02-06".into(), "2026-02-06T09:00:00Z".into()]),
        "tags": pick(&[json!([]), json!(["one", title])]),
    })
}

fn version(task: &Value) -> i64 {
    task["version"].as_i64().unwrap()
}

fn path(task: &Value) -> String {
    format!("{TASKS}/{}", task["id"])
}

/// Asserts that a task has the members of another, and the rest as it was.
#[track_caller]
fn assert_has(task: &Value, members: &Value, before: Option<&Value>) {
    for name in MEMBERS {
        let expected = match (members.get(name), before) {
            (Some(value), _) => value,
            (None, Some(before)) => &before[name],
            (None, None) => continue,
        };
        assert_eq!(&task[name], expected, "{name} of {task}");
    }
    assert_eq!(
        task["completed"] == true,
        task["completed_at"].is_string(),
        "{task}"
    );
    if let Some(before) = before {
        assert_eq!(
            [&task["id"], &task["created_at"]],
            [&before["id"], &before["created_at"]]
        );
        if before["completed"] == true && task["completed"] == true {
            assert_eq!(
                task["completed_at"], before["completed_at"],
                "completed once"
            );
        }
        assert!(version(task) > version(before), "{task} after {before}");
    }
}

impl Client<'_> {
    async fn send(
        &self,
        method: Method,
        path: &str,
        expected: Option<&str>,
        body: &Value,
    ) -> Answer {
        let mut request = self.actor.request(method, path);
        if !body.is_null() {
            request = request.json(body);
        }
        if let Some(expected) = expected {
            request = request.header(header::IF_MATCH, expected);
        }
        let answer = self.actor.send(request).await;
        for task in answer.items().iter().chain([&answer.body]) {
            assert!(
                task["user_id"].is_null() || task["user_id"] == *self.user,
                "{answer}"
            );
        }
        answer
    }

    /// A task as a write gave it.
    fn gave(&self, task: &Value) {
        let new = self.given.lock().unwrap().versions.insert(version(task));
        assert!(new, "a version of {} was given twice: {task}", self.user);
    }

    async fn step(&mut self) {
        self.number += 1;
        let index = (!self.tasks.is_empty()).then(|| random_range(0..self.tasks.len()));
        match (index, random_range(0..12)) {
            (None, _) | (_, 0..3) => self.create().await,
            (Some(index), 3..6) => self.patch(index).await,
            (Some(index), 6) => self.patch_another_version(index).await,
            (Some(index), 7) => self.delete(index).await,
            (Some(index), 8) => self.restore(index).await,
            (Some(index), 9) => self.get(index).await,
            (Some(index), 10) => self.retry(index).await,
            _ => self.list().await,
        }
    }

    async fn create(&mut self) {
        let body = values(&format!("{} {}", self.name, self.number));
        let key = (random_range(0..4) == 0)
            .then(|| format!("{} {}", self.name, self.number).replace(' ', "-"));
        let mut request = self.actor.request(Method::POST, TASKS).json(&body);
        if let Some(key) = &key {
            request = request.header("idempotency-key", key);
        }
        let answer = self.actor.send(request).await;
        if answer.status == 409 {
            self.given.lock().unwrap().limited += 1;
            answer.fails(409, "task_limit_reached");
            return;
        }
        let task = answer.has(201).body;
        assert_eq!(task["user_id"], *self.user);
        assert_has(&task, &body, None);
        self.gave(&task);
        let id = task["id"].as_i64().unwrap();
        assert!(
            self.given.lock().unwrap().ids.insert(id),
            "an id of {} was given twice: {task}",
            self.user
        );
        let key = key.map(|key| (key, body));
        self.tasks.push(Known {
            task,
            deleted: false,
            key,
        });
    }

    async fn patch(&mut self, index: usize) {
        let all = values(&format!("{} {}", self.name, self.number));
        let members: Vec<_> = MEMBERS
            .into_iter()
            .filter(|_| random_range(0..3) == 0)
            .collect();
        let patch: Value = members
            .iter()
            .map(|name| ((*name).to_owned(), all[*name].clone()))
            .collect();
        let Known { task, deleted, .. } = &self.tasks[index];
        let now = version(task);
        let expected = match random_range(0..4) {
            0 => Some(format!("\"{now}\"")),
            1 => Some(format!("\"{}\", \"{now}\"", now + 1)),
            _ => None,
        };
        let answer = self
            .send(Method::PATCH, &path(task), expected.as_deref(), &patch)
            .await;
        if *deleted {
            answer.fails(404, "task_not_found");
            return;
        }
        let answer = answer.has(200);
        if members.is_empty() {
            assert_eq!(&answer.body, task);
            return;
        }
        assert_has(&answer.body, &patch, Some(task));
        assert_eq!(
            answer.header("etag"),
            format!("\"{}\"", version(&answer.body))
        );
        self.gave(&answer.body);
        self.tasks[index].task = answer.body;
    }

    async fn patch_another_version(&mut self, index: usize) {
        let Known { task, deleted, .. } = &self.tasks[index];
        let stale = format!("\"{}\"", version(task) - 1);
        let (method, body) = match random_range(0..2) {
            0 => (Method::PATCH, json!({ "title": "lost" })),
            _ => (Method::DELETE, Value::Null),
        };
        let answer = self.send(method, &path(task), Some(&stale), &body).await;
        match deleted {
            true => drop(answer.fails(404, "task_not_found")),
            false => assert_eq!(&answer.fails(412, "version_mismatch").body["current"], task),
        }
        let missing = format!("{TASKS}/{}", 1_000_000);
        let answer = self
            .send(Method::PATCH, &missing, None, &json!({ "title": "lost" }))
            .await;
        answer.fails(404, "task_not_found");
    }

    async fn delete(&mut self, index: usize) {
        let Known { task, deleted, .. } = &self.tasks[index];
        let now = format!("\"{}\"", version(task));
        let expected = (random_range(0..2) == 0).then_some(&*now);
        let answer = self
            .send(Method::DELETE, &path(task), expected, &Value::Null)
            .await;
        match deleted {
            true => drop(answer.fails(404, "task_not_found")),
            false => drop(answer.has(204)),
        }
        self.tasks[index].deleted = true;
    }

    async fn restore(&mut self, index: usize) {
        let Known { task, deleted, .. } = &self.tasks[index];
        let answer = self
            .actor
            .post_nothing(&format!("{}/restore", path(task)))
            .await;
        if *deleted && answer.status == 409 {
            self.given.lock().unwrap().limited += 1;
            answer.fails(409, "task_limit_reached");
            return;
        }
        let now = answer.has(200).body;
        if *deleted {
            assert_has(&now, &json!({}), Some(task));
            self.gave(&now);
            self.tasks[index] = Known {
                task: now,
                deleted: false,
                key: self.tasks[index].key.take(),
            };
        } else {
            assert_eq!(&now, task);
        }
    }

    async fn get(&self, index: usize) {
        let Known { task, deleted, .. } = &self.tasks[index];
        let answer = self.actor.get(&path(task)).await;
        match deleted {
            true => drop(answer.fails(404, "task_not_found")),
            false => assert_eq!(&answer.has(200).body, task),
        }
    }

    /// Sends a creation again.
    async fn retry(&self, index: usize) {
        let Known { task, deleted, key } = &self.tasks[index];
        let Some((key, body)) = key else {
            return self.get(index).await;
        };
        let answer = self.actor.post_with_key(key, body.clone()).await;
        match deleted {
            true => drop(answer.fails(409, "idempotency_key_of_deleted_task")),
            false => {
                let answer = answer.has(201);
                assert_eq!(answer.header("idempotency-replayed"), "true");
                assert_eq!(&answer.body, task);
            }
        }
    }

    async fn list(&self) {
        let sort = [
            "created_at",
            "-created_at",
            "-updated_at",
            "title",
            "due_date",
            "-priority",
        ];
        let sort = sort[random_range(0..sort.len())];
        let list = format!("{TASKS}?limit=100&sort={sort}");
        let answer = self
            .send(Method::GET, &list, None, &Value::Null)
            .await
            .has(200);
        let mine = |task: &&Value| {
            task["title"]
                .as_str()
                .unwrap()
                .starts_with(&format!("{} ", self.name))
        };
        let seen: Vec<_> = answer.items().iter().filter(mine).collect();
        let live: Vec<_> = self
            .tasks
            .iter()
            .filter(|known| !known.deleted)
            .map(|known| &known.task)
            .collect();
        assert_eq!(seen.len(), live.len(), "{answer}");
        assert!(
            live.iter().all(|task| seen.contains(task)),
            "{answer} without one of {live:?}"
        );
        let revision: i64 = answer.header("etag").trim_matches('"').parse().unwrap();
        assert!(
            live.iter().all(|task| version(task) <= revision),
            "{answer}"
        );
    }
}

/// How many users' rows the largest statement wrote, as far as nothing was written over them.
async fn largest_batch(app: &TestApp) -> i64 {
    let db = Database::connect(&app.database_url).await.unwrap();
    // Rows have the number of the transaction that wrote them.
    let sql = "SELECT MAX(users) FROM (SELECT COUNT(DISTINCT user_id) AS users FROM task GROUP BY xmin::text) AS x";
    let sql = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(sql).await.unwrap().unwrap();
    db.close().await.unwrap();
    row.try_get_by_index(0).unwrap()
}

on_both! {
    async fn of_many_users_who_write_at_once_each_gets_the_own_answer(on: Backend) {
        let app = on.app_with(|settings| settings.limits.tasks = MAX_TASKS).await;
        let given: Vec<_> = (0..USERS).map(|_| Mutex::new(Given::default())).collect();
        join_all((0..USERS * CLIENTS).map(async |place| {
            let (user, client) = (place / CLIENTS, place % CLIENTS);
            let user_id = format!("user {user}");
            let mut client = Client {
                actor: app.user(&user_id),
                name: format!("{user_id} client {client}"),
                user: user_id,
                given: &given[user],
                tasks: Vec::new(),
                number: 0,
            };
            for _ in 0..STEPS {
                client.step().await;
            }
            client.list().await;
        }))
        .await;
        let mut limited = 0;
        for (user, given) in given.iter().enumerate() {
            {
                let given = given.lock().unwrap();
                let all: BTreeSet<_> = (1..).take(given.ids.len()).collect();
                assert_eq!(given.ids, all, "the ids of user {user} have a gap");
                limited += given.limited;
            }
            check_user_clock(&app, &format!("user {user}")).await;
        }
        assert!(limited > 0, "nobody met the limit");
        if on == Backend::Postgres {
            let largest = largest_batch(&app).await;
            assert!(largest > 1, "no batch");
        }
    }
}

on_both! {
    async fn of_many_users_who_ask_at_once_each_gets_the_own_revision(on: Backend) {
        let app = on.app().await;
        // Each has written another number of times, and so has another revision.
        let users = join_all((0..USERS).map(async |number| {
            let user = app.user(&format!("user {number}"));
            for _ in 0..=number {
                user.create("Buy milk").await;
            }
            let etag = user.get(TASKS).await.has(200).header("etag").to_owned();
            assert_eq!(etag, format!("\"{}\"", number + 1));
            (user, etag)
        }))
        .await;
        for _ in 0..4 {
            let answers = users.iter().map(async |(user, etag)| {
                let answer = user.get_if_none_match(TASKS, etag).await;
                assert_eq!((answer.status, answer.header("etag")), (304, &**etag));
            });
            join_all(answers).await;
        }
    }
}
