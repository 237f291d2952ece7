//! One measurement, in a closed loop or in an open one.
//!
//! - Closed loop: each connection sends its next request as soon as the answer is in.
//! - Open loop (`--rate`): requests fall due at a constant rate, whether or not the server keeps up. One that
//!   finds no free connection waits, and its latency counts from the moment it was due, so a server
//!   that stalls cannot hide it.

use std::{
    io::{ErrorKind, Write as _},
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use mio::{Events, Poll};

use crate::{
    connection::{Connection, Outcome},
    request::{Mix, Request},
    tally::Tally,
    users::{self, User},
};

/// How long an open loop waits for its last answers.
const DRAIN: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub struct Arguments {
    /// Address of the server
    #[arg(long)]
    server: SocketAddr,
    /// Tokens, one a line
    #[arg(long)]
    tokens: PathBuf,
    /// Number of the user, a tab, and the id of a task, one a line
    #[arg(long)]
    tasks: PathBuf,
    #[arg(long)]
    mix: Mix,
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    warm_up: f64,
    #[arg(long)]
    seconds: f64,
    /// Requests a second that fall due; 0: closed loop
    #[arg(long)]
    rate: f64,
    #[arg(long)]
    seed: u64,
}

struct Run<'a> {
    arguments: &'a Arguments,
    users: &'a [User],
    random: fastrand::Rng,
    poll: Poll,
    connections: Vec<Connection>,
    free: Vec<usize>,
    /// In an open loop: when the next request falls due, and the time between two.
    schedule: Option<(Instant, Duration)>,
    /// What counts lies between these.
    from: Instant,
    until: Instant,
    tally: Tally,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let users = users::read(&arguments.tokens, &arguments.tasks)?;
    let poll = Poll::new()?;
    let connections = (0..arguments.connections)
        .map(|number| Connection::open(arguments.server, poll.registry(), number))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let begin = Instant::now();
    let from = begin + Duration::from_secs_f64(arguments.warm_up);
    let rate = Some(arguments.rate).filter(|rate| *rate > 0.0);
    let mut run = Run {
        arguments,
        users: &users,
        random: fastrand::Rng::with_seed(arguments.seed),
        poll,
        free: (0..connections.len()).collect(),
        connections,
        schedule: rate.map(|rate| (begin, Duration::from_secs_f64(1.0 / rate))),
        from,
        until: from + Duration::from_secs_f64(arguments.seconds),
        tally: Tally::default(),
    };
    run.drive()?;
    println!("{}", run.finish());
    Ok(())
}

impl Run<'_> {
    fn drive(&mut self) -> anyhow::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut started = false;
        loop {
            let now = Instant::now();
            if !started && now >= self.from {
                // The harness reads the CPU time of server and database at the two marks.
                println!(r#"{{"mark":"start"}}"#);
                std::io::stdout().flush()?;
                started = true;
            }
            if self.is_over(now) {
                return Ok(());
            }
            self.send_due(now)?;
            match self.poll.poll(&mut events, Some(self.patience())) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                self.advance(event.token().0)?;
            }
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        let Some((next, _)) = self.schedule else {
            return now >= self.until;
        };
        let all_answered = next >= self.until && self.free.len() == self.connections.len();
        now >= self.until && all_answered || now >= self.until + DRAIN
    }

    /// How long to wait for the sockets: not past the next request that falls due.
    fn patience(&self) -> Duration {
        let longest = Duration::from_millis(5);
        match self.schedule {
            Some((next, _)) if next < self.until => next
                .saturating_duration_since(Instant::now())
                .clamp(Duration::from_millis(1), longest),
            _ => longest,
        }
    }

    /// Sends what is due, as long as there are free connections.
    fn send_due(&mut self, now: Instant) -> anyhow::Result<()> {
        while let Some(&number) = self.free.last() {
            let due = match &mut self.schedule {
                None if now < self.until => now,
                Some((next, step)) if *next <= now && *next < self.until => {
                    let due = *next;
                    *next += *step;
                    due
                }
                _ => break,
            };
            let user = &self.users[self.random.usize(..self.users.len())];
            let request = Request {
                server: self.arguments.server,
                operation: self.arguments.mix.pick(&mut self.random),
                user,
                task_id: &user.task_ids[self.random.usize(..user.task_ids.len())],
            };
            if self.connections[number].begin(&request, due).is_err() {
                self.tally.failed("write".to_owned());
                self.reopen(number)?;
            } else {
                self.free.pop();
            }
        }
        Ok(())
    }

    fn reopen(&mut self, number: usize) -> anyhow::Result<()> {
        let server = self.arguments.server;
        self.connections[number] = Connection::open(server, self.poll.registry(), number)?;
        Ok(())
    }

    fn advance(&mut self, number: usize) -> anyhow::Result<()> {
        let connection = &mut self.connections[number];
        let (outcome, ended) = connection.advance();
        if let Outcome::Waiting = outcome {
            return Ok(());
        }
        let due = connection.due.take();
        if ended {
            self.reopen(number)?;
        }
        // Without a request under way, only an idle connection has ended.
        let Some(due) = due else { return Ok(()) };
        let now = Instant::now();
        // Closed loop: what is answered in the window. Open loop: what falls due in it, whenever answered.
        let counts = match self.schedule {
            None => (self.from..self.until).contains(&now),
            Some(_) => due >= self.from,
        };
        match outcome {
            Outcome::Failed(why) if counts => self.tally.failed(why),
            Outcome::Answered if counts => self.tally.answered(now - due),
            _ => {}
        }
        self.free.push(number);
        self.send_due(now)
    }

    /// Counts what was never answered, and gives the figures.
    fn finish(mut self) -> serde_json::Value {
        let end = Instant::now();
        let half = Duration::from_secs_f64(self.arguments.seconds / 2.0);
        for due in self
            .connections
            .iter()
            .filter_map(|connection| connection.due)
        {
            match self.schedule {
                // Left out, a request that waits since half the window would flatter the percentiles.
                None if end - due > half => self.tally.stalled(end - due),
                None => {}
                Some(_) => self.tally.stalled(Duration::MAX),
            }
        }
        if let Some((mut next, step)) = self.schedule {
            while next < self.until {
                self.tally.stalled(Duration::MAX);
                next += step;
            }
        }
        self.tally.report(self.arguments.seconds)
    }
}
