//! Recognizes files that are not UTF-8.

/// The encoding of a file whose first line begins thus, by the name that `iconv` has for it; `None` if it may be UTF-8.
/// PowerShell writes UTF-16 when it redirects the output of a program.
pub(super) fn other_than_utf8(start: &[u8]) -> Option<&'static str> {
    Some(match start {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => "UTF-32",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16",
        // Without a mark, the zero byte of an ASCII character tells. JSON has none.
        [0, 0, 0, _, ..] => "UTF-32BE",
        [_, 0, 0, 0, ..] => "UTF-32LE",
        [0, _, ..] => "UTF-16BE",
        [_, 0, ..] => "UTF-16LE",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::other_than_utf8;

    #[test]
    fn a_file_tells_by_its_first_bytes() {
        for (start, encoding) in [
            (&b"{\"user_id\":1}"[..], None),
            (b"\xef\xbb\xbf{}", None),
            (b"", None),
            (b"{", None),
            (b"\xff\xfe{\0", Some("UTF-16")),
            (b"\xfe\xff\0{", Some("UTF-16")),
            (b"{\0\"\0", Some("UTF-16LE")),
            (b"\0{\0\"", Some("UTF-16BE")),
            (b"\xff\xfe\0\0{\0\0\0", Some("UTF-32")),
            (b"\0\0\xfe\xff\0\0\0{", Some("UTF-32")),
            (b"{\0\0\0", Some("UTF-32LE")),
            (b"\0\0\0{", Some("UTF-32BE")),
        ] {
            assert_eq!(other_than_utf8(start), encoding, "{start:?}");
        }
    }
}
