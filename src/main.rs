//! The command line of Taskward.

fn main() {}
