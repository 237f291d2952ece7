//! The way from clients to the server: its port, and nginx in between.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use poem::{Route, endpoint::make_sync};
use taskward::server::{self, Limits};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
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
