//! The middle of an answer that is read while its client takes it.

use std::{fmt::Debug, io};

use crate::{
    access::Caller,
    store::{Read, StoreError},
};

/// Reads the next page of an answer that has begun: once the rate limit has room for the pages before, and when it is the
/// caller's turn. What this reads is read to its end, also if the client goes away before.
///
/// # Errors
/// If it cannot be read. There is no other status by then: the error cuts the connection, so that the client does not take the
/// answer for whole.
pub(super) async fn further_page<T: Send + 'static>(
    caller: &Caller<Read>,
    read: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> io::Result<T> {
    caller.paid().await;
    match caller.in_next_turn(read).await {
        Ok(Ok(page)) => Ok(page),
        Ok(Err(error)) => Err(cut(&error)),
        Err(no_turn) => Err(cut(&no_turn)),
    }
}

fn cut(reason: &dyn Debug) -> io::Error {
    tracing::warn!(?reason, "an answer was cut in the middle");
    io::Error::other("the tasks could not be read to their end")
}
