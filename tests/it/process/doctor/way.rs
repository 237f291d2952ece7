//! The way from clients to the server: its port, and nginx in between.

use std::{
    fs,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use poem::{Route, endpoint::make_sync, http::StatusCode};
use serde_json::json;
use taskward::server::{self, Limits};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinSet, block_in_place},
};

use super::{super::eventually, Found, Home, free_port, is_installed};

const NGINX: &str = "/usr/sbin/nginx";
const HOST: &str = "proxy_set_header Host $http_host;";
const FORWARDED: &str = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;";

/// nginx in front of a port. Dropping it ends it.
struct Nginx {
    child: Child,
    folder: tempfile::TempDir,
}

impl Nginx {
    /// `location` is what stands in the configuration for the path `/`, but for the target.
    async fn start(port: u16, target: &str, location: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let version = match location.contains("proxy_http_version") {
            true => "",
            false => "proxy_http_version 1.1;",
        };
        let settings = format!(
            "daemon off; pid {path}/pid; error_log stderr crit; worker_processes 1;\nevents {{}}\nhttp {{\n\
             access_log off; client_body_temp_path {path}/1; proxy_temp_path {path}/2; fastcgi_temp_path {path}/3;\n\
             uwsgi_temp_path {path}/4; scgi_temp_path {path}/5;\n\
             server {{ listen 127.0.0.1:{port}; location / {{\n\
             proxy_pass {target}; {version} proxy_set_header Connection \"\"; {location}\n}} }} }}\n"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, settings).unwrap();
        let child = Command::new(NGINX)
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        eventually("nginx listens", || async {
            TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        Self { child, folder }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master process ends its workers, which a kill would leave behind.
        let pid = fs::read_to_string(self.folder.path().join("pid")).unwrap_or_default();
        Command::new("kill").arg(pid.trim()).status().ok();
        self.child.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_proxy_changes_is_told() {
    if !is_installed(NGINX) {
        return;
    }
    let (port, public) = (free_port().await, free_port().await);
    let home = Home::sqlite()
        .set("PORT", port.to_string())
        .set("PUBLIC_URL", format!("http://127.0.0.1:{public}"));
    let server = home.start().await;
    let target = format!("http://127.0.0.1:{port}");
    let good = format!("{HOST} {FORWARDED}");

    Found::by(&home, &[]).says("public_url.reaches", "problem", "nothing answers at");
    {
        let _nginx = Nginx::start(public, &target, &good).await;
        let found = Found::by(&home, &[]);
        found.is_good();
        for (check, words) in [
            ("public_url.reaches", "reaches this server"),
            ("public_url.host", "is passed on"),
            ("public_url.authorization", "is passed on"),
            ("public_url.client_address", "and is believed"),
            ("public_url.streams", "arrives at once"),
        ] {
            found.says(check, "ok", words);
        }
        let strangers = home.clone_with("TRUSTED_PROXIES", "10.0.0.0/8");
        drop(server);
        let server = strangers.start().await;
        Found::by(&strangers, &[]).says(
            "public_url.client_address",
            "warning",
            "set TRUSTED_PROXIES",
        );
        drop(server);
    }
    let server = home.start().await;
    let cases = [
        (
            FORWARDED.to_owned(),
            "public_url.host",
            "problem",
            "proxy_set_header Host",
        ),
        (
            format!("{good} proxy_set_header Authorization \"\";"),
            "public_url.authorization",
            "problem",
            "every request is 401",
        ),
        (
            HOST.to_owned(),
            "public_url.client_address",
            "problem",
            "each client can choose its address",
        ),
        (
            format!("{HOST} proxy_set_header X-Forwarded-For \"\";"),
            "public_url.client_address",
            "warning",
            "share one budget",
        ),
        (
            format!("{good} proxy_http_version 1.0; proxy_ignore_headers X-Accel-Buffering;"),
            "public_url.streams",
            "problem",
            "turn off its buffering",
        ),
        (
            format!("{good} return 302 https://login.example.com/;"),
            "public_url.reaches",
            "problem",
            "redirects to https://login.example.com/",
        ),
    ];
    for (location, check, status, words) in cases {
        let _nginx = Nginx::start(public, &target, &location).await;
        Found::by(&home, &[]).says(check, status, words);
    }

    // A path that the proxy should take off.
    let prefixed = home.clone_with("PUBLIC_URL", format!("http://127.0.0.1:{public}/todo"));
    let _nginx = Nginx::start(public, &target, &good).await;
    Found::by(&prefixed, &[]).says("public_url.reaches", "problem", "takes /todo off the path");

    // Another server's process behind the same name.
    let elsewhere = Home::sqlite().set("PORT", free_port().await.to_string());
    let elsewhere = elsewhere.set("PUBLIC_URL", home.setting("PUBLIC_URL"));
    let other = elsewhere.start().await;
    Found::by(&elsewhere, &[]).says(
        "public_url.reaches",
        "warning",
        "not the process on this machine",
    );
    drop((server, other));
    Found::by(&home, &[]).says("public_url.reaches", "skipped", "it answers 502");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_others_have_is_a_problem() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let home = Home::sqlite().set("PORT", port.to_string());
    let mut serving = JoinSet::new();
    serving.spawn(server::serve(
        listener,
        Route::new().at("/", make_sync(|_| "hello")),
        Limits::default(),
        std::future::pending(),
    ));
    Found::by(&home, &[]).says("server.port", "problem", "another program listens at");
    serving.shutdown().await;

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let home = home.set("PORT", silent.local_addr().unwrap().port().to_string());
    Found::by(&home, &[]).says("server.port", "problem", "does not answer");
    drop(silent);

    let home = home.set("HOST", "192.0.2.1").set(
        "AUTH_HS256_SECRET",
        "q2mZ0v8pQG1dYx7sT4kW9bN6rJ3hL5cF8uA1eO0iXy=",
    );
    let (status, detail) = {
        let found = Found::by(&home, &[]);
        let (status, detail) = found.check("server.port");
        (status.to_owned(), detail.to_owned())
    };
    // Where nothing can be reached at all, the connection is refused by the network instead.
    assert_eq!(status, "problem", "{detail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_ready_is_a_problem() {
    let home = Home::sqlite()
        .set("AUTO_MIGRATE", "off")
        .set("PORT", free_port().await.to_string());
    let _server = home.start().await;
    Found::by(&home, &[]).says("server.ready", "problem", "migrations are pending");
}

/// Two processes behind one address, of which the proxy takes the other one first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_load_balancer_this_server_is_waited_for() {
    if !is_installed(NGINX) {
        return;
    }
    let public = free_port().await;
    let url = format!("http://127.0.0.1:{public}");
    let mut homes = Vec::new();
    let mut servers = Vec::new();
    for _ in 0..2 {
        let home = Home::sqlite()
            .set("PORT", free_port().await.to_string())
            .set("PUBLIC_URL", &url);
        servers.push(home.start().await);
        homes.push(home);
    }
    // nginx takes the names of one upstream in turn.
    let [other, this] = [0, 1].map(|which: usize| servers[which].port);
    let turn = format!(
        "http://both; }} }} upstream both {{ server 127.0.0.1:{other}; server 127.0.0.1:{this}; }} \
         server {{ listen 127.0.0.1:{}; location / {{ proxy_pass http://both",
        free_port().await
    );
    let _nginx = Nginx::start(public, &turn, &format!("{HOST} {FORWARDED}")).await;
    for home in &homes {
        Found::by(home, &[]).says("public_url.reaches", "ok", "reaches this server");
    }
}

/// An address that others read on the way, whether or not anything answers there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_url_without_tls_is_a_warning() {
    let home = Home::sqlite().set("PORT", free_port().await.to_string());
    for (url, status, words) in [
        ("http://tasks.invalid", "warning", "set PUBLIC_URL to https"),
        ("https://tasks.invalid", "ok", "encrypted"),
        ("http://localhost:1", "ok", "on this machine"),
    ] {
        let home = home.clone_with("PUBLIC_URL", url);
        Found::by(&home, &[]).says("public_url.tls", status, words);
    }
}

/// A proxy of the environment is for what is elsewhere: the server on this machine is asked directly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_of_the_environment_is_not_between_the_server_and_its_checks() {
    let nowhere = "http://127.0.0.1:1";
    let home = Home::sqlite()
        .set("PORT", free_port().await.to_string())
        .set("HTTP_PROXY", nowhere)
        .set("http_proxy", nowhere);
    let _server = home.start().await;
    Found::by(&home, &[]).says("server.ready", "ok", "is ready");
    assert!(
        block_in_place(|| home.run(&["healthcheck"]))
            .good()
            .contains("ok")
    );
}

/// A program at the port of the server says what it likes. None of it steers the terminal of the operator.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_program_says_is_shown_harmlessly() {
    let seen = |service: &str| json!({ "service": service, "instance": "i", "host": null, "authorization": true, "peer_is_trusted": true, "noted": "nothing" });
    for (service, check, words) in [
        ("taskward", "server.ready", r"not ready\u{1b}[2J\u{a}server"),
        ("another", "server.port", "another program listens at"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, not_ready) = (
            seen(service).to_string(),
            json!({ "detail": "not ready\u{1b}[2J\nserver" }).to_string(),
        );
        let said = "not ready\u{1b}[2J\nserver is ready";
        let asked = Arc::new(AtomicBool::new(false));
        let raw = asked.clone();
        let readyz = make_sync(move |_| {
            let text = match raw.load(Relaxed) {
                true => said.to_owned(),
                false => not_ready.clone(),
            };
            poem::Response::builder()
                .status(StatusCode::SERVICE_UNAVAILABLE)
                .body(text)
        });
        let routes = Route::new()
            .at("/.well-known/taskward", make_sync(move |_| seen.clone()))
            .at("/readyz", readyz);
        let mut serving = JoinSet::new();
        serving.spawn(server::serve(
            listener,
            routes,
            Limits::default(),
            std::future::pending(),
        ));
        let home = Home::sqlite().set("PORT", port.to_string());
        Found::by(&home, &[]).says(check, "problem", words);
        // The check of the container prints the answer line by line, and is as bad as the answer.
        asked.store(true, Relaxed);
        let checked = block_in_place(|| home.run(&["healthcheck"]));
        assert_eq!(
            (checked.code, &*checked.out),
            (Some(1), "not ready\\u{1b}[2J\nserver is ready\n")
        );
    }
}
