use poem::{
    http::HeaderValue,
    test::{TestClient, TestResponse},
};

use super::*;

fn client() -> TestClient<Fixed> {
    TestClient::new(Fixed::new(
        || "some text ".repeat(50),
        "text/plain; charset=utf-8",
    ))
}

fn header(answer: &TestResponse, name: HeaderName) -> String {
    let value = answer.0.headers().get(name).expect("the header is there");
    value.to_str().expect("it is text").to_owned()
}

#[test]
fn gzip_is_sent_only_to_clients_that_prefer_it() {
    let cases = [
        (None, false),
        (Some("gzip"), true),
        (Some("GZip;Q=0.5"), true),
        (Some("br, deflate"), false),
        (Some("gzip;q=0"), false),
        (Some("gzip; q=0.000, *"), false),
        (Some("*"), true),
        (Some("*;q=0"), false),
        (Some("identity, gzip;q=0.5"), false),
        (Some("identity;q=0.5, gzip"), true),
        (Some("gzip;q=high"), false),
        (Some("deflate, gzip;q=1.0, *;q=0.5"), true),
        (Some(""), false),
    ];
    for (value, expected) in cases {
        let mut headers = HeaderMap::new();
        if let Some(value) = value {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
        }
        assert_eq!(prefers_gzip(&headers), expected, "{value:?}");
    }
}

#[tokio::test]
async fn both_forms_hold_the_same_text_under_different_tags() {
    let client = client();
    let plain = client.get("/").send().await;
    let zipped = client.get("/").header(ACCEPT_ENCODING, "gzip").send().await;
    assert_eq!(header(&zipped, CONTENT_ENCODING), "gzip");
    assert!(!plain.0.headers().contains_key(CONTENT_ENCODING));
    for answer in [&plain, &zipped] {
        answer.assert_header(CONTENT_TYPE, "text/plain; charset=utf-8");
        answer.assert_header(VARY, "accept-encoding");
        answer.assert_header(X_CONTENT_TYPE_OPTIONS, "nosniff");
        answer.assert_header(CACHE_CONTROL, "no-cache");
    }
    assert_ne!(header(&plain, ETAG), header(&zipped, ETAG));
    let zipped = zipped.0.into_body().into_vec().await.expect("a body");
    let mut unzipped = String::new();
    GzDecoder::new(&*zipped)
        .read_to_string(&mut unzipped)
        .expect("gzip");
    plain.assert_text(unzipped).await;
}

#[tokio::test]
async fn a_known_tag_is_304_without_a_body() {
    let client = client();
    for coding in ["gzip", "identity"] {
        let first = client.get("/").header(ACCEPT_ENCODING, coding).send().await;
        let tag = header(&first, ETAG);
        for known in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"x\", {tag}"),
            "*".to_owned(),
        ] {
            let request = client.get("/").header(ACCEPT_ENCODING, coding);
            let again = request.header(IF_NONE_MATCH, known).send().await;
            again.assert_status(StatusCode::NOT_MODIFIED);
            assert_eq!(header(&again, ETAG), tag);
            again.assert_text("").await;
        }
        let other = if coding == "gzip" { "identity" } else { "gzip" };
        let request = client.get("/").header(ACCEPT_ENCODING, other);
        request
            .header(IF_NONE_MATCH, tag)
            .send()
            .await
            .assert_status_is_ok();
    }
}

#[tokio::test]
async fn only_reading_is_allowed() {
    client().head("/").send().await.assert_status_is_ok();
    let request = Request::builder().method(Method::POST).finish();
    let error = Fixed::new(String::new, "text/plain")
        .call(request)
        .await
        .expect_err("refused");
    assert_eq!(error.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        error.data::<AllowHeader>().expect("what is allowed").0,
        "GET, HEAD"
    );
}

#[tokio::test]
async fn what_is_not_gzip_fails() {
    let request = Request::builder().method(Method::GET).finish();
    let broken = Fixed::compressed(b"not gzip", "text/plain");
    let error = broken.call(request).await.expect_err("it fails");
    assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
