//! Due dates: a day stays a day, and a time is an instant.

use super::*;

on_both! {
    async fn a_date_stays_a_date(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for date in ["2026-02-06", "2024-02-29", "2000-02-29", "1969-12-31", "0001-01-01", "9999-12-31"] {
            assert_eq!(stored(&alice, "due_date", date).await, date);
        }
    }

    async fn a_time_comes_back_as_the_same_instant_in_utc(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let times = [
            ("2026-02-06T09:00:00Z", "2026-02-06T09:00:00Z"),
            // A midnight is a time and not a date.
            ("2026-02-06T00:00:00Z", "2026-02-06T00:00:00Z"),
            ("2026-02-06T09:00:00+05:45", "2026-02-06T03:15:00Z"),
            ("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"),
            ("2026-12-31T23:30:00-08:00", "2027-01-01T07:30:00Z"),
            ("2026-02-06T09:00:00-00:00", "2026-02-06T09:00:00Z"),
            ("2026-02-06t09:00:00z", "2026-02-06T09:00:00Z"),
            // Fractions, with as many digits as they need.
            ("2026-02-06T09:00:00.000000Z", "2026-02-06T09:00:00Z"),
            ("2026-02-06T09:00:00.1Z", "2026-02-06T09:00:00.100Z"),
            ("2026-02-06T09:00:00.123456Z", "2026-02-06T09:00:00.123456Z"),
            ("2026-02-06T09:00:00.123456000Z", "2026-02-06T09:00:00.123456Z"),
            ("2026-02-06T09:00:00.1234560000000Z", "2026-02-06T09:00:00.123456Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
            ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
        ];
        for (sent, expected) in times {
            assert_eq!(stored(&alice, "due_date", sent).await, expected, "{sent}");
        }
    }

    async fn an_invalid_due_date_is_refused(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let wrong = [
            "",
            "today",
            // Days that do not exist.
            "2026-02-29",
            "1900-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "2026-02-00",
            // Other ways to write one.
            "2026-2-6",
            "06.02.2026",
            "20260206",
            "2026-W06-5",
            "2026-02",
            " 2026-02-06",
            "２０２６-02-06",
            "2026-02-06T09:00Z",
            "2026-02-06 09:00:00Z",
            "2026-02-06T09:00:00",
            "2026-02-06T09:00:00.5",
            "2026-02-06T09:00:00 Z",
            "2026-02-06T09:00:00+01",
            "2026-02-06T09:00:00+0100",
            "2026-02-06T09:00:00[Europe/Berlin]",
            "2026-02-06T09:00:00.Z",
            "2026-02-06T09:00:00,5Z",
            // Times that do not exist, or not here.
            "2026-02-06T24:00:00Z",
            "2026-02-06T09:60:00Z",
            "2026-02-06T09:00:61Z",
            "2026-02-06T09:00:00+24:00",
            "2016-12-31T23:59:60Z",
            "2026-02-06T09:00:00.1234567Z",
            "2026-02-06T09:00:00.0000000001Z",
            // Outside the years 1 to 9999.
            "0000-12-31",
            "0001-01-01T00:30:00+01:00",
            "9999-12-31T23:30:00-01:00",
            "+275760-09-13T00:00:00Z",
            "275760-09-13",
            "-000001-01-01",
        ];
        let mut faults = Vec::new();
        for text in wrong {
            let fault = fault(&alice, "due_date", text).await;
            faults.push(format!("{:<37}{}", format!("{text:?}"), fault.strip_prefix("/due_date ").unwrap()));
        }
        expect![[r#"
            ""                                   must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            "today"                              must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            "2026-02-29"                         must be a date that exists, like 2026-02-06
            "1900-02-29"                         must be a date that exists, like 2026-02-06
            "2026-04-31"                         must be a date that exists, like 2026-02-06
            "2026-13-01"                         must be a date that exists, like 2026-02-06
            "2026-00-10"                         must be a date that exists, like 2026-02-06
            "2026-02-00"                         must be a date that exists, like 2026-02-06
            "2026-2-6"                           must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            "06.02.2026"                         must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            "20260206"                           must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            "2026-W06-5"                         must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            "2026-02"                            must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            " 2026-02-06"                        must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            "２０２６-02-06"                         must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            "2026-02-06T09:00Z"                  must be written as in RFC 3339: 2026-02-06T09:00:00Z
            "2026-02-06 09:00:00Z"               must be written as in RFC 3339: 2026-02-06T09:00:00Z
            "2026-02-06T09:00:00"                must end with its offset from UTC: 2026-02-06T09:00:00Z if it is in UTC, else one like +01:00
            "2026-02-06T09:00:00.5"              must end with its offset from UTC: 2026-02-06T09:00:00.5Z if it is in UTC, else one like +01:00
            "2026-02-06T09:00:00 Z"              must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            "2026-02-06T09:00:00+01"             must be written as in RFC 3339: 2026-02-06T09:00:00+01:00
            "2026-02-06T09:00:00+0100"           must be written as in RFC 3339: 2026-02-06T09:00:00+01:00
            "2026-02-06T09:00:00[Europe/Berlin]" must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            "2026-02-06T09:00:00.Z"              must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            "2026-02-06T09:00:00,5Z"             must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            "2026-02-06T24:00:00Z"               must be a time that exists, like 2026-02-06T09:00:00Z (RFC 3339)
            "2026-02-06T09:60:00Z"               must be a time that exists, like 2026-02-06T09:00:00Z (RFC 3339)
            "2026-02-06T09:00:61Z"               must be a time that exists, like 2026-02-06T09:00:00Z (RFC 3339)
            "2026-02-06T09:00:00+24:00"          must be a time that exists, like 2026-02-06T09:00:00Z (RFC 3339)
            "2016-12-31T23:59:60Z"               must not be a leap second
            "2026-02-06T09:00:00.1234567Z"       must have at most microseconds (six digits)
            "2026-02-06T09:00:00.0000000001Z"    must have at most microseconds (six digits)
            "0000-12-31"                         must be in the years 0001 to 9999 (in UTC)
            "0001-01-01T00:30:00+01:00"          must be in the years 0001 to 9999 (in UTC)
            "9999-12-31T23:30:00-01:00"          must be in the years 0001 to 9999 (in UTC)
            "+275760-09-13T00:00:00Z"            must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            "275760-09-13"                       must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z
            "-000001-01-01"                      must be a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z"#]].assert_eq(&faults.join("\n"));
    }
}
