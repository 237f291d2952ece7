//! Random data, orders, filters and pages give the same as a model that is too simple to be
//! wrong. `PROPTEST_CASES` sets how many cases are tried.

mod merge_patch;
mod page_cache;
mod paging;

use std::env;

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseError, TestRunner},
};

use crate::support::Backend;

/// Tries a story on random input. Fewer cases on PostgreSQL: both databases get the same statements from
/// the same code, and a round trip costs more.
fn try_on<S: Strategy>(on: Backend, strategy: S, story: impl AsyncFn(S::Value)) {
    let cases = env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(24);
    let mut runner = TestRunner::new(Config {
        cases: match on {
            Backend::Sqlite => cases,
            Backend::Postgres => cases.div_ceil(3),
        },
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    });
    let runtime = tokio::runtime::Handle::current();
    let result = runner.run(&strategy, |value| {
        let shown = std::panic::AssertUnwindSafe(|| runtime.block_on(story(value)));
        // A failed assertion of a helper is a panic, and should be shrunk as well.
        std::panic::catch_unwind(shown).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            TestCaseError::fail(text.unwrap_or_else(|| "panicked".to_owned()))
        })
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
