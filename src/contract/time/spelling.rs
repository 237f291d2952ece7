//! The spellings of a time that other software writes.
//!
//! One reader takes them apart for every level of strictness. Strict doors (REST) take RFC 3339 alone, and their
//! errors show how the same time is written there. Lenient doors (owner paths, import) take all of these
//! spellings, and a time without an offset as UTC. MCP takes such a time as one in the user's time zone.

/// Longer than any time with a fraction that counts.
const MAX_LENGTH: usize = 64;

/// A date and a time of day in digits, which need not exist, with or without an offset from UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimeSpelling {
    /// As RFC 3339 §5.6 writes it, up to the offset.
    local: String,
    /// `Z` or one like `+01:00`.
    offset: Option<String>,
}

impl TimeSpelling {
    /// Takes a text apart: `T` or a space after the date, seconds or none, a fraction or none, and an offset as
    /// `Z`, `+01:00`, `+0100`, `+01` or none. `None` for anything else.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let (date, rest) = text.split_at_checked(10)?;
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let (clock, rest) = rest.split_at_checked(5)?;
        let (seconds, rest) = match rest.strip_prefix(':') {
            Some(rest) => rest.split_at_checked(2)?,
            None => ("00", rest),
        };
        let (fraction, offset) = match rest.strip_prefix('.') {
            Some(digits) => {
                let end = digits
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(digits.len());
                rest.split_at_checked(end + 1)?
            }
            None => ("", rest),
        };
        let well_formed = has_shape(date, "dddd-dd-dd")
            && has_shape(clock, "dd:dd")
            && has_shape(seconds, "dd")
            && fraction != ".";
        well_formed.then_some(())?;
        Some(Self {
            local: format!("{date}T{clock}:{seconds}{fraction}"),
            offset: read_offset(offset)?,
        })
    }

    /// As RFC 3339 writes it; `None` without an offset.
    pub(crate) fn rfc3339(&self) -> Option<String> {
        let offset = self.offset.as_ref()?;
        Some(format!("{}{offset}", self.local))
    }

    /// As RFC 3339 writes it, in UTC if it has no offset.
    pub(crate) fn rfc3339_or_utc(&self) -> String {
        self.rfc3339().unwrap_or_else(|| format!("{}Z", self.local))
    }
}

/// The offset in RFC 3339's form; the outer `None`: it is none.
fn read_offset(text: &str) -> Option<Option<String>> {
    if text.is_empty() {
        return Some(None);
    }
    if matches!(text, "Z" | "z") {
        return Some(Some("Z".to_owned()));
    }
    let digits = text.strip_prefix(['+', '-'])?;
    let offset = if has_shape(digits, "dd:dd") {
        text.to_owned()
    } else if has_shape(digits, "dddd") {
        let (hours, minutes) = text.split_at_checked(3)?;
        format!("{hours}:{minutes}")
    } else if has_shape(digits, "dd") {
        format!("{text}:00")
    } else {
        return None;
    };
    Some(Some(offset))
}

/// Whether a text has a digit where the shape has a `d`, and else the same characters.
pub(super) fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, at)| match at {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        })
}
