//! No bytes make the verifier panic: not as a header, not as a token, and not when well signed.

use std::sync::LazyLock;

use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::support::{SECRET, Server, Signer, by_secret};
use crate::auth::{bearer::bearer, jwk};

pub(super) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
pub(super) static SERVER: LazyLock<Server> =
    LazyLock::new(|| RUNTIME.block_on(async { Server::trusting(vec![by_secret()]) }));

/// JSON-like values of claims, the nasty ones included.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        any::<f64>().prop_map(|number| format!("{number:e}")),
        any::<i64>().prop_map(|number| number.to_string()),
        Just("1e400".to_owned()),
        Just("-0.0".to_owned()),
        any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        Just(r#"["a",1]"#.to_owned()),
        Just("{}".to_owned()),
    ]
}

proptest! {
    #[test]
    fn by_any_header(bytes: Vec<u8>) {
        let _ = bearer(Some(&bytes));
    }

    #[test]
    fn by_any_header_of_a_bearer(bytes: Vec<u8>) {
        let header = [b"Bearer ", &bytes[..]].concat();
        if let Ok(token) = bearer(Some(&header)) {
            prop_assert!(token.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    #[test]
    fn by_any_text(text: String) {
        prop_assert!(RUNTIME.block_on(SERVER.verify(&text)).is_err());
    }

    #[test]
    fn by_anything_in_the_shape_of_a_token(text in "[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_=-]{0,40}){1,5}") {
        prop_assert!(RUNTIME.block_on(SERVER.verify(&text)).is_err());
    }

    #[test]
    fn by_any_header_and_payload(header: Vec<u8>, payload: Vec<u8>) {
        let header = String::from_utf8_lossy(&header).into_owned();
        let token = Signer::shared(SECRET.as_bytes()).sign_text(&header, &payload);
        prop_assert!(RUNTIME.block_on(SERVER.verify(&token)).is_err());
    }

    #[test]
    fn by_any_claims_well_signed(exp in value(), nbf in value(), sub in value(), aud in value(), session in value()) {
        let payload = format!(r#"{{"exp":{exp},"nbf":{nbf},"sub":{sub},"aud":{aud},"session":{session}}}"#);
        let token = Signer::shared(SECRET.as_bytes()).sign_text(r#"{"alg":"HS256"}"#, payload.as_bytes());
        let _ = RUNTIME.block_on(SERVER.verify(&token));
    }

    #[test]
    fn by_any_key_set(x: Vec<u8>, kty in "OKP|EC|RSA|oct|.", crv in "Ed25519|P-256|.") {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let x = URL_SAFE_NO_PAD.encode(x);
        let entry = serde_json::json!({"kty": kty, "crv": crv, "x": x, "y": x, "n": x, "e": x});
        let _ = jwk::read_set(serde_json::json!({"keys": [entry]}).to_string().as_bytes());
    }
}
