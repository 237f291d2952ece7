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
        let searches: [(&str, &[i64]); 15] = [
            ("straße", &[1]),
            ("STRASSE", &[1]),
            ("STRAẞE", &[1]),
            ("KEHREN", &[1]),
            ("οδυσσευς", &[2]),
            ("οδυσσευσ", &[2]),
            // However the accent is written.
            ("CAFÉ", &[3]),
            ("cafe\u{301}", &[3]),
            ("cafe", &[3]),
            ("ёлка", &[4]),
            ("FILE IT", &[5]),
            ("i\u{307}stanbul", &[6]),
            ("istanbul", &[6]),
            ("本", &[7]),
            ("nothing like it", &[]),
        ];
        for (text, expected) in searches {
            assert_eq!(found(&alice, text).await, expected, "{text}");
        }
    }

    async fn no_character_is_special_in_a_search(on: Backend) {
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
            ("100percent", &[]),
        ];
        for (text, expected) in searches {
            assert_eq!(found(&alice, text).await, expected, "{text}");
        }
    }

    /// What a keyboard, a phone's auto-correction or a copied text make different.
    async fn texts_that_look_the_same_are_found(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let titles = [
            "Call mum’s doctor",
            "Read “Dune” – again…",
            "Book\u{A0}the  flight",
            "Łódź trip",
            "Call שָׁלוֹם",
            "كِتَاب علي",
            "می\u{200C}خواهم",
            "Ｆｕｌｌ ｗｉｄｔｈ",
        ];
        for title in titles {
            alice.create(title).await;
        }
        let searches: [(&str, &[i64]); 22] = [
            ("mum's", &[1]),
            ("MUM‘S", &[1]),
            ("mum ", &[1]),
            (" mum", &[1]),
            ("mums", &[]),
            ("\"dune\" - again...", &[2]),
            ("«dune»", &[2]),
            ("book the flight", &[3]),
            ("the\u{3000}flight", &[3]),
            ("the flight\u{A0}", &[3]),
            ("lodz", &[4]),
            ("łÓdz", &[4]),
            ("שלום", &[5]),
            ("كتاب", &[6]),
            ("کتاب علی", &[6]),
            ("ميخواهم", &[7]),
            ("full width", &[8]),
            ("fu\u{200B}ll\u{AD}", &[8]),
            // Nothing to look for yet: all tasks.
            (" ", &[1, 2, 3, 4, 5, 6, 7, 8]),
            ("\u{A0}\t", &[1, 2, 3, 4, 5, 6, 7, 8]),
            ("\u{200B}\u{FEFF}\u{AD}", &[1, 2, 3, 4, 5, 6, 7, 8]),
            // A text whose search key is empty: no task.
            ("\u{301}", &[]),
        ];
        for (text, expected) in searches {
            assert_eq!(found(&alice, text).await, expected, "{text:?}");
        }
        // The text is stored as it was sent.
        let task = alice.get("/api/v1/tasks/7").await.body;
        assert_eq!(task["title"], titles[6]);
        // Tags are the same only if they differ in nothing but case.
        alice.create_with(json!({ "title": "Tags", "tags": ["café", "CAFE"] })).await;
        assert_eq!(listed(&alice, "?tag=CAF%C3%89").await, [9]);
        assert_eq!(listed(&alice, "?tag=caf%C3%A8").await, [0; 0]);
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
        // The end of the title and the beginning of the description do not make a word.
        assert_eq!(found(&alice, "buymilk").await, [0; 0]);
        // An empty text finds all tasks.
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
