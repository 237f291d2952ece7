//! Parameters that cannot be used: a misspelt filter must not list everything.

use super::*;

/// What is wrong with a query: one fault.
async fn fault(actor: &Actor, query: &str) -> String {
    let answer = actor
        .get(&format!("{TASKS}?{query}"))
        .await
        .fails(400, "invalid_parameters");
    let [fault] = &answer.faults()[..] else {
        panic!("{query}: {answer}")
    };
    fault.clone()
}

on_both! {
    async fn all_faults_are_reported_at_once(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let query = "completed=maybe&priority=urgent&tag=&due_before=tomorrow&due_after=2026-02-30&q=%00\
                     &sort=id&limit=0&cursor=a!b&colour=red&LIMIT=5";
        alice.get(&format!("{TASKS}?{query}")).await.is(expect![[r#"
            400 Bad Request

            {
              "type": "urn:taskward:problem:invalid_parameters",
              "title": "Invalid parameters",
              "status": 400,
              "detail": "completed must be true or false; and 10 more faults (see `errors`).",
              "code": "invalid_parameters",
              "request_id": "[id]",
              "errors": [
                {
                  "parameter": "completed",
                  "detail": "must be true or false"
                },
                {
                  "parameter": "priority",
                  "detail": "must be \"low\", \"medium\" or \"high\""
                },
                {
                  "parameter": "tag",
                  "detail": "must not be empty"
                },
                {
                  "parameter": "due_before",
                  "detail": "must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z"
                },
                {
                  "parameter": "due_after",
                  "detail": "must be a date that exists, like 2026-02-06"
                },
                {
                  "parameter": "q",
                  "detail": "must not contain U+0000"
                },
                {
                  "parameter": "sort",
                  "detail": "must be created_at, updated_at, due_date, priority or title, with a `-` before it to turn it round"
                },
                {
                  "parameter": "limit",
                  "detail": "must be an integer from 1 to 100"
                },
                {
                  "parameter": "cursor",
                  "detail": "must be a cursor as it came"
                },
                {
                  "parameter": "colour",
                  "detail": "is not a parameter of this operation, which has: completed, priority, tag, due, due_before, due_after, time_zone, q, sort, limit, cursor"
                },
                {
                  "parameter": "LIMIT",
                  "detail": "is not a parameter of this operation, which has: completed, priority, tag, due, due_before, due_after, time_zone, q, sort, limit, cursor"
                }
              ]
            }"#]]);
    }

    async fn parameters_are_read_strictly(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let bad = [
            "completed=True",
            "completed=1",
            "completed=",
            "completed",
            "priority=HIGH",
            "priority=high,low",
            "sort=+title",
            "sort=title,created_at",
            "sort=-",
            "limit=101",
            "limit=-1",
            "limit=%2B5",
            "limit=5.0",
            "limit=5%20",
            "limit=٥",
            "limit=99999999999999999999",
            "due_before=2026-02-29",
            // An offset whose plus was not encoded, so that it is a space.
            "due_before=2026-02-06T09:00:00+01:00",
            "due_before=2026-02-06T09:00+01:00",
            "due_before=2026-02-06T09:00:00%20+0100",
            "due_before=2026-02-06T09:00:00%2B0100",
            "due_before=2026-02-06T09:00-05:00",
            "due_before=2026-02-06T09:00",
            "due=tomorrow",
            "time_zone=Berlin",
            "time_zone=europe/berlin",
            "time_zone=%2B01:00",
            "time_zone=Etc/GMT+5",
            "time_zone=",
            "due_after=",
            "tag=a%0Ab",
            "tag=%20",
            "offset=5",
            "Completed=true",
            "q[]=milk",
            "=milk",
        ];
        let mut faults = Vec::new();
        for query in bad {
            faults.push(format!("{query:<45}{}", fault(&alice, query).await));
        }
        expect![[r#"
            completed=True                               completed must be true or false
            completed=1                                  completed must be true or false
            completed=                                   completed must be true or false
            completed                                    completed must be true or false
            priority=HIGH                                priority must be "low", "medium" or "high"
            priority=high,low                            priority must be "low", "medium" or "high"
            sort=+title                                  sort must be created_at, updated_at, due_date, priority or title, with a `-` before it to turn it round
            sort=title,created_at                        sort must be created_at, updated_at, due_date, priority or title, with a `-` before it to turn it round
            sort=-                                       sort must be created_at, updated_at, due_date, priority or title, with a `-` before it to turn it round
            limit=101                                    limit must be an integer from 1 to 100
            limit=-1                                     limit must be an integer from 1 to 100
            limit=%2B5                                   limit must be an integer from 1 to 100
            limit=5.0                                    limit must be an integer from 1 to 100
            limit=5%20                                   limit must be an integer from 1 to 100
            limit=٥                                      limit must be an integer from 1 to 100
            limit=99999999999999999999                   limit must be an integer from 1 to 100
            due_before=2026-02-29                        due_before must be a date that exists, like 2026-02-06
            due_before=2026-02-06T09:00:00+01:00         due_before has a `+`, which stands for a space in a query string; write %2B instead
            due_before=2026-02-06T09:00+01:00            due_before has a `+`, which stands for a space in a query string; write %2B instead; and it must be written as in RFC 3339: 2026-02-06T09:00:00+01:00
            due_before=2026-02-06T09:00:00%20+0100       due_before must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            due_before=2026-02-06T09:00:00%2B0100        due_before must be written as in RFC 3339: 2026-02-06T09:00:00+01:00
            due_before=2026-02-06T09:00-05:00            due_before must be written as in RFC 3339: 2026-02-06T09:00:00-05:00
            due_before=2026-02-06T09:00                  due_before must end with its offset from UTC: 2026-02-06T09:00:00Z if it is in UTC, else one like +01:00
            due=tomorrow                                 due must be none (no due date) or any (some due date)
            time_zone=Berlin                             time_zone must be the name of a time zone in the IANA database, like Europe/Berlin or UTC
            time_zone=europe/berlin                      time_zone must be the name of a time zone in the IANA database, like Europe/Berlin or UTC
            time_zone=%2B01:00                           time_zone must be the name of a time zone in the IANA database, like Europe/Berlin or UTC
            time_zone=Etc/GMT+5                          time_zone has a `+`, which stands for a space in a query string; write %2B instead
            time_zone=                                   time_zone must be the name of a time zone in the IANA database, like Europe/Berlin or UTC
            due_after=                                   due_after must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            tag=a%0Ab                                    tag must not contain line breaks or control characters (it has U+000A)
            tag=%20                                      tag must have at least one visible character
            offset=5                                     offset is not a parameter of this operation, which has: completed, priority, tag, due, due_before, due_after, time_zone, q, sort, limit, cursor
            Completed=true                               Completed is not a parameter of this operation, which has: completed, priority, tag, due, due_before, due_after, time_zone, q, sort, limit, cursor
            q[]=milk                                     q[] is not a parameter of this operation, which has: completed, priority, tag, due, due_before, due_after, time_zone, q, sort, limit, cursor
            =milk                                        a parameter has no name; this operation has: completed, priority, tag, due, due_before, due_after, time_zone, q, sort, limit, cursor"#]].assert_eq(&faults.join("\n"));
        let long = fault(&alice, &format!("q={}", "a".repeat(201))).await;
        assert_eq!(long, "q must have at most 200 characters, has 201");
    }

    async fn a_parameter_is_given_once(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for (query, name) in [
            ("limit=1&limit=1", "limit"),
            ("tag=a&tag=b", "tag"),
            ("q=&q=milk", "q"),
            ("l%69mit=1&limit=2", "limit"),
            ("sort=title&cursor=AAAA&sort=title", "sort"),
        ] {
            assert_eq!(fault(&alice, query).await, format!("{name} must not be given more than once"));
        }
        let unknown = alice.get(&format!("{TASKS}?a=1&b=2&a=3")).await.fails(400, "invalid_parameters");
        assert_eq!(unknown.faults().len(), 3);
    }

    async fn queries_are_percent_encoded_utf_8(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("100 %zz").await;
        for query in ["q=%FF", "q=caf%E9", "tag=%C3", "q=%ED%A0%80", "limit=%80"] {
            let name = query.split('=').next().unwrap();
            assert_eq!(fault(&alice, query).await, format!("{name} must be percent-encoded UTF-8"), "{query}");
        }
        fault(&alice, "%FF=1").await;
        // A text that only looks like an encoding is taken literally.
        assert_eq!(listed(&alice, "?q=%").await, [1]);
        assert_eq!(listed(&alice, "?q=%zz").await, [1]);
        assert_eq!(listed(&alice, "?").await, [1]);
        assert_eq!(listed(&alice, "?&&limit=1&").await, [1]);
    }
}
