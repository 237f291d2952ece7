//! Reads the text of a file `.env` as Node's `dotenv` and Python's `python-dotenv` do.
//!
//! Where these two read a value in different ways, one of them is taken and the value is marked as doubtful.
//! `tests/dotenv/cases.json` holds what they were recorded to read. A `$` is a `$`: nothing is expanded.

#[cfg(test)]
mod tests;

use super::setting::is_setting;

/// What a line of the file says. Lines are counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Statement<'a> {
    /// It sets a variable.
    Assignment {
        line: usize,
        name: &'a str,
        value: String,
        /// Whether other readers of such files read another value.
        is_doubtful: bool,
    },
    /// It is no assignment that can be read.
    Unreadable {
        line: usize,
        /// Its text, or the name of the setting that it would swallow. It may have a secret in it: do not print it.
        text: &'a str,
    },
}

/// Reads a file. Its line ends must be `\n`, see [`normalized`].
pub(super) fn parse(text: &str) -> Vec<Statement<'_>> {
    let mut statements = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let (current, next) = rest.split_once('\n').unwrap_or((rest, ""));
        let start = current.trim_start();
        let mut lines = 1;
        if !start.is_empty() && !start.starts_with('#') {
            let statement = &rest[current.len() - start.len()..];
            let found = EnvStatement::read(statement);
            lines = found.lines;
            statements.push(found.at(line));
        }
        rest = match lines {
            1 => next,
            _ => rest.splitn(lines + 1, '\n').nth(lines).unwrap_or(""),
        };
        line += lines;
    }
    statements
}

/// The text without a byte order mark, and with `\n` at the end of each line.
pub(super) fn normalized(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// A statement, before it is known in which line it stands.
struct EnvStatement<'a> {
    name: &'a str,
    /// Its first line; what to tell if it cannot be read.
    text: &'a str,
    /// `None`: it cannot be read.
    value: Option<EnvValue<'a>>,
    lines: usize,
}

impl<'a> EnvStatement<'a> {
    /// Reads the statement at the start of the text, which may go on in the next lines.
    fn read(text: &'a str) -> Self {
        let name = |text: &'a str| {
            let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c)));
            text.split_at(end.unwrap_or(text.len()))
        };
        let (mut word, mut rest) = name(text);
        if word == "export" && rest.starts_with([' ', '\t']) {
            (word, rest) = name(rest.trim_start_matches([' ', '\t']));
        }
        let unreadable = Self {
            name: word,
            text: text.split('\n').next().unwrap_or_default(),
            value: None,
            lines: 1,
        };
        let assigned = rest.trim_start_matches([' ', '\t']).strip_prefix('=');
        let (false, Some(value)) = (word.is_empty(), assigned) else {
            return unreadable;
        };
        let Some(value) = EnvValue::read(value) else {
            return unreadable;
        };
        // A quote that was never meant to open a text of several lines would take settings with it.
        if let Some(text) = value.setting_within() {
            return Self { text, ..unreadable };
        }
        Self {
            lines: 1 + value.raw.matches('\n').count(),
            value: Some(value),
            ..unreadable
        }
    }

    fn at(self, line: usize) -> Statement<'a> {
        let name = self.name;
        match self.value {
            Some(value) => Statement::Assignment {
                line,
                name,
                is_doubtful: value.is_doubtful(),
                value: value.unescaped(),
            },
            None => Statement::Unreadable {
                line,
                text: self.text,
            },
        }
    }
}

/// The right side of an assignment.
struct EnvValue<'a> {
    /// What stands between the quotes, if there are any.
    raw: &'a str,
    /// The quote around it.
    quote: Option<char>,
}

impl<'a> EnvValue<'a> {
    /// Reads what follows the equals sign; `None` if a quote is not closed, or closed in the middle.
    fn read(text: &'a str) -> Option<Self> {
        let line = text.split('\n').next().unwrap_or_default();
        let start = line.trim_start();
        let unquoted = || Self {
            raw: without_comment(line),
            quote: None,
        };
        let Some(quote) = start.chars().next().filter(|c| "\"'`".contains(*c)) else {
            return Some(unquoted());
        };
        let inside = &text[line.len() - start.len() + 1..];
        let quoted = closing(inside, quote).and_then(|end| {
            let (raw, after) = (&inside[..end], &inside[end + 1..]);
            let after = after.split('\n').next().unwrap_or_default().trim_start();
            (after.is_empty() || after.starts_with('#')).then_some(Self {
                raw,
                quote: Some(quote),
            })
        });
        // Python knows no backticks: there, an odd one is a part of the value.
        match quote {
            '`' => Some(quoted.unwrap_or_else(unquoted)),
            _ => quoted,
        }
    }

    /// The value itself. In double quotes, a backslash makes a line break, a tab or a quote of its letter.
    fn unescaped(&self) -> String {
        let mut value = String::with_capacity(self.raw.len());
        let mut rest = self.raw.chars();
        while let Some(c) = rest.next() {
            let escaped = match (c, self.quote, rest.as_str().chars().next()) {
                ('\\', Some('"'), Some('n')) => '\n',
                ('\\', Some('"'), Some('r')) => '\r',
                ('\\', Some('"'), Some('t')) => '\t',
                ('\\', Some('"' | '\''), Some(quote @ ('"' | '\'' | '\\')))
                    if quote != '"' || self.quote == Some('"') =>
                {
                    quote
                }
                _ => {
                    value.push(c);
                    continue;
                }
            };
            value.push(escaped);
            rest.next();
        }
        value
    }

    /// Whether Node's and Python's readers differ: in `#` without a space before it, in backticks, and in
    /// what a backslash does in quotes.
    fn is_doubtful(&self) -> bool {
        let escapes = match self.quote {
            None => return self.raw.contains('#'),
            Some('"') => "\\'\"abftv",
            Some('\'') => "\\'",
            Some(_) => return true,
        };
        let mut after = self.raw.split('\\').skip(1);
        after.any(|text| text.is_empty() || text.starts_with(|c| escapes.contains(c)))
    }

    /// The first setting that a further line of a quoted text seems to set.
    fn setting_within(&self) -> Option<&'a str> {
        let mut names = self.raw.split('\n').skip(1).filter_map(|line| {
            let (name, _) = line.split_once('=')?;
            let name = name.trim();
            Some(name.strip_prefix("export ").map_or(name, str::trim_start))
        });
        names.find(|name| is_setting(name))
    }
}

/// A value without quotes: up to a `#` after white space.
fn without_comment(line: &str) -> &str {
    let is_comment = |(at, _): &(usize, &str)| {
        line[..*at]
            .chars()
            .next_back()
            .is_some_and(char::is_whitespace)
    };
    let comment = line.match_indices('#').find(is_comment);
    line[..comment.map_or(line.len(), |(at, _)| at)].trim()
}

/// Where the quote is closed. A backslash protects the character after it, but not in backticks.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let closes = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped && quote != '`';
        closes.then_some(at)
    })
}
