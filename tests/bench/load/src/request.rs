//! The requests, and how often each kind of them is sent.

use std::{fmt, net::SocketAddr, str::FromStr};

use anyhow::{Context as _, bail};

use crate::users::User;

const TASKS: &str = "/api/v1/tasks";
const CREATE: &str = r#"{"title":"Buy milk and bread on the way home","description":"Two litres of milk, one loaf of rye bread, and ask about the opening hours on Sunday."}"#;
const PATCH: &str = r#"{"completed":true}"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Get,
    List,
    Create,
    Patch,
}

impl Operation {
    /// The status of a successful answer.
    pub fn success(self) -> u16 {
        match self {
            Self::Create => 201,
            Self::Get | Self::List | Self::Patch => 200,
        }
    }
}

impl FromStr for Operation {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Self> {
        Ok(match name {
            "get" => Self::Get,
            "list" => Self::List,
            "create" => Self::Create,
            "patch" => Self::Patch,
            _ => bail!("there is no operation {name:?}"),
        })
    }
}

/// Operations with their weights, such as `list=35,get=35,patch=20,create=10`.
#[derive(Debug, Clone)]
pub struct Mix(Vec<(Operation, u32)>);

impl Mix {
    pub fn pick(&self, random: &mut fastrand::Rng) -> Operation {
        let total: u32 = self.0.iter().map(|(_, weight)| weight).sum();
        let mut rest = random.u32(..total);
        for (operation, weight) in &self.0 {
            match rest.checked_sub(*weight) {
                Some(left) => rest = left,
                None => return *operation,
            }
        }
        unreachable!("the number is below the sum of the weights")
    }
}

impl FromStr for Mix {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts = text.split(',').map(|part| {
            let (name, weight) = part.split_once('=').context("want operation=weight,…")?;
            let weight = weight.parse().context("a weight must be a number")?;
            if weight == 0 {
                bail!("a weight must be at least 1");
            }
            Ok((name.parse()?, weight))
        });
        Ok(Self(parts.collect::<anyhow::Result<_>>()?))
    }
}

/// A request, as HTTP/1.1 writes it.
pub struct Request<'a> {
    pub server: SocketAddr,
    pub operation: Operation,
    pub user: &'a User,
    pub task_id: &'a str,
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.task_id;
        let body = match self.operation {
            Operation::Get => write!(f, "GET {TASKS}/{id}").map(|()| "")?,
            Operation::List => write!(f, "GET {TASKS}?limit=50").map(|()| "")?,
            Operation::Create => write!(f, "POST {TASKS}").map(|()| CREATE)?,
            Operation::Patch => write!(f, "PATCH {TASKS}/{id}").map(|()| PATCH)?,
        };
        write!(f, " HTTP/1.1\r\nHost: {}\r\n", self.server)?;
        write!(
            f,
            "Accept: application/json\r\nAuthorization: Bearer {}\r\n",
            self.user.token
        )?;
        if !body.is_empty() {
            write!(
                f,
                "Content-Type: application/json\r\nContent-Length: {}\r\n",
                body.len()
            )?;
        }
        write!(f, "\r\n{body}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Mix, Operation};

    #[test]
    fn a_mix_keeps_to_its_weights() {
        let mix: Mix = "list=3,get=1".parse().expect("a mix");
        let mut random = fastrand::Rng::with_seed(1);
        let lists = (0..4_000)
            .filter(|_| mix.pick(&mut random) == Operation::List)
            .count();
        assert!((2_900..3_100).contains(&lists), "{lists}");
    }

    #[test]
    fn a_mix_without_sense_is_refused() {
        for text in ["", "get", "get=x", "get=0", "fetch=1"] {
            text.parse::<Mix>().expect_err(text);
        }
    }
}
