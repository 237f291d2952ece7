//! The users whose tasks are asked for: their tokens and the ids of their tasks.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};

pub struct User {
    pub token: String,
    pub task_ids: Vec<String>,
}

/// Reads the tokens, one a line, and the tasks: the number of the user (from 0), a tab, the task's id.
pub fn read(tokens: &Path, tasks: &Path) -> anyhow::Result<Vec<User>> {
    let mut users: Vec<User> = read_file(tokens)?
        .lines()
        .map(|token| User {
            token: token.to_owned(),
            task_ids: Vec::new(),
        })
        .collect();
    for line in read_file(tasks)?.lines() {
        let (number, id) = line
            .split_once('\t')
            .with_context(|| format!("no tab in the line {line:?}"))?;
        let user = users
            .get_mut(number.parse::<usize>()?)
            .with_context(|| format!("a task of user {number}, who has no token"))?;
        user.task_ids.push(id.to_owned());
    }
    if users.is_empty() || users.iter().any(|user| user.task_ids.is_empty()) {
        bail!("there must be users, and each must have a task");
    }
    Ok(users)
}

fn read_file(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
