//! `taskward user`: what the operator does for one user; and exports that are imported again.

use std::{fs, io::Write as _, process::Stdio};

use serde_json::{Value, json};

use super::{Home, eventually};
use crate::{
    my_data::lines,
    support::{Actor, Backend, on_both},
};

const TASKS: &str = "/api/v1/tasks";
const EXPORT: &str = "/api/v1/me/export";

/// Texts that a careless reader or writer of lines breaks.
const TEXTS: [&str; 9] = [
    "plain",
    r#"Buy "milk" \ bread, {"export":"end"}"#,
    " \u{a0}space at both ends\u{3000} ",
    "e\u{301} and é, Å and A\u{30a}",
    "İstanbul ıŞık ẞ ﬁ",
    "👩\u{200d}👩\u{200d}👧 🏳\u{fe0f}\u{200d}🌈 𝒯",
    "مرحبا \u{202e}rtl\u{202c} שלום",
    "がｶﾞ 한글 ﷺ",
    "\u{10ffff}\u{e000}x\u{fffd}",
];

/// Alice's tasks: every member with and without a value, tasks that were changed, deleted and restored.
async fn fill(alice: &Actor) {
    for (number, text) in TEXTS.iter().enumerate() {
        let priorities = ["low", "medium", "high"];
        let due = [
            "2026-02-06",
            "2026-02-06T10:00:00.5+01:00",
            "0001-01-01",
            "9999-12-31T23:59:59Z",
        ];
        alice
            .create_with(json!({
                "title": text,
                "description": format!("{text}\n\r\n\t{text}\u{2028}\u{85}\u{1}\u{7f}"),
                "uid": format!("5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b0{number}"),
                "priority": priorities[number % 3],
                "due_date": due[number % 4],
                "tags": [text, "a,b", "Ü", "[]"],
                "completed": number % 2 == 0,
            }))
            .await;
    }
    // In one commit, so at the same time.
    let create = json!({ "op": "create", "task": { "title": "same time", "description": "" } });
    alice
        .post(
            &format!("{TASKS}/batch"),
            json!({ "operations": vec![create; 30] }),
        )
        .await
        .has(200);
    let update = |id: i64| json!({ "op": "update", "id": id, "patch": { "priority": "low" } });
    let changes: Vec<Value> = [30, 20, 12, 11].into_iter().map(update).collect();
    alice
        .post(&format!("{TASKS}/batch"), json!({ "operations": changes }))
        .await
        .has(200);
    for id in [2, 13, 39] {
        alice.delete(&format!("{TASKS}/{id}")).await.has(204);
    }
    alice
        .post_nothing(&format!("{TASKS}/13/restore"))
        .await
        .has(200);
    alice
        .patch(&format!("{TASKS}/1"), json!({ "completed": false }))
        .await
        .has(200);
}

/// The tasks of an export without their versions, in the order of these, and in that of their ids.
fn tasks(export: &str) -> (Vec<Value>, Vec<Value>) {
    let is_task = |line: &Value| line["export"].is_null();
    let by_id: Vec<Value> = lines(export).into_iter().filter(is_task).collect();
    let mut by_version = by_id.clone();
    by_version.sort_by_key(|task| task["version"].as_i64().unwrap());
    let without = |tasks: Vec<Value>| {
        let without = |mut task: Value| {
            assert!(task.as_object_mut().unwrap().remove("version").is_some());
            task
        };
        tasks.into_iter().map(without).collect::<Vec<_>>()
    };
    (without(by_id), without(by_version))
}

/// An export of one server in the database of another, and what that exports.
async fn moved(export: &str, to: Backend) -> String {
    let home = Home::on(to).await;
    home.run(&["migrate", "up"]).good();
    fs::write(home.path().join("alice.ndjson"), export).unwrap();
    assert_eq!(
        home.run(&["import", "alice.ndjson"]).good(),
        "imported 39 tasks of 1 user\n"
    );
    let printed = home.run(&["user", "export", "alice"]).good();
    // The same as the user gets.
    let server = home.start().await;
    let got = server.user("alice").get(EXPORT).await.has(200);
    assert_eq!(tasks(&got.text), tasks(&printed));
    // Numbers and versions go on beyond all that were given before.
    let known = lines(export)[0]["revision"].as_i64().unwrap();
    let alice = server.user("alice");
    for since in [1, known, known + 1] {
        let answer = alice.get(&format!("/api/v1/changes?since={since}")).await;
        assert_eq!(
            (answer.status, answer.code()),
            (410, "resync_required"),
            "{since}"
        );
    }
    let new = alice.create("new").await;
    assert_eq!(new.id, 40);
    let usage = alice.get("/api/v1/me").await.body["usage"].clone();
    assert_eq!(
        (&usage["tasks"], &usage["deleted_tasks"]),
        (&json!(38), &json!(2))
    );
    server.kill();
    // Counting again finds nothing to mend.
    let purged = home.run(&["purge"]).good();
    assert!(purged.contains("0 users had other counts"), "{purged}");
    printed
}

on_both! {
    async fn an_export_comes_back_as_it_was(on: Backend) {
        let home = Home::on(on).await;
        let server = home.start().await;
        let alice = server.user("alice");
        fill(&alice).await;
        let export = alice.get(EXPORT).await.has(200).text;
        let original = tasks(&export);
        assert_eq!(original.0.len(), 39);
        // There and back, through the other database.
        let (one, other) = match on {
            Backend::Sqlite => (Backend::Postgres, Backend::Sqlite),
            Backend::Postgres => (Backend::Sqlite, Backend::Postgres),
        };
        if crate::support::postgres::postgres().is_ok() {
            let there = moved(&export, one).await;
            assert_eq!(tasks(&there), original);
            let back = moved(&there, other).await;
            assert_eq!(tasks(&back), original);
        }

        // The same server takes it back when it has been erased, and not before.
        fs::write(home.path().join("alice.ndjson"), &export).unwrap();
        let refused = home.run(&["import", "alice.ndjson"]);
        assert!(refused.err.contains("1 user has tasks here already"), "{refused:?}");
        alice.delete("/api/v1/me").await.has(204);
        home.run(&["import", "alice.ndjson"]).good();
        assert_eq!(tasks(&alice.get(EXPORT).await.has(200).text), original);
        let again = json!({ "title": "other", "uid": "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b00" });
        alice.post(TASKS, again).await.fails(409, "uid_taken");
    }

    async fn a_cut_export_is_not_imported(on: Backend) {
        let home = Home::on(on).await;
        let server = home.start().await;
        let alice = server.user("alice");
        for title in ["milk", "bread", "tea"] {
            alice.create(title).await;
        }
        let export = alice.get(EXPORT).await.has(200).text;
        let of: Vec<&str> = export.lines().collect();
        alice.delete("/api/v1/me").await.has(204);
        let other = of[2].replace("alice", "bob");
        let later = of[0].replace("\"format\":1", "\"format\":2");
        for (file, fault) in [
            (of[..4].join("\n"), "line 1: begins the export of alice, and its last line is missing: it was cut. Export again"),
            (format!("{}\n{}", of[..3].join("\n"), of[4]), "line 4: counts 3 tasks and 0 deleted ones, but since line 1 there are 2 tasks and 0 deleted ones"),
            (format!("{}\n{}\n{}", of[0], of[1], of.join("\n")), "line 1: begins the export of alice, and its last line is missing"),
            (of[1..].join("\n"), "line 4: ends an export that has not begun"),
            (format!("{export}{}", of[1]), "line 6: is a task of a user whose export has ended before it"),
            (format!("{}\n{}\n{other}\n{}\n{}", of[0], of[1], of[3], of[4]), "line 3: is a task of another user than the export that line 1 begins"),
            (format!("{later}\n{}", of[1..].join("\n")), "line 1: /format is of a later version of Taskward"),
            (export.replace("\"id\":2,", "\"id\":1,"), "line 3: line 2 has the same `id` of the same user"),
            (export.replace("\"id\":3,", "\"id\":9223372036854775807,"), "line 4: /id must not be above /last_id of line 1, which is 3"),
            (export.replace("\"last_id\":3", "\"last_id\":9007199254740991"), "line 1: /last_id must not be above 4503599627370496"),
            (export.replacen("\"revision\":3", "\"revision\":9007199254740991", 1), "line 1: /revision must not be above 4503599627370496"),
            (r#"{"export":"middle"}"#.to_owned(), r#"line 1: /export must be "begin" or "end""#),
        ] {
            fs::write(home.path().join("cut.ndjson"), &file).unwrap();
            let told = home.run(&["import", "cut.ndjson"]).bad();
            assert!(told.contains(fault) && told.contains("nothing was imported"), "{fault}: {told}");
        }
        assert_eq!(alice.titles("").await, [""; 0]);
        // On purpose, without the first line and the last.
        fs::write(home.path().join("part.ndjson"), of[2..4].join("\n")).unwrap();
        assert_eq!(home.run(&["import", "part.ndjson"]).good(), "imported 2 tasks of 1 user\n");
        // Several users in one file.
        let two = [export.replace("alice", "bob"), export.replace("alice", "carol")].concat();
        fs::write(home.path().join("two.ndjson"), two).unwrap();
        assert_eq!(home.run(&["import", "two.ndjson"]).good(), "imported 6 tasks of 2 users\n");
    }

    async fn the_operator_exports_and_erases(on: Backend) {
        let home = Home::on(on).await;
        let server = home.start().await;
        let (alice, bob) = (server.user("alice"), server.user("bob"));
        alice.create("milk").await;
        bob.create("his").await;
        alice.create("tea").await;
        alice.delete(&format!("{TASKS}/2")).await.has(204);
        let bytes = alice.get("/api/v1/me").await.body["usage"]["bytes"].clone();
        let mut stream = alice.events(3).await;
        stream.soon().await;
        assert_eq!(tasks(&home.run(&["user", "export", "alice"]).good()).0.len(), 2);
        for command in [["user", "export", "alicia"], ["user", "erase", "alicia"]] {
            let told = home.run(&command).bad();
            assert!(told.contains("the user alicia has never stored anything here: compare the id with `user_id`"), "{told}");
        }
        let told = home.run(&["user", "erase", "alice"]).bad();
        assert!(told.contains("add --yes"), "{told}");
        assert_eq!(alice.titles("").await, ["milk"]);
        let said = home.run(&["user", "erase", "alice", "--yes"]).good();
        assert_eq!(said, format!("erased 1 tasks and 1 deleted ones of alice, {bytes} bytes in all\n"));
        // The server, another process, knows at once, and tells the stream.
        assert_eq!(alice.titles("").await, [""; 0]);
        assert_eq!(stream.soon().await.reason(), Some("resync_required"));
        assert_eq!(bob.titles("").await, ["his"]);
    }

    async fn the_operator_revokes_tokens(on: Backend) {
        let home = Home::on(on).await;
        let server = home.start().await;
        let alice = server.user("alice");
        alice.create("milk").await;
        let said = home.run(&["user", "revoke", "alice"]).good();
        assert!(said.starts_with("tokens of alice that were issued until 20") && said.ends_with("are refused, by every process within 5 s\n"), "{said}");
        eventually("refused", async || (alice.get(TASKS).await.code() == "token_revoked").then_some(())).await;
        home.run(&["user", "revoke", "alice", "--undo"]).good();
        eventually("accepted", async || (alice.get(TASKS).await.status == 200).then_some(())).await;
        let told = home.run(&["user", "revoke", "alice", "--undo"]).bad();
        assert!(told.contains("no tokens of alice are revoked"), "{told}");
        // An account may be older than its first task.
        let early = home.run(&["user", "revoke", "carol"]);
        assert_eq!(early.code, Some(0));
        assert!(early.err.contains("the user carol has never stored anything here"), "{early:?}");
        home.run(&["user", "revoke", " "]).bad();
    }
}

on_both! {
    /// A pooler in between, or a standby, is for requests.
    async fn the_operator_uses_the_direct_url(on: Backend) {
        let home = Home::on(on).await;
        home.run(&["migrate", "up"]).good();
        let direct = home.setting("DATABASE_URL").to_owned();
        let pooled = match on {
            Backend::Sqlite => "sqlite://missing/taskward.db",
            Backend::Postgres => "postgres://nobody@127.0.0.1:1/nothing",
        };
        let home = home.set("DATABASE_URL", pooled).set("DATABASE_DIRECT_URL", direct);
        home.run(&["user", "revoke", "alice"]).good();
        home.run(&["user", "revoke", "alice", "--undo"]).good();
    }
}

#[tokio::test]
async fn what_cannot_be_the_database_of_a_user_is_refused() {
    let empty = Home::sqlite();
    for command in [
        &["user", "export", "alice"][..],
        &["user", "erase", "alice", "--yes"],
        &["user", "revoke", "alice"],
    ] {
        let told = empty.run(command).bad();
        assert!(told.contains("run `taskward migrate up` first"), "{told}");
        let gone = empty.clone_with("DATABASE_URL", "sqlite::memory:");
        let told = gone.run(command).bad();
        assert!(told.contains("would be gone at once"), "{told}");
    }
}

/// `script` gives the program a terminal, as a person has it.
#[tokio::test]
async fn a_person_types_the_id_of_the_user_who_is_erased() {
    let home = Home::sqlite();
    let server = home.start().await;
    let alice = server.user("alice");
    alice.create("milk").await;
    let at_terminal = home
        .clone_with("TERM", "dumb")
        .through(r#"exec script --quiet --return --command "$*" /dev/null"#);
    let answers = |typed: &str| {
        let mut command = at_terminal.command(&["user", "erase", "alice"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(typed.as_bytes()).unwrap();
        let ended = child.wait_with_output().unwrap();
        let told = String::from_utf8(ended.stdout).unwrap();
        (ended.status.code(), told)
    };
    for typed in ["bob\n", "yes\n", "\n"] {
        let (code, told) = answers(typed);
        assert_eq!(code, Some(1), "{told}");
        assert!(
            told.contains("Type the id of the user to go on")
                && told.contains("nothing was erased"),
            "{told}"
        );
        assert_eq!(alice.titles("").await, ["milk"]);
    }
    let (code, told) = answers("alice\n");
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("erased 1 tasks"), "{told}");
    assert_eq!(alice.titles("").await, [""; 0]);
}

#[tokio::test]
async fn an_export_that_nobody_reads_to_its_end_is_not_whole() {
    let home = Home::sqlite();
    let server = home.start().await;
    server.user("alice").create("milk").await;
    let mut child = home
        .command(&["user", "export", "alice"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(told.contains("the export is not whole"), "{told}");
    // A person is asked for the id; a script, which cannot be, is told of `--yes`.
    let mut child = home
        .command(&["user", "erase", "alice"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"alice\n").unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(server.user("alice").titles("").await, ["milk"]);
}
