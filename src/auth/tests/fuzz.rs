//! Tokens and key sets that are almost good.

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{
    never_panics::{RUNTIME, SERVER},
    support::{SECRET, Signer},
};
use crate::{
    auth::{bearer::bearer, jwk},
    fuzz::{assert_own_words, fuzz},
};

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT","kid":"k"}"#;
/// Good until the year 2096.
const CLAIMS: [&str; 3] = [
    r#"{"sub":"alice","iat":1700000000,"exp":4000000000}"#,
    r#"{"sub":"a","exp":4e9,"nbf":0,"scope":"tasks:read tasks:write","aud":["a","b"],"iss":"https://a.example"}"#,
    r#"{"sub":"b","exp":4000000000.5,"scp":["tasks:read"],"email":"b@example.com","user":{"id":1}}"#,
];

fn signer() -> Signer {
    Signer::shared(SECRET.as_bytes())
}

#[test]
fn fuzz_the_characters_of_a_token() {
    let token = signer().sign_text(HEADER, CLAIMS[0].as_bytes());
    let good = format!("Bearer {token}");
    fuzz("token", &[&good], |header| {
        let verified = bearer(Some(header)).map(|token| RUNTIME.block_on(SERVER.verify(token)));
        match verified {
            Ok(Ok(_)) => assert_eq!(
                bearer(Some(header)).unwrap(),
                token,
                "only what was signed is accepted"
            ),
            Ok(Err(fault)) | Err(fault) => assert_own_words(&fault.to_string()),
        }
    });
}

#[test]
fn fuzz_the_claims_of_a_signed_token() {
    fuzz("claims", &CLAIMS, |payload| {
        let token = signer().sign_text(HEADER, payload);
        match RUNTIME.block_on(SERVER.verify(&token)) {
            Ok(identity) => {
                let text = std::str::from_utf8(payload).expect("what is accepted is UTF-8");
                let _: IgnoredAny = serde_json::from_str(text).expect("what is accepted is JSON");
                // Half a surrogate pair is JSON, and no text: a member that has one can only be skipped.
                let Ok(claims) = serde_json::from_str::<Value>(text) else {
                    return;
                };
                assert_eq!(claims["sub"], identity.subject.as_str());
                assert!(claims["exp"].as_f64().unwrap() > 1.7e9, "{claims}");
                let says = |name: &str| claims.get(name).is_some_and(|claim| !claim.is_null());
                if says("scope") || says("scp") {
                    let claimed = format!("{}{}", claims["scope"], claims["scp"]);
                    for scope in identity.scopes.names() {
                        assert!(claimed.contains(scope), "{scope} is not in {claimed}");
                    }
                }
            }
            Err(fault) => assert_own_words(&fault.to_string()),
        }
    });
}

#[test]
fn fuzz_the_header_of_a_signed_token() {
    let more = r#"{"typ":"at+jwt","alg":"HS256","crit":["exp"],"b64":false,"jwk":{},"x5u":"https://a.example"}"#;
    fuzz("token-header", &[HEADER, more], |header| {
        let Ok(text) = std::str::from_utf8(header) else {
            return;
        };
        let token = signer().sign_text(text, CLAIMS[0].as_bytes());
        match RUNTIME.block_on(SERVER.verify(&token)) {
            Ok(_) => {
                let Ok(header) = serde_json::from_str::<Value>(text) else {
                    return;
                };
                assert_eq!(header["alg"], "HS256");
                assert!(
                    header.get("crit").is_none() && header.get("b64").is_none(),
                    "{header}"
                );
            }
            Err(fault) => assert_own_words(&fault.to_string()),
        }
    });
}

#[test]
fn fuzz_key_sets() {
    let good = [
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"EdDSA"}]}"#,
        r#"{"keys":[{"kty":"EC","crv":"P-256","use":"sig","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#,
        r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","key_ops":["verify"]},{"kty":"oct","k":"AA"}]}"#,
    ];
    fuzz("key-set", &good, |body| {
        let judged = match jwk::judge_set(body) {
            Ok(judged) => judged,
            Err(why) => {
                // For the log of the operator, who is told the place of a fault.
                assert!(!format!("{why:#}").is_empty());
                return;
            }
        };
        assert!(judged.len() <= 64);
        let set: Value = serde_json::from_slice(body).expect("what is read is JSON");
        for (key, entry) in judged.iter().zip(set["keys"].as_array().unwrap()) {
            match key {
                Ok(key) => {
                    assert!(
                        ["OKP", "EC", "RSA"].contains(&entry["kty"].as_str().unwrap()),
                        "{entry}"
                    );
                    assert!(entry.get("d").is_none_or(Value::is_null), "{entry}");
                    assert!(!key.algs.is_empty());
                }
                Err(why) => assert_own_words(&format!("{why:#}")),
            }
        }
    });
}

#[test]
fn a_payload_that_is_not_utf8_is_refused() {
    let claims = [
        CLAIMS[0].trim_end_matches('}').as_bytes(),
        b",\"email\":\"\x80\"}",
    ]
    .concat();
    let token = signer().sign_text(HEADER, &claims);
    let fault = RUNTIME.block_on(SERVER.verify(&token)).unwrap_err();
    assert!(
        fault.to_string().contains("the payload is not UTF-8"),
        "{fault}"
    );
}
