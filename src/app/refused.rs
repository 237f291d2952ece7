//! Says what is wrong with a head that is no HTTP, or too large (`server/refusal.rs`).

use crate::{
    contract::{Problem, ProblemCode},
    server::Refused,
};

/// The problem of such a head. The server knows no more of it than this, so the answer repeats nothing.
pub(super) fn problem(refused: Refused) -> Problem {
    let detail = match refused {
        Refused::Method => {
            "The request does not begin with a method such as GET. Send HTTP/1.1 without TLS; for https, put a proxy in front \
             of this server."
        }
        Refused::Target => {
            "The address of the request has characters that must be percent-encoded: a quotation mark as %22, `<` as %3C, \
             `>` as %3E."
        }
        Refused::Version => {
            "The first line of the request must be a method, an address and HTTP/1.1, with one space between them; a space in \
             the address must be %20."
        }
        Refused::Header => {
            "A header of the request is malformed. Each must be one line with a name, a colon and a value, and without control \
             characters."
        }
        Refused::ContentLength => {
            "Content-Length must be the number of bytes of the body, and be sent once."
        }
        Refused::TransferEncoding => {
            "Transfer-Encoding must be `chunked`, and needs HTTP/1.1; or send Content-Length in its place."
        }
        Refused::Other => {
            "The request is not valid HTTP/1.1; send its first line and its headers as RFC 9112 says."
        }
        Refused::Crowded { small } => {
            let detail = format!(
                "Too many requests with large heads are under way. Send an address and headers of at most {small} bytes, which are \
                 always accepted, or retry in 1 s."
            );
            return Problem::new(ProblemCode::HeadTooLarge, detail).retry_after(1);
        }
        Refused::TooLarge {
            max_bytes,
            max_headers,
        } => {
            let detail = format!(
                "The request's address and headers must not be larger than {max_bytes} bytes or have more than {max_headers} \
                 headers. Usually it is the cookies that are too large; this server needs none."
            );
            return Problem::new(ProblemCode::HeadTooLarge, detail);
        }
    };
    Problem::new(ProblemCode::BadRequest, detail)
}
