//! Members and parameters that are ignored on the owner paths: named in the log, so that an operator can find out why what a
//! front end sends does not come back.

use std::{
    collections::HashSet,
    sync::{LazyLock, Mutex, PoisonError},
};

/// The longest name that is written to the log, in code points.
const MAX_NAME: usize = 60;
/// How many names are told at info. A client can invent any number.
const MAX_NAMES: usize = 100;

/// Names a member to the log: at info when this process meets it first, at debug afterwards.
pub(crate) fn note_ignored(body: &'static str, name: &str) {
    static TOLD: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    let name: String = name.chars().take(MAX_NAME).collect();
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() < MAX_NAMES && told.insert(name.clone()) {
        tracing::info!(body, member = ?name, "ignored a member that Taskward does not have; told once for each name");
    } else {
        tracing::debug!(body, member = ?name, "ignored a member that Taskward does not have");
    }
}
