//! What is counted of a stream.

use std::sync::Arc;

use crate::{
    contract::EndReason,
    telemetry::{StreamEnd, StreamInstruments},
};

/// Counts a stream that is open, until it is dropped.
pub(super) struct CountedStream {
    instruments: Arc<StreamInstruments>,
    /// Why it ends, if it does not end because the client goes away.
    end: StreamEnd,
}

impl CountedStream {
    pub(super) fn begin(instruments: &Arc<StreamInstruments>) -> Self {
        instruments.active.increment();
        Self {
            instruments: instruments.clone(),
            end: StreamEnd::HungUp,
        }
    }

    /// A page of changes is sent.
    pub(super) fn event(&self) {
        self.instruments.events.increment();
    }

    /// It ends for this reason.
    pub(super) fn end(&mut self, reason: EndReason) {
        self.end = match reason {
            EndReason::TokenExpired => StreamEnd::TokenExpired,
            EndReason::Shutdown => StreamEnd::Shutdown,
            EndReason::SlowReader => StreamEnd::SlowReader,
            EndReason::TokenRevoked => StreamEnd::TokenRevoked,
            EndReason::ResyncRequired => StreamEnd::ResyncRequired,
            EndReason::InternalError => StreamEnd::InternalError,
        };
    }
}

impl Drop for CountedStream {
    fn drop(&mut self) {
        self.instruments.active.decrement();
        self.instruments.ended.of(self.end).increment();
    }
}
