//! Answers are written by serde, and documented by poem-openapi: both must mean the same JSON.

use chrono::DateTime;
use poem_openapi::types::ToJSON;
use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::contract::{
    Description, DueDate, Flag, Nullable, Priority, Tags, Task, TaskId, TaskList, Timestamp, Title,
    Uid, UserIdText, Version,
};

fn time() -> impl Strategy<Value = Timestamp> {
    let seconds = -62_135_596_800_i64..253_402_300_800;
    let micros = prop_oneof![Just(0), 0..1_000_000_u32];
    (seconds, micros).prop_map(|(seconds, micros)| {
        Timestamp::new(DateTime::from_timestamp(seconds, micros * 1_000).unwrap())
    })
}

fn tasks() -> impl Strategy<Value = Task> {
    let texts = (
        any::<String>(),
        any::<String>(),
        option::of(any::<String>()),
    );
    let times = (time(), time(), option::of(time()));
    let numbers = (1..=1_i64 << 52, 1..=1_i64 << 52, 0..3_usize);
    let due = option::of((time(), any::<bool>()));
    (texts, times, numbers, due, vec(any::<String>(), 0..4)).prop_map(
        |(
            (user, title, description),
            (created, updated, completed),
            (id, version, priority),
            due,
            tags,
        )| Task {
            id: TaskId::new(id).unwrap(),
            uid: Nullable((id % 2 == 0).then(|| Uid::stored(format!("{id:036x}")))),
            user_id: UserIdText(user),
            title: Title::stored(title),
            description: Nullable(description.map(Description::stored)),
            completed: Flag(completed.is_some()),
            completed_at: Nullable(completed),
            priority: Priority::ALL[priority],
            due_date: Nullable(due.map(|(at, is_date)| DueDate::stored(at.get(), is_date))),
            tags: Tags::stored(tags),
            created_at: created,
            updated_at: updated,
            version: Version::new(version).unwrap(),
        },
    )
}

fn body_of<T: Type + Serialize>(value: T) -> String {
    let response = Json(value).into_response();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    let body = response.into_body().into_string();
    futures_util::FutureExt::now_or_never(body)
        .unwrap()
        .unwrap()
}

proptest! {
    #[test]
    fn an_answer_is_what_poem_openapi_would_write(task in tasks()) {
        let expected = task.to_json_string();
        prop_assert_eq!(body_of(task), expected);
    }

    #[test]
    fn a_page_is_as_well(items in vec(tasks(), 0..4), next in option::of("[a-z]{1,9}")) {
        let page = TaskList { items, next_cursor: Nullable(next) };
        let expected = page.to_json_string();
        prop_assert_eq!(body_of(page), expected);
    }
}

/// What is wrong with a body, in words of ours.
fn check(problem: &Problem) {
    assert!(
        [400, 413, 422].contains(&problem.status().as_u16()),
        "{problem}"
    );
    crate::fuzz::assert_own_words(&problem.detail);
    for fault in &problem.errors {
        crate::fuzz::assert_own_words(&fault.detail);
    }
}

const BODIES: [&str; 4] = [
    r#"{"title":"Buy milk","description":null,"completed":false,"priority":"high","due_date":"2026-02-06","tags":["a","B"],"uid":"0190163d-8694-739b-aea5-966c26f8ad91"}"#,
    r#"{"title":"x","due_date":"2026-02-06T09:00:00.123456+05:30","tags":[]}"#,
    r#"{"title":"x","completed":"true","is_completed":1,"priority":"HIGH","tags":"a, b","due_date":"2026-02-06T09:00:00"}"#,
    r#"{"operations":[{"create":{"title":"x"}},{"update":{"id":1,"if_version":2,"patch":{"completed":true}}}],"atomic":true}"#,
];

#[test]
fn fuzz_new_tasks() {
    use crate::contract::NewTask;
    crate::fuzz::fuzz("new-task", &BODIES, |body| match parse::<NewTask>(body) {
        Ok(task) => {
            let said = task.said();
            let written = serde_json::to_vec(&said).unwrap();
            let again = parse::<NewTask>(&written).expect("what it says can be read");
            assert_eq!(again.said(), said);
            let text = std::str::from_utf8(body).unwrap();
            let json: serde_json::Value =
                serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
            assert_eq!(
                json["title"],
                task.title.as_str(),
                "a text is stored as it was sent"
            );
        }
        Err(problem) => check(&problem),
    });
}

#[test]
fn fuzz_patches_and_lenient_bodies() {
    use crate::contract::{BatchRequest, OwnerNewTask, OwnerTaskChanges, TaskPatch};
    crate::fuzz::fuzz("bodies", &BODIES, |body| {
        let refused = [
            parse::<TaskPatch>(body).err(),
            parse::<OwnerNewTask>(body).err(),
            parse::<OwnerTaskChanges>(body).err(),
            parse::<BatchRequest>(body).err(),
        ];
        refused.iter().flatten().for_each(check);
        // What the strict reading takes, the lenient one takes in the same way.
        if let (Ok(strict), Ok(lenient)) = (
            parse::<crate::contract::NewTask>(body),
            parse::<OwnerNewTask>(body),
        ) {
            let mut strict = strict.said();
            strict.remove("uid");
            assert_eq!(crate::contract::NewTask::from(lenient).said(), strict);
        }
    });
}
