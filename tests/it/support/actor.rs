//! Those who use the server. An actor does something and gets an [`Answer`].

use reqwest::{Method, RequestBuilder, header};
use serde_json::{Value, json};

use super::Answer;

/// A person or program with or without a token.
#[derive(Debug, Clone)]
pub struct Actor {
    base: String,
    client: reqwest::Client,
    token: Option<String>,
}

/// A task that was created.
#[derive(Debug, Clone)]
pub struct Created {
    pub id: i64,
    pub location: String,
    pub etag: String,
    pub task: Value,
}

impl Actor {
    pub(crate) fn new(base: &str, client: reqwest::Client, token: Option<&str>) -> Self {
        Self {
            base: base.to_owned(),
            client,
            token: token.map(str::to_owned),
        }
    }

    /// A request to be completed and given to [`send`](Self::send).
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        }
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::read(request.send().await.expect("an answer")).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn get_if_none_match(&self, path: &str, etag: &str) -> Answer {
        self.send(
            self.request(Method::GET, path)
                .header(header::IF_NONE_MATCH, etag),
        )
        .await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body))
            .await
    }

    /// Posts without a body.
    pub async fn post_nothing(&self, path: &str) -> Answer {
        self.send(self.request(Method::POST, path)).await
    }

    /// Creates a task with an Idempotency-Key.
    pub async fn post_with_key(&self, key: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, "/api/v1/tasks");
        self.send(request.header("idempotency-key", key).json(&body))
            .await
    }

    /// Posts a body exactly as given, with the content type of JSON.
    pub async fn post_raw(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(&body))
            .await
    }

    pub async fn patch_if_match(&self, path: &str, etag: &str, body: Value) -> Answer {
        self.send(
            self.request(Method::PATCH, path)
                .header(header::IF_MATCH, etag)
                .json(&body),
        )
        .await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub async fn delete_if_match(&self, path: &str, etag: &str) -> Answer {
        self.send(
            self.request(Method::DELETE, path)
                .header(header::IF_MATCH, etag),
        )
        .await
    }

    /// Creates a task of which only the title matters.
    pub async fn create(&self, title: &str) -> Created {
        self.create_with(json!({ "title": title })).await
    }

    /// Creates a task.
    pub async fn create_with(&self, body: Value) -> Created {
        let answer = self.post("/api/v1/tasks", body).await;
        assert_eq!(answer.status, 201, "{answer}");
        Created {
            id: answer.body["id"].as_i64().unwrap(),
            location: answer.header("location").to_owned(),
            etag: answer.header("etag").to_owned(),
            task: answer.body,
        }
    }

    /// The titles of a list, in its order.
    pub async fn titles(&self, query: &str) -> Vec<String> {
        let answer = self.get(&format!("/api/v1/tasks{query}")).await;
        assert_eq!(answer.status, 200, "{answer}");
        let items = answer.body["items"].as_array().unwrap();
        items
            .iter()
            .map(|task| task["title"].as_str().unwrap().to_owned())
            .collect()
    }
}
