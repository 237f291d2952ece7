//! Micro-benchmarks of what many requests do: `cargo bench`, or `cargo bench -- page` for some of them.
//!
//! They answer "which of two ways is faster". `tests/instructions` guards whole requests, and `tests/bench` measures the
//! server.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up ends with a message"
)]

use std::{hint::black_box, time::Duration};

use divan::{Bencher, counter::BytesCount};
use poem::IntoResponse as _;
use serde_json::json;
use taskward::{
    auth::{AuthSettings, DevIssuer, Verifier},
    clock::Clock,
    contract::{Flag, Json, Nullable, Priority, Scalar, Task, TaskList, UserIdText},
    unicode::{fold, search_key},
};
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// A verifier with the key of development mode, and what it takes to use both.
struct Tokens {
    runtime: Runtime,
    issuer: DevIssuer,
    verifier: Verifier,
}

impl Tokens {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let issuer = DevIssuer::open(&folder.path().join("key.pem")).expect("a key");
        let settings = AuthSettings {
            issuers: Vec::new(),
            jwks_ttl: Duration::from_secs(300),
            jwks_cooldown: Duration::from_secs(10),
            jwks_max_stale: Duration::from_secs(86_400),
            leeway: Duration::from_secs(30),
            require_scope: false,
            max_token_age: None,
        };
        let verifier = {
            let _in_runtime = runtime.enter();
            Verifier::new(&settings, Some(issuer.clone()), &Clock::System).expect("a verifier")
        };
        Self {
            runtime,
            issuer,
            verifier,
        }
    }

    /// The header of a user.
    fn header(&self, user: &str) -> String {
        let token = self.issuer.mint(user, None, Duration::from_secs(3600));
        format!("Bearer {}", token.expect("a token"))
    }

    /// What each request with a token costs.
    fn check(&self, header: &str) {
        let verifying = self.verifier.verify_header(Some(header.as_bytes()));
        let verified = self.runtime.block_on(verifying);
        black_box(verified.expect("a valid token"));
    }
}

#[divan::bench]
fn token_in_the_cache(bencher: Bencher) {
    let tokens = Tokens::new();
    let header = tokens.header("alice");
    bencher.bench_local(|| tokens.check(black_box(&header)));
}

#[divan::bench(sample_count = 20, sample_size = 20)]
fn token_not_in_the_cache(bencher: Bencher) {
    let tokens = Tokens::new();
    let mut users = 0;
    bencher
        .with_inputs(|| {
            users += 1;
            tokens.header(&format!("user-{users}"))
        })
        .bench_local_values(|header| tokens.check(&header));
}

fn read<T: Scalar>(value: serde_json::Value) -> T {
    T::from_json(&value).expect("a valid value")
}

fn page() -> TaskList {
    let is_done = |id: usize| id.is_multiple_of(2);
    let task = |id: usize| Task {
        id: read(json!(id)),
        uid: Nullable(None),
        user_id: UserIdText("k3v9QmXb2ZtR7sLw4NcYp8HfJd6GaUe1".to_owned()),
        title: read(json!(format!("Water the plants in room {id}"))),
        description: Nullable(Some(read(json!("The \"small\" ones twice")))),
        completed: Flag(is_done(id)),
        completed_at: Nullable(is_done(id).then(|| read(json!("2026-02-03T08:30:00Z")))),
        priority: Priority::ALL[id % 3],
        due_date: Nullable(Some(read(match is_done(id) {
            true => json!("2026-02-06"),
            false => json!("2026-02-06T09:00:00Z"),
        }))),
        tags: read(json!(["home", "plants"])),
        created_at: read(json!("2026-02-01T08:30:00.123456Z")),
        updated_at: read(json!("2026-02-03T08:30:00.123456Z")),
        version: read(json!(id + 100)),
    };
    TaskList {
        items: (1..=50).map(task).collect(),
        next_cursor: Nullable(Some("WzEsMTIsN10".to_owned())),
    }
}

#[divan::bench]
fn json_of_a_page_of_50(bencher: Bencher) {
    let bytes = serde_json::to_vec(&page()).expect("JSON").len();
    bencher
        .counter(BytesCount::new(bytes))
        .with_inputs(|| Json(page()))
        .bench_local_values(Json::into_response);
}

const TEXTS: [&str; 3] = [
    "Water the plants in room 7, the small ones twice",
    "Blumen gießen: Küche, Büro und “Café Größenwahn”",
    "آب دادن به گل‌های اتاق ۷، کوچک‌ها دو بار",
];

#[divan::bench(args = TEXTS)]
fn search_key_of(text: &str) -> String {
    search_key(text)
}

#[divan::bench(args = ["Shopping", "Größe", "כלים"])]
fn fold_tag(text: &str) -> String {
    fold(text)
}
