//! Reads the lines of a file one after the other, and notes what is wrong with them.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use anyhow::bail;

use super::{
    Import,
    faults::LineFaults,
    line::Line,
    section::{Bound, Section},
};
use crate::{
    contract::{Change, Members, Timestamp, Uid},
    store::{ImportedTask, ImportedUser, UserLimits},
};

/// What was read so far.
pub(super) struct Reader {
    /// What time it is.
    now: Timestamp,
    users: BTreeMap<String, ImportedUser>,
    faults: LineFaults,
    /// In which lines the uids and the ids of the users are.
    uids: HashMap<(String, Uid), usize>,
    ids: HashMap<(String, i64), usize>,
    /// The export that has begun and not ended.
    section: Option<Section>,
}

impl Reader {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            users: BTreeMap::new(),
            faults: LineFaults::default(),
            uids: HashMap::new(),
            ids: HashMap::new(),
            section: None,
        }
    }

    pub(super) fn note(&mut self, line: usize, fault: impl fmt::Display) {
        self.faults.note(format!("line {line}: {fault}"));
    }

    /// Reads a line.
    pub(super) fn read(&mut self, number: usize, line: &[u8]) {
        let read = match Members::parse(line) {
            Err(fault) => Err(vec![fault.in_one_line()]),
            Ok(members) if members.has("export") => {
                Bound::read(members).map(|bound| self.take_bound(number, bound))
            }
            Ok(members) => Line::read(members, self.now).map(|line| self.take_task(number, line)),
        };
        for fault in read.err().into_iter().flatten() {
            self.note(number, fault);
        }
    }

    fn take_bound(&mut self, number: usize, bound: Bound) {
        match (bound, self.section.take()) {
            (Bound::Begin { user_id, origin }, open) => {
                if let Some(open) = open {
                    self.note(open.line, open.unended());
                }
                if self.users.contains_key(&user_id) {
                    self.note(
                        number,
                        "begins an export of a user of whom there are tasks before it",
                    );
                }
                self.section = Some(Section::new(number, user_id.clone(), origin.last_id));
                let user = self.users.entry(user_id).or_default();
                user.origin = Some(origin);
            }
            (Bound::End { said }, Some(open)) => {
                if let Err(fault) = open.end(said) {
                    self.note(number, fault);
                }
            }
            (Bound::End { .. }, None) => self.note(number, "ends an export that has not begun"),
        }
    }

    fn take_task(&mut self, number: usize, line: Line) {
        let of_section = self.section.as_mut().map(|section| section.count(&line));
        let Line { user_id, mut task } = line;
        match of_section {
            Some(Err(fault)) => self.note(number, fault),
            Some(Ok(())) => {}
            // The id is that of another backend.
            None => task.id = None,
        }
        self.check_unique(number, &user_id, &task);
        let is_exported = self
            .users
            .get(&user_id)
            .is_some_and(|user| user.origin.is_some());
        if is_exported && self.section.is_none() {
            self.note(
                number,
                "is a task of a user whose export has ended before it",
            );
        }
        self.users.entry(user_id).or_default().tasks.push(task);
    }

    fn check_unique(&mut self, number: usize, user_id: &str, task: &ImportedTask) {
        if let Change::Set(uid) = &task.task.uid
            && let Some(first) = self.uids.insert((user_id.to_owned(), uid.clone()), number)
        {
            self.note(
                number,
                format!("line {first} has the same `uid` of the same user"),
            );
        }
        if let Some(id) = task.id
            && let Some(first) = self.ids.insert((user_id.to_owned(), id), number)
        {
            self.note(
                number,
                format!("line {first} has the same `id` of the same user"),
            );
        }
    }

    /// What was read, if nothing is wrong with it.
    ///
    /// # Errors
    /// All faults, of which the first 50 are told; and if there is no task at all.
    pub(super) fn finish(mut self, limits: UserLimits) -> anyhow::Result<Import> {
        if let Some(open) = self.section.take() {
            self.note(open.line, open.unended());
        }
        for (user, of_user) in &self.users {
            for fault in beyond(&of_user.tasks, limits) {
                self.faults
                    .note(format!("{user} has {fault}: set it higher"));
            }
        }
        self.faults.check()?;
        if self.users.is_empty() {
            // More likely an export that failed than one of nothing.
            bail!("nothing was imported: there is no task in it");
        }
        Ok(Import(self.users))
    }
}

/// The limits that the tasks of a user are beyond.
fn beyond(tasks: &[ImportedTask], limits: UserLimits) -> Vec<String> {
    let UserLimits {
        tasks: max_tasks,
        bytes: max_bytes,
    } = limits;
    let mut faults = Vec::new();
    let live = tasks.iter().filter(|task| task.deleted_at.is_none());
    let live = i64::try_from(live.count()).unwrap_or(i64::MAX);
    let deleted = i64::try_from(tasks.len()).unwrap_or(i64::MAX) - live;
    for (count, what) in [(live, "tasks"), (deleted, "deleted tasks")] {
        if count > max_tasks {
            faults.push(format!(
                "{count} {what}, and MAX_TASKS_PER_USER is {max_tasks}"
            ));
        }
    }
    let bytes: i64 = tasks.iter().map(ImportedTask::bytes).sum();
    if let Some(max) = max_bytes.filter(|max| bytes > *max) {
        faults.push(format!(
            "tasks of {bytes} bytes, and MAX_BYTES_PER_USER is {max}"
        ));
    }
    faults
}
