//! `taskward import`: the tasks of another backend.

use std::{fs, io::Write as _, process::Stdio};

use serde_json::{Value, json};

use sea_orm::sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use super::Home;
use crate::support::{Backend, on_both, postgres::postgres};

/// Two users' tasks, in no order, as `row_to_json` prints tables of SQLModel: global ids, times without
/// an offset, enums by their names.
const OLD: &str = r#"
{"id":9,"user_id":"alice","title":"Bread","description":"","completed":false,"priority":"HIGH","due_date":"2026-02-06T09:00:00","tags":"shop, home","created_at":"2026-01-03T10:00:00","updated_at":"2026-01-03T10:00:00"}
{"id":7,"user_id":"bob","title":"Taxes","completed":true,"created_at":"2026-01-02T10:00:00+01:00","updated_at":"2026-01-09T10:00:00.123456"}
{"id":4,"user_id":"alice","title":"Milk","description":null,"completed":true,"completed_at":"2026-01-05T08:00:00Z","created_at":"2026-01-01T10:00:00","updated_at":"2026-01-05T10:00:00"}
{"id":5,"user_id":"alice","title":"STRASSE kehren","completed":false,"due_date":"2026-03-01","tags":["Draußen"],"created_at":"2026-01-02T10:00:00","updated_at":"2026-01-04T10:00:00"}
"#;

/// A database of either kind with its schema, and the old tasks in a file.
async fn home(on: Backend, old: &str) -> Home {
    let home = Home::on(on).await;
    fs::write(home.path().join("old.jsonl"), old).unwrap();
    home
}

/// The members of a list that a test is about.
fn members(list: &Value, names: &[&str]) -> Vec<Vec<Value>> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| names.iter().map(|name| item[name].clone()).collect())
        .collect()
}

on_both! {
    async fn an_import_keeps_the_uids(on: Backend) {
        let uid = "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a";
        let task = |user: &str, uid: &str| format!("{}\n", json!({ "user_id": user, "title": "Milk", "uid": uid }));
        let two = [task("alice", uid), task("alice", &uid.to_uppercase()), task("bob", "7")].concat();
        let home = home(on, &two).await;
        let refused = home.run(&["import", "old.jsonl"]).bad();
        for said in [
            "line 2: line 1 has the same `uid` of the same user",
            "line 3: /uid must be a UUID like 5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a (RFC 9562)",
        ] {
            assert!(refused.contains(said), "{refused}");
        }
        fs::write(home.path().join("old.jsonl"), [task("alice", uid), task("bob", uid)].concat()).unwrap();
        assert_eq!(home.run(&["import", "old.jsonl"]).good(), "imported 2 tasks of 2 users\n");
        let server = home.start().await;
        let alice = server.user("alice");
        assert_eq!(alice.get("/api/v1/tasks/1").await.body["uid"], uid);
        // The client that chose it may still repeat its creation.
        let again = alice.post("/api/v1/tasks", json!({ "title": "Milk", "uid": uid })).await.has(201);
        assert_eq!(again.header("idempotency-replayed"), "true");
    }

    async fn an_import_keeps_all_members(on: Backend) {
        let home = home(on, OLD).await;
        assert_eq!(home.run(&["import", "old.jsonl"]).good(), "imported 4 tasks of 2 users\n");

        let server = home.start().await;
        let (alice, bob) = (server.user("alice"), server.user("bob"));
        let list = alice.get("/api/v1/tasks").await.body;
        assert_eq!(
            members(&list, &["id", "title", "created_at", "updated_at", "completed_at"]),
            [
                [json!(3), json!("Bread"), json!("2026-01-03T10:00:00.000000Z"), json!("2026-01-03T10:00:00.000000Z"), Value::Null],
                [json!(2), json!("STRASSE kehren"), json!("2026-01-02T10:00:00.000000Z"), json!("2026-01-04T10:00:00.000000Z"), Value::Null],
                [json!(1), json!("Milk"), json!("2026-01-01T10:00:00.000000Z"), json!("2026-01-05T10:00:00.000000Z"), json!("2026-01-05T08:00:00.000000Z")],
            ]
        );
        assert_eq!(
            members(&list, &["description", "priority", "due_date", "tags"]),
            [
                [json!(""), json!("high"), json!("2026-02-06T09:00:00Z"), json!(["shop", "home"])],
                [Value::Null, json!("medium"), json!("2026-03-01"), json!(["Draußen"])],
                [Value::Null, json!("medium"), Value::Null, json!([])],
            ]
        );
        // A done task without `completed_at` gets its `updated_at`.
        let taxes = bob.get("/api/v1/tasks/1").await.body;
        assert_eq!(taxes["completed_at"], "2026-01-09T10:00:00.123456Z");
        assert_eq!(taxes["created_at"], "2026-01-02T09:00:00.000000Z");

        // They are tasks like all others.
        let changed = alice.get("/api/v1/tasks?sort=-updated_at").await.body;
        assert_eq!(members(&changed, &["id"]), [[1], [2], [3]]);
        let found = alice.get("/api/v1/tasks?q=stra%C3%9Fe&tag=DRAUSSEN").await.body;
        assert_eq!(members(&found, &["id"]), [[2]]);
        assert_eq!(alice.create("Butter").await.id, 4);
        let newest = alice.get("/api/v1/tasks?sort=-updated_at&limit=1").await.body;
        assert_eq!(members(&newest, &["title"]), [["Butter"]]);
        assert_eq!(alice.delete("/api/v1/tasks/1").await.status, 204);
    }

    async fn users_with_tasks_are_skipped(on: Backend) {
        let home = home(on, OLD).await;
        let server = home.start().await;
        server.user("alice").create("Came early").await;

        let ran = home.run(&["import", "old.jsonl"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), "imported 1 task of 1 user\n"), "{ran:?}");
        assert!(ran.err.contains("1 user has tasks here already and was left as is: alice"), "{ran:?}");
        let list = server.user("alice").get("/api/v1/tasks").await.body;
        assert_eq!(members(&list, &["title"]), [["Came early"]]);

        // A second import adds nothing.
        let ran = home.run(&["import", "old.jsonl"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), "imported 0 tasks of 0 users\n"), "{ran:?}");
        assert!(ran.err.contains("2 users have tasks here already and were left as they are: alice, bob"), "{ran:?}");
        assert_eq!(server.user("bob").get("/api/v1/tasks").await.body["items"].as_array().unwrap().len(), 1);
    }

    async fn any_fault_stops_the_whole_import(on: Backend) {
        let faulty = [
            r#"{"user_id":"alice","title":"Good","created_at":"2026-01-01T00:00:00Z"}"#,
            r#"{"user_id":"alice","title":"#,
            r#"{"user_id":"","title":" ","priority":"urgent","category":"home"}"#,
            r#"{"title":"Whose?","completed":false,"completed_at":"2026-01-01T00:00:00Z"}"#,
            r#"{"user_id":"alice","title":"From tomorrow","created_at":"9999-01-01T00:00:00"}"#,
            r#"{"user_id":"alice","title":"Done?","completed":true,"is_completed":0}"#,
        ];
        let home = home(on, &faulty.join("\n")).await;
        let told = home.run(&["import", "old.jsonl"]).bad();
        for fault in [
            "line 2: is not valid JSON: it ends too early (column 27)\n",
            "line 3: /user_id must be",
            "line 3: /title must have at least one visible character",
            r#"line 3: /priority must be "low", "medium" or "high""#,
            "line 3: /category is not a member of a task",
            "line 4: /user_id is required",
            "line 4: /completed_at must be absent or null",
            "line 5: /created_at is in the future",
            "line 6: /is_completed must not contradict `completed`",
            "nothing was imported",
        ] {
            assert!(told.contains(fault), "{fault} is missing: {told}");
        }
        assert!(!told.contains("line 1:") && !told.contains("updated_at"), "{told}");
        let server = home.start().await;
        assert_eq!(server.user("alice").get("/api/v1/tasks").await.body["items"], json!([]));
    }

    async fn whether_a_task_is_done_has_two_names(on: Backend) {
        let lines = [
            r#"{"user_id":"alice","title":"done","is_completed":1,"created_at":"2026-01-01"}"#,
            r#"{"user_id":"alice","title":"open","is_completed":false,"completed":0}"#,
        ];
        let told = home(on, &lines.join("\n")).await.run(&["import", "old.jsonl"]).bad();
        assert!(told.contains("line 1: /created_at must be a time"), "{told}");
        let home = home(on, &lines.join("\n").replace("2026-01-01", "2026-01-01 09:00")).await;
        home.run(&["import", "old.jsonl"]).good();
        let server = home.start().await;
        let list = server.user("alice").get("/api/v1/tasks?sort=title").await.body;
        let expected = json!([["done", true, "2026-01-01T09:00:00.000000Z"], ["open", false, null]]);
        assert_eq!(json!(members(&list, &["title", "completed", "completed_at"])), expected);
    }

    async fn a_user_with_too_many_is_refused(on: Backend) {
        let home = home(on, OLD).await.set("MAX_TASKS_PER_USER", "2");
        let told = home.run(&["import", "old.jsonl"]).bad();
        assert!(told.contains("alice has 3 tasks, and MAX_TASKS_PER_USER is 2"), "{told}");
        let server = home.start().await;
        assert_eq!(server.user("bob").get("/api/v1/tasks").await.body["items"], json!([]));
    }

    async fn a_user_with_too_much_is_refused(on: Backend) {
        let line = json!({ "user_id": "alice", "title": "long", "description": "x".repeat(8_000) }).to_string();
        let lines = vec![line; 80].join("\n");
        let home = home(on, &lines).await.set("MAX_BYTES_PER_USER", "1048576");
        let told = home.run(&["import", "old.jsonl"]).bad();
        assert!(told.contains("alice has tasks of 1301"), "{told}");
        assert!(told.contains("bytes, and MAX_BYTES_PER_USER is 1048576: set it higher"), "{told}");
        home.set("MAX_BYTES_PER_USER", "off").run(&["import", "old.jsonl"]).good();
    }

    async fn a_check_writes_nothing(on: Backend) {
        let home = home(on, OLD).await;
        let told = home.run(&["import", "--check", "old.jsonl"]).good();
        assert_eq!(told, "4 tasks of 2 users can be imported\n");
        let server = home.start().await;
        assert_eq!(server.user("bob").get("/api/v1/tasks").await.body["items"], json!([]));
    }

    async fn many_tasks_are_read_from_a_pipe(on: Backend) {
        let home = home(on, "").await;
        let mut child = home
            .command(&["import"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        for n in 0..2_500 {
            // All at one moment: then the order of the lines is that of the tasks.
            let task = json!({ "user_id": 42, "title": format!("Task {n}"), "created_at": "2026-01-01T00:00:00Z" });
            writeln!(pipe, "{task}").unwrap();
        }
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.stdout, b"imported 2500 tasks of 1 user\n");
        let server = home.start().await;
        let user = server.user("42");
        assert_eq!(user.get("/api/v1/tasks/1").await.body["title"], "Task 0");
        assert_eq!(user.get("/api/v1/tasks/2500").await.body["title"], "Task 2499");
        assert_eq!(user.create("Next").await.id, 2_501);
    }
}

#[test]
fn the_report_on_a_hostile_file_is_short() {
    let home = Home::sqlite();
    let import = |text: &str| {
        fs::write(home.path().join("old.jsonl"), text).unwrap();
        home.run(&["import", "old.jsonl"]).bad()
    };
    // An export that failed, more likely than one of nothing.
    assert!(import("\n\n").contains("there is no task in it"));
    let many = r#"{"user_id":"alice","x":1,"y":2}"#.to_owned() + "\n";
    let told = import(&many.repeat(1_000));
    assert_eq!(told.matches("\n  - ").count(), 51, "{told}");
    assert!(told.contains("and 2950 more"), "{told}");
    let told = import(&format!(
        r#"{{"user_id":"alice","title":"t","{}":1}}"#,
        "x".repeat(500_000)
    ));
    assert!(told.len() < 500, "{} bytes", told.len());
    let told = import(&"x".repeat(3_000_000));
    assert!(
        told.contains("line 1: is longer than a task can be"),
        "{told}"
    );
    let told = import("{\"user_id\":\"alice\",\"title\":\"t\",\"\\u001b[31m\\u202e\":1}");
    assert!(
        told.contains(r"/\u{1b}[31m\u{202e} is not a member"),
        "{told}"
    );
}

#[test]
fn a_file_in_another_encoding_is_recognized() {
    let home = Home::sqlite();
    let line = r#"{"user_id":"alice","title":"Müsli"}"#;
    let units = || format!("{line}\n").encode_utf16().collect::<Vec<_>>();
    let marked = [vec![0xfeff], units()].concat();
    for (units, to_bytes, encoding) in [
        (&marked, u16::to_le_bytes as fn(u16) -> [u8; 2], "UTF-16"),
        (&marked, u16::to_be_bytes, "UTF-16"),
        (&units(), u16::to_le_bytes, "UTF-16LE"),
        (&units(), u16::to_be_bytes, "UTF-16BE"),
    ] {
        let bytes: Vec<u8> = units.iter().flat_map(|unit| to_bytes(*unit)).collect();
        fs::write(home.path().join("old.jsonl"), bytes).unwrap();
        let told = home.run(&["import", "old.jsonl"]).bad();
        let words = format!(
            "the file is {encoding}, but must be UTF-8; convert it: `iconv -f {encoding} -t UTF-8 FILE > NEW_FILE`"
        );
        assert!(told.contains(&words), "{told}");
    }
    // The mark of UTF-8 itself is allowed.
    fs::write(home.path().join("old.jsonl"), format!("\u{feff}{line}\n")).unwrap();
    home.run(&["import", "old.jsonl"]).good();
}

#[test]
fn an_import_without_the_tables_says_what_to_do() {
    let home = Home::sqlite().set("AUTO_MIGRATE", "off");
    fs::write(home.path().join("old.jsonl"), OLD).unwrap();
    let told = home.run(&["import", "old.jsonl"]).bad();
    assert!(told.contains("run `taskward migrate up` first"), "{told}");
    let told = home.run(&["import", "absent.jsonl"]).bad();
    assert!(told.contains("absent.jsonl"), "{told}");
}

/// Tables as SQLModel makes them, with what people keep in them.
const TABLES: &str = r#"
CREATE TABLE task (
    id SERIAL PRIMARY KEY, user_id VARCHAR NOT NULL, title VARCHAR(200) NOT NULL, description VARCHAR,
    completed BOOLEAN NOT NULL, created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL
);
INSERT INTO task (user_id, title, description, completed, created_at, updated_at) VALUES
    ('alice', 'Buy "milk" \ bread', E'two\nlines', false, '2026-01-01 10:00:00.5', '2026-01-02 10:00:00'),
    ('bob', 'Taxes', NULL, true, '2026-01-03 10:00:00', '2026-01-03 11:00:00');

CREATE TYPE priority AS ENUM ('LOW', 'MEDIUM', 'HIGH', 'URGENT');
CREATE TYPE category AS ENUM ('HOME', 'WORK');
CREATE TABLE tasks (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(), "userId" UUID NOT NULL, title VARCHAR NOT NULL, description VARCHAR,
    is_completed BOOLEAN NOT NULL, priority priority NOT NULL, category category, "dueDate" TIMESTAMP,
    "createdAt" TIMESTAMP NOT NULL, "updatedAt" TIMESTAMP NOT NULL
);
INSERT INTO tasks ("userId", title, description, is_completed, priority, category, "dueDate", "createdAt", "updatedAt") VALUES
    ('11111111-2222-3333-4444-555555555555', repeat('long ', 120), 'and more', true, 'URGENT', 'HOME', '2026-02-06', '2026-01-01 15:00', '2026-01-02 15:00'),
    ('11111111-2222-3333-4444-555555555555', 'Short', NULL, false, 'LOW', NULL, NULL, '2026-01-02 15:00', '2026-01-02 15:00');
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queries_of_the_guide_fit_the_import() {
    let Ok(cluster) = postgres() else { return };
    let old = cluster.empty_database().await;
    let mut connection = PgConnection::connect(&old.url()).await.unwrap();
    connection.execute(TABLES).await.unwrap();
    let guide = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/from-fastapi/README.md"
    );
    let guide = fs::read_to_string(guide).unwrap();
    let queries: Vec<&str> = guide
        .split("```sql\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(queries.len(), 2);
    let home = Home::sqlite();
    for (query, said) in queries
        .into_iter()
        .zip(["2 tasks of 2 users", "2 tasks of 1 user"])
    {
        let query = AssertSqlSafe(query.trim().trim_end_matches(';').to_owned());
        let rows = connection.fetch_all(query).await.unwrap();
        let lines: Vec<String> = rows
            .iter()
            .map(|row| row.get::<Value, _>(0).to_string())
            .collect();
        fs::write(home.path().join("old.jsonl"), lines.join("\n")).unwrap();
        assert_eq!(
            home.run(&["import", "old.jsonl"]).good(),
            format!("imported {said}\n")
        );
    }
    connection.close().await.unwrap();

    let server = home.start().await;
    let milk = server.user("alice").get("/api/v1/tasks/1").await.body;
    assert_eq!(milk["title"], r#"Buy "milk" \ bread"#);
    assert_eq!(milk["description"], "two\nlines");
    assert_eq!(milk["created_at"], "2026-01-01T10:00:00.500000Z");
    let long = server
        .user("11111111-2222-3333-4444-555555555555")
        .get("/api/v1/tasks/1")
        .await
        .body;
    assert_eq!(long["title"], "long ".repeat(100));
    assert_eq!(
        long["description"],
        format!("{}\n\nand more", "long ".repeat(120))
    );
    assert_eq!(
        (&long["priority"], &long["due_date"], &long["tags"]),
        (&json!("high"), &json!("2026-02-06"), &json!(["home"]))
    );
    assert_eq!(long["completed_at"], "2026-01-02T10:00:00.000000Z");
}
