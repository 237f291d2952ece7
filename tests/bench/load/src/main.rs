//! Sends requests for tasks to a server and measures the answers; makes the tokens that they need.
//!
//! One thread and one request under way per connection. Each request is for a random user, with that user's
//! own token, and for a random task of that user.

mod connection;
mod request;
mod response;
mod run;
mod tally;
mod tokens;
mod users;

use clap::Parser as _;

#[derive(clap::Parser)]
enum Command {
    /// Makes a key set, and a token for each user
    Tokens(tokens::Arguments),
    /// Sends requests, and prints what came back as JSON
    Run(run::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Tokens(arguments) => tokens::make(&arguments),
        Command::Run(arguments) => run::run(&arguments),
    }
}
