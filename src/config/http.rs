//! What is served over HTTP, to whom and how often.

use std::{net::IpAddr, num::NonZeroU32};

use ipnet::IpNet;
use url::Url;

use super::{
    Source, mcp,
    origin::origin,
    setting::settings,
    value::{either, flag, list, must_be, optional},
};
use crate::{
    access::{AccessLimits, AllowedOrigin, RateLimit, TrustedProxies},
    api::ListShape,
    app::HttpSettings,
    auth::{AuthSettings, Resource},
};

settings! { "Web";
    /// origins whose pages may call this server, by comma; one `*` in a first label, as in
    /// https://*.preview.example.com, stands for letters, digits and hyphens
    CORS_ALLOWED_ORIGINS: Option<Vec<AllowedOrigin>> = "" ("http://localhost:3000 in development mode, else none"),
        |text| optional(text, |text| list(text).enumerate().map(origin).collect());

    /// requests per second that each user may send, or `off`
    RATE_LIMIT: Option<RateLimit> = "50/s", |text| rate(text, 2);

    /// tokens per second that are not accepted, from one address, or `off`; 20 times as many at once
    AUTH_FAILURES_PER_ADDRESS: Option<RateLimit> = "50/s", |text| rate(text, 20);

    /// proxies whose X-Forwarded-For or Forwarded says where a request comes from: addresses or networks, by comma
    TRUSTED_PROXIES: TrustedProxies = "127.0.0.0/8,::1/128", proxies;

    /// lists on /api/{user_id}/tasks: `array`, or `tasks` for {tasks, total}
    OWNER_PATHS_LIST: ListShape = "array",
        |text| either(text, ("array", ListShape::Array), ("tasks", ListShape::Tasks));

    /// serve Swagger UI at /docs/
    DOCS_ENABLED: bool = "on", flag;
}

/// The origin of a front end in development, which nobody needs to set.
const DEVELOPMENT_ORIGIN: &str = "http://localhost:3000";

pub(super) fn read(
    source: &mut Source,
    is_development: bool,
    public_url: Option<Url>,
    auth: &AuthSettings,
) -> HttpSettings {
    let development_origins = || match is_development {
        true => vec![AllowedOrigin::Exact(DEVELOPMENT_ORIGIN.to_owned())],
        false => Vec::new(),
    };
    HttpSettings {
        allowed_origins: source
            .get(&CORS_ALLOWED_ORIGINS)
            .unwrap_or_else(development_origins),
        docs: source.get(&DOCS_ENABLED),
        owner_list: source.get(&OWNER_PATHS_LIST),
        limits: AccessLimits {
            rate_limit: source.get(&RATE_LIMIT),
            failures: source.get(&AUTH_FAILURES_PER_ADDRESS),
            proxies: source.get(&TRUSTED_PROXIES),
        },
        resource: public_url
            .as_ref()
            .and_then(|url| Resource::new(url, &auth.issuers)),
        public_url,
        mcp: mcp::read(source),
    }
}

/// `off`, or a rate; after a pause, so many times as many may come at once.
fn rate(text: &str, times: u32) -> Result<Option<RateLimit>, String> {
    if text == "off" {
        return Ok(None);
    }
    let rate = text.strip_suffix("/s").and_then(|rate| rate.parse().ok());
    let per_second: NonZeroU32 =
        rate.ok_or_else(|| must_be(text, "`off`, or requests per second like `50/s`"))?;
    let burst = NonZeroU32::new(times).map_or(per_second, |times| per_second.saturating_mul(times));
    Ok(Some(RateLimit { per_second, burst }))
}

fn proxies(text: &str) -> Result<TrustedProxies, String> {
    let networks = list(text).map(|entry| {
        let address = || entry.parse::<IpAddr>().map(IpNet::from);
        entry.parse().or_else(|_| address()).map_err(|_| {
            must_be(
                entry,
                "an IP address, or a network like 10.0.0.0/8, in each entry",
            )
        })
    });
    networks.collect::<Result<_, _>>().map(TrustedProxies)
}
