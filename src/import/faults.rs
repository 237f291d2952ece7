//! What is wrong with the lines of a file, as it is printed.

use anyhow::bail;

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

/// A text of the file for a terminal: cut, and with control characters escaped.
pub(super) fn printable(text: &str) -> String {
    let escaped = |c: char| match c {
        c if c.is_control() => true,
        // Marks of direction and width, which can make one text look like another.
        '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}' => true,
        _ => false,
    };
    let mut printed = String::new();
    for (index, c) in text.chars().enumerate() {
        match c {
            _ if index == MAX_FAULT => return printed + "…",
            c if escaped(c) => printed.extend(c.escape_unicode()),
            c => printed.push(c),
        }
    }
    printed
}
