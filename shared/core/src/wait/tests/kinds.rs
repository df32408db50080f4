//! The kinds of waits, as a marketer reads them.

use super::*;

#[test]
fn a_day_is_one_on_the_calendar_and_24_hours_are_24_hours() {
    let table = [
        ("2027-03-27T11:00:00Z", "1 day", "2027-03-28T10:00:00Z"),
        ("2027-03-27T11:00:00Z", "24 hours", "2027-03-28T11:00:00Z"),
        ("2027-10-30T10:00:00Z", "1 day", "2027-10-31T11:00:00Z"),
        ("2027-10-30T10:00:00Z", "1 day 2 hours", "2027-10-31T13:00:00Z"),
        // 2:30 is not there on 28 March, and twice there on 31 October.
        ("2027-03-27T01:30:00Z", "1 day", "2027-03-28T01:00:00Z"),
        ("2027-10-30T00:30:00Z", "1 day", "2027-10-31T00:30:00Z"),
        ("2027-12-31T23:30:00Z", "1 year", "2028-12-30T23:30:00Z"),
    ];
    for (from, span, expected) in table {
        assert_eq!(in_berlin(json!(span), from, None), at(expected), "{from} {span}");
    }
}

#[test]
fn a_day_that_the_zone_skipped_ends_where_the_next_begins() {
    let table = [
        ("Pacific/Apia", "2011-12-29T19:00:00Z", "2011-12-30T10:00:00Z"),
        ("Pacific/Kwajalein", "1993-08-20T21:00:00Z", "1993-08-21T12:00:00Z"),
    ];
    for (name, from, expected) in table {
        let zone = zone(name);
        let ends = wait(json!("1 day")).ends(&start(from, &zone, None)).expect("an end");
        assert_eq!(ends.at, at(expected), "{name}");
    }
}

#[test]
fn a_time_of_day_that_is_over_leaves_the_plain_delay_or_waits_for_the_next_day() {
    // 31 January 2027 is a Sunday.
    let table = [
        (json!({"until": "9:00"}), "2027-01-31T07:59:59Z", "2027-01-31T08:00:00Z"),
        (json!({"until": "9:00"}), "2027-01-31T08:00:00Z", "2027-01-31T08:00:00Z"),
        (json!({"until": "9:00"}), "2027-01-31T08:00:01Z", "2027-01-31T08:00:01Z"),
        (json!({"until": "9:00", "if_passed": "next_day"}), "2027-01-31T08:00:00Z", "2027-01-31T08:00:00Z"),
        (json!({"until": "9:00", "if_passed": "next_day"}), "2027-01-31T08:00:01Z", "2027-02-01T08:00:00Z"),
        (json!({"until": "9:00", "for": "2 days"}), "2027-01-31T07:00:00Z", "2027-02-02T08:00:00Z"),
        (json!({"until": "9:00", "for": "2 days"}), "2027-01-31T12:00:00Z", "2027-02-02T12:00:00Z"),
        (json!({"until": "9:00", "on": ["tuesday"]}), "2027-01-31T12:00:00Z", "2027-02-02T08:00:00Z"),
        (json!({"until": "9:00", "on": ["sunday"]}), "2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z"),
        (
            json!({"until": "9:00", "on": ["sunday"], "if_passed": "next_day"}),
            "2027-01-31T12:00:00Z",
            "2027-02-07T08:00:00Z",
        ),
        // 2:30 was there once; the second time it is over.
        (json!({"until": "2:30"}), "2027-10-31T01:10:00Z", "2027-10-31T01:10:00Z"),
    ];
    for (form, from, expected) in table {
        assert_eq!(in_berlin(form.clone(), from, None), at(expected), "{form} {from}");
    }
}

#[test]
fn a_date_is_read_as_it_was_meant() {
    let from = "2027-01-31T12:00:00Z";
    let table = [
        (json!({"date": "user.d"}), "2027-05-01", "2027-04-30T22:00:00Z"),
        (json!({"date": "user.d"}), "2027-05-01T09:00", "2027-05-01T07:00:00Z"),
        (json!({"date": "user.d"}), "2027-05-01T09:00:00Z", "2027-05-01T09:00:00Z"),
        (json!({"date": "user.d", "at": "9:00"}), "2027-05-01", "2027-05-01T07:00:00Z"),
        // An instant's local day: it is 2 May in Berlin already.
        (json!({"date": "user.d", "at": "9:00"}), "2027-05-01T23:00:00Z", "2027-05-02T07:00:00Z"),
        (json!({"date": "user.d", "before": "3 days", "at": "9:00"}), "2027-03-30", "2027-03-27T08:00:00Z"),
        (json!({"date": "user.d", "before": "2 hours", "at": "9:00"}), "2027-05-01", "2027-05-01T05:00:00Z"),
        (json!({"date": "user.d", "after": "1 week"}), "2027-05-01", "2027-05-07T22:00:00Z"),
        // A day of 25 hours, for an instant too.
        (json!({"date": "user.d", "after": "1 day"}), "2027-10-30T10:00:00Z", "2027-10-31T11:00:00Z"),
        (json!({"date": "user.d"}), "2026-05-01", from),
        (json!({"date": "user.d", "before": "1 year"}), "2027-12-01", from),
    ];
    for (form, value, expected) in table {
        assert_eq!(in_berlin(form.clone(), from, Some(json!(value))), at(expected), "{form} {value}");
    }
    assert_eq!(
        in_berlin(json!({"date": "user.d"}), from, Some(json!("2037-01-28T12:00:00Z"))),
        at("2037-01-28T12:00:00Z")
    );
}

#[test]
fn a_birthday_comes_every_year_and_that_of_29_february_too() {
    let yearly = || json!({"date": "user.birthday", "yearly": true, "at": "9:00"});
    let ahead = || json!({"date": "user.birthday", "yearly": true, "before": "3 days", "at": "9:00"});
    let table = [
        (yearly(), "1988-02-29", "2027-01-31T12:00:00Z", "2027-02-28T08:00:00Z"),
        (yearly(), "1988-02-29", "2027-12-31T12:00:00Z", "2028-02-29T08:00:00Z"),
        (yearly(), "1990-01-31", "2027-01-31T07:00:00Z", "2027-01-31T08:00:00Z"),
        (yearly(), "1990-01-31", "2027-01-31T08:00:01Z", "2028-01-31T08:00:00Z"),
        (yearly(), "2030-06-01", "2027-01-31T08:00:00Z", "2027-06-01T07:00:00Z"),
        // Two days before it, the time three days before is over.
        (ahead(), "1990-02-02", "2027-01-31T12:00:00Z", "2028-01-30T08:00:00Z"),
        (ahead(), "1990-01-02", "2027-12-30T07:00:00Z", "2027-12-30T08:00:00Z"),
    ];
    for (form, value, from, expected) in table {
        assert_eq!(in_berlin(form.clone(), from, Some(json!(value))), at(expected), "{form} {value} {from}");
    }
}

#[test]
fn what_is_not_a_date_is_told_without_the_value() {
    let berlin = zone("Europe/Berlin");
    let form = wait(json!({"date": "user.renewal_at", "else": "other"}));
    assert_eq!(form.property().map(ToString::to_string).as_deref(), Some("user.renewal_at"));
    assert_eq!(form.otherwise(), Some("other"));
    let table = [
        (None, "missing"),
        (Some(Value::Null), "missing"),
        (Some(json!(1_800_000_000)), "not a text"),
        (Some(json!("soon")), "unreadable"),
        (Some(json!("2027-02-29")), "unreadable"),
        (Some(json!("")), "unreadable"),
        (Some(json!("9999-12-31")), "more than ten years ahead"),
        (Some(json!("2037-03-01")), "more than ten years ahead"),
    ];
    for (value, found) in table {
        let error = form.ends(&start("2027-01-31T12:00:00Z", &berlin, value.as_ref())).expect_err("no date");
        assert_eq!(error.to_string(), format!("user.renewal_at is not a date: {found}"), "{value:?}");
    }
}

#[test]
fn a_window_is_waited_for_and_while_it_is_open_nothing_is() {
    let business = || json!({"window": {"from": "8:00", "to": "18:00", "on": ["monday", "friday"]}});
    let night = || json!({"window": {"from": "22:00", "to": "6:00", "on": ["friday"]}});
    let sundays = || json!({"window": {"from": "0:00", "to": "0:00", "on": ["sunday"]}});
    let table = [
        (business(), "2027-01-31T12:00:00Z", "2027-02-01T07:00:00Z"),
        (business(), "2027-02-01T07:00:00Z", "2027-02-01T07:00:00Z"),
        (business(), "2027-02-01T16:59:59Z", "2027-02-01T16:59:59Z"),
        (business(), "2027-02-01T17:00:00Z", "2027-02-05T07:00:00Z"),
        // 29 January 2027 is a Friday.
        (night(), "2027-01-30T04:59:59Z", "2027-01-30T04:59:59Z"),
        (night(), "2027-01-30T05:00:00Z", "2027-02-05T21:00:00Z"),
        (night(), "2027-01-29T12:00:00Z", "2027-01-29T21:00:00Z"),
        (sundays(), "2027-01-30T12:00:00Z", "2027-01-30T23:00:00Z"),
        (sundays(), "2027-01-31T22:59:59Z", "2027-01-31T22:59:59Z"),
        (sundays(), "2027-01-31T23:00:00Z", "2027-02-06T23:00:00Z"),
        // The clock is put forward over the whole window.
        (json!({"window": {"from": "2:10", "to": "2:50"}}), "2027-03-28T00:30:00Z", "2027-03-28T01:00:00Z"),
        (json!({"window": {"from": "2:10", "to": "2:50"}}), "2027-03-28T01:00:01Z", "2027-03-29T00:10:00Z"),
    ];
    for (form, from, expected) in table {
        assert_eq!(in_berlin(form.clone(), from, None), at(expected), "{form} {from}");
    }
}

#[test]
fn a_random_wait_stays_as_it_was_drawn_and_every_second_is_drawn() {
    let berlin = zone("Europe/Berlin");
    let form = wait(json!({"between": ["1 second", "3 seconds"]}));
    let mut counts = [0; 3];
    for run in 0..3_000 {
        let run = run.to_string();
        let seed = [run.as_str(), "pause", "0"];
        let from = Start { seed: &seed, ..start("2027-01-31T12:00:00Z", &berlin, None) };
        let ends = form.ends(&from).expect("an end").at;
        assert_eq!(form.ends(&from).expect("an end").at, ends);
        counts[usize::try_from(ends.duration_since(from.at).as_secs() - 1).expect("a second at least")] += 1;
    }
    assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
}

#[test]
fn a_wait_is_written_as_it_was_read() {
    let table = [
        json!("31 days"),
        json!({"between": ["1 hour", "1 day"]}),
        json!({"until": "9:00"}),
        json!({"until": "18:30:15", "for": "2 days", "on": ["tuesday", "sunday"], "if_passed": "next_day"}),
        json!({"date": "user.renewal_at"}),
        json!({"date": "event.trip.begins", "after": "1 day", "at": "0:00", "yearly": true, "else": "other"}),
        json!({"window": {"from": "22:00", "to": "6:00"}}),
        json!({"window": {"from": "8:00", "to": "8:00", "on": ["monday"]}}),
    ];
    for form in table {
        assert_eq!(serde_json::to_value(wait(form.clone())).ok(), Some(form));
    }
}

#[test]
fn a_time_of_day_that_is_none_is_refused_with_a_mend() {
    let midnight = "`24:00` is not a time of day; write `0:00`, the midnight at which a day begins, or `23:59`";
    assert_eq!(LocalTime::parse("24:00").expect_err("no time").to_string(), midnight);
    for bad in
        ["", "9", "9am", "900", "9:5", "25:00", "9:60", "-9:00", "+9:00", "9:00:60", "9:00:00:00", ":00", "9 :00"]
    {
        let error = LocalTime::parse(bad).expect_err(bad).to_string();
        assert!(error.ends_with("; write hours and minutes in quotes, as in `\"9:00\"` or `\"18:30\"`"), "{error}");
    }
    for (good, shown) in [("9:00", "9:00"), ("09:00", "9:00"), (" 0:00 ", "0:00"), ("23:59:59", "23:59:59")] {
        assert_eq!(LocalTime::parse(good).expect(good).to_string(), shown);
    }
}

#[test]
fn a_wait_that_contradicts_itself_has_a_problem_with_a_mend() {
    let told = |form| wait(form).problems().iter().map(ToString::to_string).collect::<Vec<_>>();
    let reversed = "error: between: 3 hours is longer than 1 hour; write the shorter one first";
    assert_eq!(told(json!({"between": ["3 hours", "1 hour"]})), [reversed]);
    let both = "error: after: has both `before` and `after`; keep one of them";
    assert_eq!(told(json!({"date": "user.d", "before": "1 day", "after": "1 day"})), [both]);
    assert_eq!(told(json!({"between": ["1 hour", "1 hour"]})), [""; 0]);
}
