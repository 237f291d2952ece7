//! `q`: a text in the title or the description, whatever its case.

use super::*;

/// The ids of what a text finds.
async fn found(actor: &Actor, text: &str) -> Vec<i64> {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("q", text)
        .finish();
    listed(actor, &format!("?sort=created_at&{query}")).await
}

on_both! {
    async fn case_does_not_matter_in_any_language(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for title in ["Straße kehren", "ΟΔΥΣΣΕΥΣ", "Cafe\u{301}", "Ёлка", "ﬁle it", "İstanbul", "日本語"] {
            alice.create(title).await;
        }
        let searches: [(&str, &[i64]); 14] = [
            ("straße", &[1]),
            ("STRASSE", &[1]),
            ("STRAẞE", &[1]),
            ("KEHREN", &[1]),
            ("οδυσσευς", &[2]),
            ("οδυσσευσ", &[2]),
            // However the accent is written.
            ("CAFÉ", &[3]),
            ("cafe\u{301}", &[3]),
            ("cafe", &[]),
            ("ёлка", &[4]),
            ("FILE IT", &[5]),
            ("i\u{307}stanbul", &[6]),
            ("本", &[7]),
            ("nothing like it", &[]),
        ];
        for (text, expected) in searches {
            assert_eq!(found(&alice, text).await, expected, "{text}");
        }
    }

    async fn nothing_in_a_text_is_special(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let titles = [
            "100 % sure", "100 percent", "snake_case", "snakeXcase", r"C:\temp", "C:/temp", "it's", "a+b c&d=e#f", "*?[a-z]",
        ];
        for title in titles {
            alice.create(title).await;
        }
        let searches: [(&str, &[i64]); 15] = [
            ("%", &[1]),
            ("0 %", &[1]),
            ("100%", &[]),
            ("_", &[3]),
            ("e_c", &[3]),
            (r"\", &[5]),
            (r"\t", &[5]),
            (r"\%", &[]),
            ("'", &[7]),
            ("' OR '1'='1", &[]),
            ("a+b", &[8]),
            ("c&d=e#f", &[8]),
            ("*", &[9]),
            ("[a-z]", &[9]),
            // Spaces count.
            ("100  percent", &[]),
        ];
        for (text, expected) in searches {
            assert_eq!(found(&alice, text).await, expected, "{text}");
        }
    }

    async fn the_description_is_searched_as_well(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create_with(json!({ "title": "Buy", "description": "Milk,\nBREAD" })).await;
        alice.create_with(json!({ "title": "Milk the cow", "description": null })).await;
        let long = format!("{}needle", "x".repeat(8186));
        alice.create_with(json!({ "title": "Long", "description": long })).await;
        assert_eq!(found(&alice, "milk").await, [1, 2]);
        assert_eq!(found(&alice, "bread").await, [1]);
        assert_eq!(found(&alice, "milk,\nbread").await, [1]);
        assert_eq!(found(&alice, "NEEDLE").await, [3]);
        // The end of the one and the beginning of the other make no word.
        assert_eq!(found(&alice, "buymilk").await, [0; 0]);
        // Looking for nothing finds everything.
        assert_eq!(found(&alice, "").await, [1, 2, 3]);
        assert_eq!(found(&alice, &"x".repeat(200)).await, [3]);

        // What has changed is found by what it says now.
        alice.patch("/api/v1/tasks/1", json!({ "description": "Käse" })).await.has(200);
        alice.patch("/api/v1/tasks/2", json!({ "title": "Feed the cow" })).await.has(200);
        assert_eq!(found(&alice, "KÄSE").await, [1]);
        assert_eq!(found(&alice, "milk").await, [0; 0]);
        alice.patch("/api/v1/tasks/1", json!({ "description": null })).await.has(200);
        assert_eq!(found(&alice, "käse").await, [0; 0]);
    }
}
