//! All instruments, each declared once. docs/observability.md says of each what to do about it; a test compares the two.
//!
//! Names, units and bounds are those of OpenTelemetry's semantic conventions where it has any, otherwise they begin with
//! `taskward.`. No label has a user, a path, a token or a text in it, and the values of each are known when the server starts.

use super::{
    declare::{instruments, labels},
    http::Durations,
    instrument::{Age, By, Counter, Gauge, Histogram, Named, Observed, Scale, UpDownCounter},
    process::{CpuTime, Memory, OpenFiles, Uptime},
};

labels! {
    /// What HTTP calls the method of a request.
    Method = "http.request.method" {
        /// CONNECT.
        Connect = "CONNECT",
        /// DELETE.
        Delete = "DELETE",
        /// GET.
        Get = "GET",
        /// HEAD.
        Head = "HEAD",
        /// OPTIONS.
        Options = "OPTIONS",
        /// PATCH.
        Patch = "PATCH",
        /// POST.
        Post = "POST",
        /// PUT.
        Put = "PUT",
        /// TRACE.
        Trace = "TRACE",
        /// None that HTTP knows, by OpenTelemetry's name for it.
        Other = "_OTHER",
    }

    /// What a user or an address has too much of.
    Budget = "taskward.budget" {
        /// Requests of a user (`RATE_LIMIT`).
        UserRate = "user_rate",
        /// Tokens of an address that are not accepted (`AUTH_FAILURES_PER_ADDRESS`).
        AddressRate = "address_rate",
        /// Requests, or bytes of answers, of a user that are under way at once.
        InFlight = "in_flight",
        /// Event streams of a user.
        Streams = "streams",
    }

    /// Why an event stream ended.
    StreamEnd = "taskward.stream.end" {
        /// The token has expired.
        TokenExpired = "token_expired",
        /// The server stops.
        Shutdown = "shutdown",
        /// The client did not take what was sent.
        SlowReader = "slow_reader",
        /// The token was revoked.
        TokenRevoked = "token_revoked",
        /// What was deleted since is no longer known.
        ResyncRequired = "resync_required",
        /// The server failed.
        InternalError = "internal_error",
        /// The client went away.
        HungUp = "hung_up",
    }

    /// What was done to a task.
    Written = "taskward.task.operation" {
        /// It was created.
        Created = "create",
        /// It was changed.
        Updated = "update",
        /// It was deleted.
        Deleted = "delete",
        /// It was restored.
        Restored = "restore",
    }

    /// Statements of one kind, which go together. OpenTelemetry's name for a class of statements.
    StatementKind = "db.query.summary" {
        /// Tasks by their ids.
        Tasks = "tasks",
        /// The revisions of users.
        Revisions = "revisions",
        /// First pages of lists.
        FirstPages = "first pages",
        /// All other reads.
        OtherReads = "other reads",
        /// Reads that never take long, beside those of tasks.
        ShortReads = "short reads",
        /// Writes.
        Writes = "writes",
        /// Tombstones that are removed.
        Purges = "purges",
        /// All of a user, which is erased.
        Erasures = "erasures",
    }

    /// Why a statement failed.
    StatementFault = "error.type" {
        /// It did not.
        None = "",
        /// No answer in time.
        Timeout = "timeout",
        /// Another transaction held a lock. It is sent again.
        Locked = "locked",
        /// The connection broke, or none was to be had.
        Unavailable = "unavailable",
        /// The database refused it.
        Refused = "refused",
    }

    /// Where a page of a list came from.
    PageOrigin = "taskward.page.origin" {
        /// From memory, unchanged.
        Memory = "memory",
        /// From memory, with what has changed since.
        Renewed = "renewed",
        /// From the database.
        Database = "database",
    }

    /// How something went.
    Outcome = "taskward.outcome" {
        /// Well.
        Success = "success",
        /// It failed.
        Failure = "failure",
    }

    /// How a call of a tool went.
    ToolFault = "error.type" {
        /// Well.
        None = "",
        /// Nothing was done; the answer says why.
        ToolError = "tool_error",
    }

    /// What became of a span.
    SpanFate = "taskward.span.fate" {
        /// The collector has it.
        Exported = "exported",
        /// It was dropped, because too many waited.
        QueueFull = "queue_full",
        /// It was dropped, because the collector refused it.
        Refused = "refused",
        /// It was dropped at the stop, because the collector did not answer.
        Shutdown = "shutdown",
    }

    /// What is exported.
    Signal = "taskward.signal" {
        /// Spans.
        Traces = "traces",
        /// Numbers.
        Metrics = "metrics",
    }
}

/// Declares a scale that records nanoseconds and publishes seconds.
macro_rules! seconds {
    ($($(#[doc = $about:literal])+ $scale:ident: $($millis:literal)+;)+) => {$(
        $(#[doc = $about])+
        #[derive(Debug)]
        pub enum $scale {}

        impl Scale for $scale {
            const BOUNDS: &'static [u64] = &[$($millis * 1_000_000),+];

            fn published(nanos: u64) -> f64 {
                std::time::Duration::from_nanos(nanos).as_secs_f64()
            }
        }
    )+};
}

seconds! {
    /// OpenTelemetry's bounds for requests, in milliseconds.
    RequestSeconds: 5 10 25 50 75 100 250 500 750 1_000 2_500 5_000 7_500 10_000;
    /// OpenTelemetry's bounds for statements.
    StatementSeconds: 1 5 10 50 100 500 1_000 5_000 10_000;
    /// OpenTelemetry's bounds for calls of MCP.
    ToolSeconds: 10 20 50 100 200 500 1_000 2_000 5_000 10_000 30_000 60_000 120_000 300_000;
}

/// How many elements there are in a group.
#[derive(Debug)]
pub enum GroupSizes {}

impl Scale for GroupSizes {
    const BOUNDS: &'static [u64] = &[1, 2, 4, 8, 16, 32, 64, 128];

    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
    fn published(size: u64) -> f64 {
        size as f64
    }
}

instruments! {
    /// What is counted of each request.
    HttpInstruments {
        /// Time from the head of a request to the head of its answer, by route, method and status.
        duration: Durations = "http.server.request.duration", "s";
        /// Requests whose answer has not begun.
        active: By<Method, UpDownCounter> = "http.server.active_requests", "{request}";
    }

    /// What became of requests.
    AnswerInstruments {
        /// Problems that were answered, by their code.
        problems: Named<Counter> = "taskward.problems", "{problem}";
        /// Refusals that were held back, since their address sends more than others without a user.
        delayed: Counter = "taskward.requests.delayed", "{request}";
        /// Requests whose client went away before the answer began.
        abandoned: Counter = "taskward.requests.abandoned", "{request}";
    }

    /// What budgets refuse.
    #[derive(Default)]
    BudgetInstruments {
        /// Requests, streams and calls of tools that were refused (429) because a budget was spent.
        refusals: By<Budget, Counter> = "taskward.budget.refusals", "{refusal}";
    }

    /// Event streams.
    #[derive(Default)]
    StreamInstruments {
        /// Event streams that are open.
        active: UpDownCounter = "taskward.streams.active", "{stream}";
        /// Pages of changes that were sent in event streams.
        events: Counter = "taskward.streams.events", "{event}";
        /// Event streams that ended, by reason.
        ended: By<StreamEnd, Counter> = "taskward.streams.ended", "{stream}";
    }

    /// Calls of tools over MCP.
    ToolInstruments {
        /// Time that a call of a tool took, by tool and result.
        duration: Named<By<ToolFault, Histogram<ToolSeconds>>> = "mcp.server.operation.duration", "s";
    }

    /// Writes to tasks.
    #[derive(Default)]
    TaskInstruments {
        /// Tasks that were written and committed.
        written: By<Written, Counter> = "taskward.tasks.written", "{task}";
    }

    /// How statements run.
    #[derive(Default)]
    StoreInstruments {
        /// Time that a statement took; on SQLite with the time that it waited for a connection or for the writes before it.
        duration: By<StatementKind, By<StatementFault, Histogram<StatementSeconds>>> = "db.client.operation.duration", "s";
        /// What waits to be sent to the database.
        waiting: By<StatementKind, Gauge> = "taskward.store.waiting", "{element}";
        /// Time that an element waited to be sent.
        wait: By<StatementKind, Histogram<StatementSeconds>> = "taskward.store.wait.duration", "s";
        /// Elements that were sent together in one statement, or on SQLite committed in one transaction.
        groups: By<StatementKind, Histogram<GroupSizes>> = "taskward.store.group.size", "{element}";
        /// Elements whose time was over before their answer came.
        deadlines: By<StatementKind, Counter> = "taskward.store.deadlines", "{element}";
        /// Connections to the database that are open.
        connections: UpDownCounter = "taskward.store.connections", "{connection}";
        /// Whether the database is away: 1 while it was looked for in vain.
        away: Gauge = "taskward.store.away", "{database}";
        /// How often the database was found to be away.
        outages: Counter = "taskward.store.outages", "{outage}";
        /// Pages of lists that were served, by where they came from.
        pages: By<PageOrigin, Counter> = "taskward.pages.served", "{page}";
        /// Bytes of pages that are kept in memory.
        page_memory: Gauge = "taskward.pages.memory", "By";
    }

    /// The key set of an issuer.
    #[derive(Default)]
    KeySetInstruments {
        /// Time since the key set was last fetched.
        age: Age = "taskward.key_set.age", "s";
        /// Keys that can be used.
        keys: Gauge = "taskward.key_set.keys", "{key}";
        /// Fetches of the key set, by how they went.
        fetches: By<Outcome, Counter> = "taskward.key_set.fetches", "{fetch}";
    }

    /// The log.
    LogInstruments {
        /// Lines of the log that were dropped, because nobody read them.
        dropped: Observed = "taskward.log.dropped_lines", "{line}";
    }

    /// What is sent to a collector.
    #[derive(Default)]
    ExportInstruments {
        /// Messages to the collector, by what they have in them and how they went.
        exports: By<Signal, By<Outcome, Counter>> = "taskward.telemetry.exports", "{message}";
        /// Spans that ended, by what became of them.
        spans: By<SpanFate, Counter> = "taskward.telemetry.spans", "{span}";
    }

    /// The process.
    #[derive(Default)]
    ProcessInstruments {
        /// Time since the process started.
        uptime: Uptime = "process.uptime", "s";
        /// CPU time that the process has used.
        cpu: CpuTime = "process.cpu.time", "s";
        /// Memory of the process that is in RAM.
        memory: Memory = "process.memory.usage", "By";
        /// Files, sockets included, that the process has open.
        files: OpenFiles = "process.unix.file_descriptor.count", "{file_descriptor}";
    }
}
