//! How many values a JSON text has, counted before any of them is built: in memory each takes many times its text.

/// The most values of a body. A batch of 100 operations, each with 20 tags, has some 3,000.
const MAX_VALUES: usize = 10_000;

/// Why a text has too many values; `None` if it has not. It need not be valid JSON.
pub(crate) fn too_many_values(text: &[u8]) -> Option<String> {
    let (mut values, mut in_text, mut is_escaped) = (0, false, false);
    for byte in text {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            // Each value but the first comes after one of these.
            b',' | b'[' | b'{' | b':' if !in_text => values += 1,
            _ => {}
        }
    }
    (values > MAX_VALUES)
        .then(|| format!("must not have more than {MAX_VALUES} values, has {values}"))
}

#[cfg(test)]
mod tests {
    use super::{MAX_VALUES, too_many_values};

    #[test]
    fn values_are_counted_and_texts_are_not() {
        let many = |value: &str| format!("[{}0]", format!("{value},").repeat(MAX_VALUES));
        for bomb in [
            many("0"),
            many("[]"),
            many(r#"{"a":0}"#),
            "[".repeat(MAX_VALUES + 1),
        ] {
            assert!(too_many_values(bomb.as_bytes()).is_some());
        }
        let text = format!(r#"{{"title":"{}"}}"#, r#",[{:\"\\"#.repeat(MAX_VALUES));
        assert_eq!(too_many_values(text.as_bytes()), None);
        let batch = vec![
            serde_json::json!({ "op": "create", "task": { "title": "x", "tags": vec!["t"; 20] } });
            100
        ];
        let batch = serde_json::json!({ "operations": batch }).to_string();
        assert_eq!(too_many_values(batch.as_bytes()), None);
    }
}
