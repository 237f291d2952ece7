//! The answers: where one ends, and its status.

#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Incomplete,
    Complete { status: u16, close: bool },
    Malformed,
}

/// Looks at what has arrived for one request.
pub fn read(bytes: &[u8]) -> Answer {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Answer::Incomplete,
        Err(_) => return Answer::Malformed,
    };
    let header = |name: &str| {
        let found = response
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let body = &bytes[head..];
    let complete = match header("content-length").map(str::parse) {
        Some(Ok(length)) => body.len() >= length,
        Some(Err(_)) => return Answer::Malformed,
        None if header("transfer-encoding").is_some() => body.ends_with(b"0\r\n\r\n"),
        None => return Answer::Malformed,
    };
    match response.code {
        Some(status) if complete => Answer::Complete {
            status,
            close: header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")),
        },
        Some(_) => Answer::Incomplete,
        None => Answer::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, read};

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd";
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), Answer::Incomplete, "{length}");
        }
        assert_eq!(
            read(whole),
            Answer::Complete {
                status: 200,
                close: false
            }
        );
    }

    #[test]
    fn chunks_and_the_end_of_a_connection_are_seen() {
        let chunked =
            b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
        assert_eq!(read(chunked), Answer::Incomplete);
        let whole = [chunked.as_slice(), b"2\r\n{}\r\n0\r\n\r\n"].concat();
        assert_eq!(
            read(&whole),
            Answer::Complete {
                status: 201,
                close: true
            }
        );
    }

    #[test]
    fn what_is_no_answer_is_malformed() {
        assert_eq!(read(b"SSH-2.0-OpenSSH\r\n"), Answer::Malformed);
        assert_eq!(
            read(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"),
            Answer::Malformed
        );
        assert_eq!(read(b"HTTP/1.1 200 OK\r\n\r\n"), Answer::Malformed);
    }
}
