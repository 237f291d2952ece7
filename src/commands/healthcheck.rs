//! `taskward healthcheck`, for container images that have no curl.

use std::{process::ExitCode, time::Duration};

use anyhow::bail;
use taskward::config::Config;

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
    super::print(&format!("{}\n", answer.text().await?))?;
    Ok(if is_ready {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
