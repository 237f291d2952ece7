//! `taskward healthcheck`, for container images that have no curl.

use std::{process::ExitCode, time::Duration};

use anyhow::bail;
use taskward::config::Config;

use super::doctor::{printable, text_of};

pub(super) async fn healthcheck(config: &Config) -> anyhow::Result<ExitCode> {
    let url = format!("{}/readyz", super::local_url(config));
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(5))
        .build()?;
    let Ok(answer) = client.get(&url).send().await else {
        bail!(
            "no answer from {url} within 5 s: is the server running, with the same HOST and PORT?"
        );
    };
    let is_ready = answer.status().is_success();
    let text = text_of(answer).await;
    let lines: Vec<String> = text.lines().map(printable).collect();
    super::print(&format!("{}\n", lines.join("\n")))?;
    Ok(if is_ready {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
