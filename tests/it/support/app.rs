//! A whole server in this process: the real endpoint behind the real accept loop on a loopback port.

use std::{path::PathBuf, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey, pkcs8::DecodePrivateKey};
use serde_json::Value;
use taskward::{
    access::{AccessLimits, AllowedOrigin, RateLimit, TrustedProxies},
    api::{ListShape, Stopping},
    app::{HttpSettings, app},
    auth::{AuthSettings, DevIssuer, Verifier},
    clock::Clock,
    mcp::McpSettings,
    server::{self, Limits},
    store::{Database, DatabaseSettings, UserLimits},
    telemetry::Registry,
};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::{
    Actor,
    postgres::{TestDatabase, postgres},
};

/// Which database a story runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// What a story may want otherwise.
#[derive(Debug, Clone)]
pub struct Settings {
    pub limits: UserLimits,
    pub tombstone_retention: Duration,
    pub owner_list: ListShape,
    pub rate_limit: Option<RateLimit>,
    pub failures: Option<RateLimit>,
    pub proxies: TrustedProxies,
    pub max_connections: u32,
    /// Whether it connects past the pooler of `TEST_DATABASE_POOLER`.
    pub without_pooler: bool,
    pub page_cache_bytes: u64,
    pub allowed_origins: Vec<AllowedOrigin>,
    pub public_url: Option<&'static str>,
    pub mcp: McpSettings,
    pub clock: Clock,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: UserLimits {
                tasks: 10_000,
                bytes: Some(64 << 20),
            },
            tombstone_retention: Duration::from_secs(30 * 24 * 60 * 60),
            owner_list: ListShape::Array,
            rate_limit: None,
            failures: None,
            proxies: TrustedProxies::default(),
            max_connections: 4,
            without_pooler: false,
            page_cache_bytes: 1024 * 1024,
            allowed_origins: vec![AllowedOrigin::Exact("http://localhost:3000".to_owned())],
            public_url: None,
            mcp: McpSettings::default(),
            clock: Clock::System,
        }
    }
}

/// A server, and the issuer that it trusts. All of it goes when this is dropped.
pub struct TestApp {
    pub base: String,
    pub database_url: String,
    pub issuer: DevIssuer,
    /// What the server counts.
    pub registry: Registry,
    client: reqwest::Client,
    _stop: oneshot::Sender<()>,
    folder: TempDir,
    _database: Option<TestDatabase>,
}

impl Backend {
    /// A server with the usual settings.
    pub async fn app(self) -> TestApp {
        self.app_with(|_| {}).await
    }

    /// A server with other settings.
    pub async fn app_with(self, change: impl FnOnce(&mut Settings)) -> TestApp {
        let mut settings = Settings::default();
        change(&mut settings);
        let folder = tempfile::tempdir().unwrap();
        let (url, database) = match self {
            Self::Sqlite => {
                let file = folder.path().join("taskward.db");
                (format!("sqlite://{}?mode=rwc", file.display()), None)
            }
            Self::Postgres => {
                let mut database = postgres().unwrap().fresh_database().await;
                if settings.without_pooler {
                    database = database.without_pooler();
                }
                (database.url(), Some(database))
            }
        };
        TestApp::start(settings, url, folder, database).await
    }
}

impl TestApp {
    /// Another server over the same database, which trusts the same issuer.
    pub async fn another(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(self.key_file(), key(&folder)).unwrap();
        Self::start(settings, self.database_url.clone(), folder, None).await
    }

    async fn start(
        settings: Settings,
        url: String,
        folder: TempDir,
        test_database: Option<TestDatabase>,
    ) -> Self {
        let database = DatabaseSettings {
            url: url.clone(),
            url_setting: "DATABASE_URL",
            max_connections: settings.max_connections,
            page_cache_bytes: settings.page_cache_bytes,
            acquire_timeout: Duration::from_secs(10),
            limits: settings.limits,
            tombstone_retention: settings.tombstone_retention,
        };
        let database = Database::connect(&database, &settings.clock).await.unwrap();
        database.migrate_up().await.unwrap();
        let issuer = DevIssuer::open(&key(&folder)).unwrap();
        let trust = AuthSettings {
            issuers: Vec::new(),
            jwks_ttl: Duration::from_secs(300),
            jwks_cooldown: Duration::from_secs(10),
            jwks_max_stale: Duration::from_secs(86_400),
            leeway: Duration::from_secs(30),
            require_scope: false,
            max_token_age: None,
        };
        let verifier = Verifier::new(&trust, Some(issuer.clone()), &settings.clock).unwrap();
        let http = HttpSettings {
            allowed_origins: settings.allowed_origins,
            docs: true,
            owner_list: settings.owner_list,
            limits: AccessLimits {
                rate_limit: settings.rate_limit,
                failures: settings.failures,
                proxies: settings.proxies,
            },
            public_url: settings.public_url.map(|url| url.parse().unwrap()),
            mcp: settings.mcp,
            resource: None,
        };
        let registry = Registry::default();
        let endpoint = app(database, verifier, Stopping::default(), &http, &registry);
        let listener = server::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let limits = Limits {
            drain: Duration::from_millis(100),
            ..Limits::default()
        };
        tokio::spawn(async move {
            let _ = server::serve(listener, endpoint, limits, async {
                let _ = stopped.await;
            })
            .await;
        });
        Self {
            base,
            database_url: url,
            issuer,
            registry,
            client: client(),
            _stop: stop,
            folder,
            _database: test_database,
        }
    }

    /// The database of the server, as the operator has it.
    pub async fn operator(&self, clock: Clock) -> Database {
        let settings = DatabaseSettings {
            url: self.database_url.clone(),
            url_setting: "DATABASE_URL",
            max_connections: 2,
            page_cache_bytes: 0,
            acquire_timeout: Duration::from_secs(10),
            limits: Settings::default().limits,
            tombstone_retention: Duration::from_secs(60),
        };
        Database::connect(&settings, &clock).await.unwrap()
    }

    /// Where the key of the issuer is.
    pub fn key_file(&self) -> PathBuf {
        key(&self.folder)
    }

    /// Somebody without a token.
    pub fn anon(&self) -> Actor {
        Actor::new(&self.base, self.client.clone(), None)
    }

    /// Somebody with a good token that allows everything.
    pub fn user(&self, name: &str) -> Actor {
        self.with_token(&self.token(name))
    }

    /// Somebody with a good token for these scopes.
    pub fn user_with_scope(&self, name: &str, scope: &str) -> Actor {
        let token = self
            .issuer
            .mint(name, Some(scope), Duration::from_secs(600))
            .unwrap();
        self.with_token(&token)
    }

    /// Somebody with this token, whatever it is.
    pub fn with_token(&self, token: &str) -> Actor {
        Actor::new(&self.base, self.client.clone(), Some(token))
    }

    /// A good token.
    pub fn token(&self, name: &str) -> String {
        self.issuer
            .mint(name, None, Duration::from_secs(600))
            .unwrap()
    }

    /// A token of the trusted issuer that says just this, be it good or not.
    pub fn sign(&self, claims: &Value) -> String {
        let pem = std::fs::read_to_string(key(&self.folder)).unwrap();
        let key = SigningKey::from_pkcs8_pem(&pem).unwrap();
        let minted = self.token("anybody");
        let header = minted.split('.').next().unwrap();
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = key.sign(signed.as_bytes()).to_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The two of most stories.
    pub fn two_users(&self) -> (Actor, Actor) {
        (self.user("alice"), self.user("bob"))
    }
}

fn key(folder: &TempDir) -> PathBuf {
    folder.path().join("key.pem")
}

/// A client that follows nothing and decodes nothing: the tests look at what was sent.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(60))
        .no_proxy()
        .build()
        .unwrap()
}
