//! What is wrong with the lines of a file, as it is printed.

use anyhow::bail;

use crate::unicode::escaped;

/// How many faults are printed. Nobody reads more.
const MAX_FAULTS: usize = 50;
/// How much of a fault is printed, in code points. A longer one repeats text of the file.
const MAX_FAULT: usize = 300;

/// The first faults, and how many there are.
#[derive(Default)]
pub(super) struct LineFaults {
    told: Vec<String>,
    count: usize,
}

impl LineFaults {
    pub(super) fn note(&mut self, fault: String) {
        self.count += 1;
        if self.told.len() < MAX_FAULTS {
            self.told.push(printable(&fault));
        }
    }

    pub(super) fn check(self) -> anyhow::Result<()> {
        let more = self.count - self.told.len();
        let more = (more > 0).then(|| format!("\n  - and {more} more"));
        match self.told.is_empty() {
            true => Ok(()),
            false => bail!(
                "nothing was imported:\n  - {}{}",
                self.told.join("\n  - "),
                more.unwrap_or_default()
            ),
        }
    }
}

/// A text of the file for a terminal: cut, and with characters escaped that a terminal would act on.
pub(super) fn printable(text: &str) -> String {
    match text.char_indices().nth(MAX_FAULT) {
        Some((end, _)) => format!("{}…", escaped(&text[..end])),
        None => escaped(text).into_owned(),
    }
}
