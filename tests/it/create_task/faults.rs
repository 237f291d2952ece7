//! Bodies that are not valid tasks: each limit is tried from both sides.

use super::*;

on_both! {
    async fn all_faults_are_reported_at_once(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let body = json!({
            "title": 7,
            "description": ["a"],
            "completed": "yes",
            "priority": "urgent",
            "due_date": "tomorrow",
            "tags": ["a", "", "A", 1, "b\u{0}"],
            "subtasks": [],
            "a/b~c": null,
        });
        alice.post(TASKS, body).await.is(expect![[r#"
            422 Unprocessable Entity

            {
              "type": "urn:taskward:problem:validation_failed",
              "title": "Validation failed",
              "status": 422,
              "detail": "title must be a string of 1 to 500 characters, not a number; and 10 more faults (see `errors`).",
              "code": "validation_failed",
              "request_id": "[id]",
              "errors": [
                {
                  "pointer": "/title",
                  "detail": "must be a string of 1 to 500 characters, not a number"
                },
                {
                  "pointer": "/description",
                  "detail": "must be a string of at most 10000 characters, not an array"
                },
                {
                  "pointer": "/completed",
                  "detail": "must be true or false, not a string"
                },
                {
                  "pointer": "/priority",
                  "detail": "must be \"low\", \"medium\" or \"high\""
                },
                {
                  "pointer": "/due_date",
                  "detail": "must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z"
                },
                {
                  "pointer": "/tags/1",
                  "detail": "must not be empty"
                },
                {
                  "pointer": "/tags/2",
                  "detail": "is the same tag as \"a\", ignoring case"
                },
                {
                  "pointer": "/tags/3",
                  "detail": "must be a string of 1 to 50 characters, not a number"
                },
                {
                  "pointer": "/tags/4",
                  "detail": "must not contain line breaks or control characters (it has U+0000)"
                },
                {
                  "pointer": "/subtasks",
                  "detail": "is not a member of a new task"
                },
                {
                  "pointer": "/a~1b~0c",
                  "detail": "is not a member of a new task"
                }
              ]
            }"#]]);
        alice.post(TASKS, json!({})).await.is(expect![[r#"
            422 Unprocessable Entity

            {
              "type": "urn:taskward:problem:validation_failed",
              "title": "Validation failed",
              "status": 422,
              "detail": "title is required.",
              "code": "validation_failed",
              "request_id": "[id]",
              "errors": [
                {
                  "pointer": "/title",
                  "detail": "is required"
                }
              ]
            }"#]]);
        assert_eq!(alice.get(TASKS).await.items(), [json!(null); 0]);
    }

    async fn lengths_count_code_points(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for (member, most) in [("title", 500), ("description", 10_000)] {
            // One byte, two, three and four each; an emoji is two of JavaScript's characters.
            for letter in ["a", "ß", "€", "😀"] {
                let text = letter.repeat(most);
                assert_eq!(stored(&alice, member, text.as_str()).await, text);
                let fault = fault(&alice, member, letter.repeat(most + 1)).await;
                let expected = format!("/{member} must have at most {most} characters, has {}", most + 1);
                assert_eq!(fault, expected);
            }
        }
        let tag = "😀".repeat(50);
        assert_eq!(stored(&alice, "tags", json!([tag])).await, json!([tag]));
        let long = fault(&alice, "tags", json!(["a", "a".repeat(51)])).await;
        assert_eq!(long, "/tags/1 must have at most 50 characters, has 51");
    }

    async fn a_title_has_a_visible_character_and_one_line(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let mut faults = Vec::new();
        for title in ["", " ", "\u{a0}\u{2003}\u{3000}", "\u{feff}", "a\nb", "\t", "a\u{0}", "a\u{7f}", "a\u{85}",
            "a\u{2028}b", "a\u{2029}", "\u{200b}", "\u{ad}\u{200d}", "\u{3164}", "\u{115f}\u{1160}\u{ffa0}", "\u{2800}", "\u{fe0f}",
            "\u{e0041}\u{e007f}", "\u{2063} \u{202e}", "\u{1d173}", "\u{fffa}",
            "\u{fffc}", "\u{1d159}", "\u{13430}", "\u{378}"] {
            faults.push(format!("{title:?}: {}", fault(&alice, "title", title).await));
        }
        expect![[r#"
            "": /title must not be empty
            " ": /title must have at least one visible character
            "\u{a0}\u{2003}\u{3000}": /title must have at least one visible character
            "\u{feff}": /title must have at least one visible character
            "a\nb": /title must not contain line breaks or control characters (it has U+000A)
            "\t": /title must not contain line breaks or control characters (it has U+0009)
            "a\0": /title must not contain line breaks or control characters (it has U+0000)
            "a\u{7f}": /title must not contain line breaks or control characters (it has U+007F)
            "a\u{85}": /title must not contain line breaks or control characters (it has U+0085)
            "a\u{2028}b": /title must not contain line breaks or control characters (it has U+2028)
            "a\u{2029}": /title must not contain line breaks or control characters (it has U+2029)
            "\u{200b}": /title must have at least one visible character
            "\u{ad}\u{200d}": /title must have at least one visible character
            "ㅤ": /title must have at least one visible character
            "ᅟᅠﾠ": /title must have at least one visible character
            "⠀": /title must have at least one visible character
            "\u{fe0f}": /title must have at least one visible character
            "\u{e0041}\u{e007f}": /title must have at least one visible character
            "\u{2063} \u{202e}": /title must have at least one visible character
            "\u{1d173}": /title must have at least one visible character
            "\u{fffa}": /title must have at least one visible character
            "￼": /title must have at least one visible character
            "𝅙": /title must have at least one visible character
            "\u{13430}": /title must have at least one visible character
            "\u{378}": /title must have at least one visible character"#]].assert_eq(&faults.join("\n"));
        // The same for a tag.
        for (tag, words) in [("\u{200b}", "must have at least one visible character"), ("a\u{2028}b", "(it has U+2028)")] {
            let told = fault(&alice, "tags", json!([tag])).await;
            assert!(told.starts_with("/tags/0 ") && told.contains(words), "{told}");
        }
        // Invisible characters beside visible ones belong to the text: emoji, Persian, Hindi are written with them.
        for title in ["❤\u{fe0f}", "👩\u{200d}💻", "می\u{200c}خواهم", "\u{301}", "\u{600}", "\u{e000}"] {
            assert_eq!(stored(&alice, "title", title).await, title);
        }
        let made = alice.get("/api/v1/tasks?limit=100").await.items().len();
        assert_eq!(made, 6);
        let nul = fault(&alice, "description", "a\u{0}b").await;
        assert_eq!(nul, "/description must not contain U+0000");
        // Nothing of all this was stored.
        assert_eq!(alice.create("Buy milk").await.id, 7);
    }

    async fn values_of_another_type_are_refused_and_not_converted(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let wrong = [
            ("title", json!(true)),
            ("title", json!(["Buy milk"])),
            ("description", json!(0)),
            ("description", json!({})),
            ("completed", json!("true")),
            ("completed", json!(1)),
            ("priority", json!("High")),
            ("priority", json!(1)),
            ("due_date", json!(1_770_368_400)),
            ("tags", json!("shopping")),
            ("tags", json!({ "0": "shopping" })),
            ("tags", json!([null])),
            ("tags", json!([["shopping"]])),
            ("id", json!(7)),
            ("user_id", json!("bob")),
            ("version", json!(1)),
        ];
        let mut faults = Vec::new();
        for (member, value) in wrong {
            faults.push(fault(&alice, member, value).await);
        }
        expect![[r#"
            /title must be a string of 1 to 500 characters, not a boolean
            /title must be a string of 1 to 500 characters, not an array
            /description must be a string of at most 10000 characters, not a number
            /description must be a string of at most 10000 characters, not an object
            /completed must be true or false, not a string
            /completed must be true or false, not a number
            /priority must be "low", "medium" or "high"
            /priority must be "low", "medium" or "high", not a number
            /due_date must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z, not a number
            /tags must be an array of at most 20 strings, not a string
            /tags must be an array of at most 20 strings, not an object
            /tags/0 must be a string of 1 to 50 characters, not null
            /tags/0 must be a string of 1 to 50 characters, not an array
            /id is not a member of a new task
            /user_id is not a member of a new task
            /version is not a member of a new task"#]].assert_eq(&faults.join("\n"));
    }

    async fn a_task_has_at_most_twenty_different_tags(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let tags = |count: usize| (0..count).map(|n| json!(format!("tag {n}"))).collect::<Vec<_>>();
        assert_eq!(stored(&alice, "tags", tags(20)).await, json!(tags(20)));
        assert_eq!(fault(&alice, "tags", tags(21)).await, "/tags must have at most 20 tags, has 21");

        let same = [
            ["home", "HOME"],
            ["STRASSE", "straße"],
            ["ΣΑΣ", "σας"],
            ["é", "e\u{301}"],
            ["ﬁx", "FIX"],
            // Two marks on one letter, in the one order and in the other.
            ["\u{3b1}\u{345}\u{301}", "\u{1fb4}"],
        ];
        for pair in same {
            let fault = fault(&alice, "tags", json!(["first", pair[0], pair[1]])).await;
            let expected = format!("/tags/2 is the same tag as {}, ignoring case", json!(pair[0]));
            assert_eq!(fault, expected, "{pair:?}");
        }
        // White space and accents make a difference.
        for tags in [json!(["home", "home "]), json!(["resume", "résumé"]), json!(["i", "ı"])] {
            assert_eq!(stored(&alice, "tags", tags.clone()).await, tags);
        }
        for tag in ["", "  ", "a\nb", "\u{0}"] {
            let fault = fault(&alice, "tags", json!([tag])).await;
            assert!(fault.starts_with("/tags/0 must "), "{fault}");
        }
    }
}
