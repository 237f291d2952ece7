use poem::{
    Body, RequestParts,
    http::{self, header},
    test::TestClient,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;

fn client() -> TestClient<impl Endpoint> {
    TestClient::new(Route::new().nest("/docs", docs()))
}

/// As the server calls it: poem's test client leaves the original address out.
async fn get(path: &str) -> Response {
    let (parts, ()) = http::Request::get(path)
        .body(())
        .expect("a request")
        .into_parts();
    let peers = (
        LocalAddr::default(),
        RemoteAddr::default(),
        http::uri::Scheme::HTTP,
    );
    let parts = RequestParts::from((parts, peers.0, peers.1, peers.2));
    let request = Request::from_parts(parts, Body::empty());
    Route::new()
        .nest("/docs", docs())
        .get_response(request)
        .await
}

#[tokio::test]
async fn the_page_has_one_address() {
    let answer = get("/docs").await;
    assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(answer.header(LOCATION), Some("docs/"));
    let answer = get("/docs/").await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.content_type(), Some(HTML));
    assert_eq!(answer.header(CONTENT_SECURITY_POLICY), Some(POLICY));
    assert_eq!(get("/docs/other").await.status(), StatusCode::NOT_FOUND);
}

/// A strict policy stops inline code silently: the page would just stay empty.
#[tokio::test]
async fn the_page_names_files_that_are_served_and_holds_no_code() {
    let client = client();
    let page = client
        .get("/docs/")
        .send()
        .await
        .0
        .into_body()
        .into_string()
        .await;
    let page = page.expect("text");
    assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" on"));
    let own = [
        "<script src=\"",
        "<img src=\"",
        "<link rel=\"icon\" href=\"",
        "<link rel=\"stylesheet\" href=\"",
    ];
    let mut files = 0;
    for mark in own {
        for rest in page.split(mark).skip(1) {
            let file = rest.split('"').next().expect("a closing quote");
            let answer = client.get(format!("/docs/{file}")).send().await;
            answer.assert_status_is_ok();
            answer.assert_header("x-content-type-options", "nosniff");
            let kept = answer.0.header(header::CACHE_CONTROL) != Some("no-cache");
            assert_eq!(kept, file.starts_with(VERSION), "{file}");
            files += 1;
        }
    }
    assert_eq!(files, 6);
    assert_eq!(
        page.matches("<script").count(),
        page.matches("<script src").count()
    );
}

#[tokio::test]
async fn the_bundle_is_swagger_ui_in_both_forms() {
    let client = client();
    let address = format!("/docs/{VERSION}/swagger-ui-bundle.js");
    let plain = client
        .get(&address)
        .send()
        .await
        .0
        .into_body()
        .into_vec()
        .await;
    let request = client
        .get(&address)
        .header(header::ACCEPT_ENCODING, "br, gzip");
    let zipped = request.send().await.0.into_body().into_vec().await;
    assert!(
        plain
            .expect("a body")
            .starts_with(b"/*! For license information please see")
    );
    assert!(zipped.expect("a body").starts_with(&[0x1f, 0x8b]));
}

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = crate::server::serve(
        listener,
        document(|| "{}".repeat(100), "application/json"),
        crate::server::Limits::default(),
        std::future::pending(),
    );
    tokio::spawn(serving);
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = b"HEAD / HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(
        answer.contains("content-length: 200\r\n") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
}
