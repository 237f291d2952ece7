//! A client that keeps a copy of somebody's tasks, as the contract tells it to.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{CHANGES, TASKS};
use crate::support::Actor;

/// A copy, by id.
#[derive(Debug, Default, Clone)]
pub struct TaskCopy {
    pub tasks: BTreeMap<i64, Value>,
    /// The revision up to which it has all changes.
    pub since: i64,
}

impl TaskCopy {
    /// Applies a page of changes.
    pub fn apply(&mut self, page: &Value) {
        for task in page["tasks"].as_array().unwrap() {
            self.tasks
                .insert(task["id"].as_i64().unwrap(), task.clone());
        }
        for deleted in page["deleted"].as_array().unwrap() {
            self.tasks.remove(&deleted["id"].as_i64().unwrap());
        }
    }

    /// Begins again.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Brings it up to date by pages, of which each is as long as `limit` says. Returns how often it had to begin again.
    pub async fn sync(&mut self, of: &Actor, mut limit: impl FnMut() -> u64) -> usize {
        let mut again = 0;
        let mut path = format!("{CHANGES}?since={}&limit={}", self.since, limit());
        loop {
            let page = of.get(&path).await;
            if page.status == 410 {
                assert_eq!(page.code(), "resync_required", "{page}");
                self.forget();
                again += 1;
                path = format!("{CHANGES}?since=0&limit={}", limit());
                continue;
            }
            assert_eq!(page.status, 200, "{page}");
            self.apply(&page.body);
            match page.body["cursor"].as_str() {
                Some(cursor) => path = format!("{CHANGES}?cursor={cursor}&limit={}", limit()),
                None => {
                    self.since = page.body["next"].as_i64().unwrap();
                    return again;
                }
            }
        }
    }
}

/// All tasks of somebody, by id.
pub async fn state(of: &Actor) -> BTreeMap<i64, Value> {
    let mut tasks = BTreeMap::new();
    let mut path = format!("{TASKS}?limit=100");
    loop {
        let page = of.get(&path).await.has(200);
        let items = page.items().iter();
        tasks.extend(items.map(|task| (task["id"].as_i64().unwrap(), task.clone())));
        match page.body["next_cursor"].as_str() {
            Some(cursor) => path = format!("{TASKS}?limit=100&cursor={cursor}"),
            None => return tasks,
        }
    }
}
