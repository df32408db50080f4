//! Whose clock it is.

use super::*;
use crate::wait::zone::{Source, find};

fn found(iana_timezone: Value, timezone: Value) -> (String, Source, Vec<String>) {
    let found = find(Some(&iana_timezone), Some(&timezone), &zone("Asia/Tokyo"));
    (found.zone.name().to_owned(), found.source, found.misread.iter().map(ToString::to_string).collect())
}

#[test]
fn the_first_zone_that_is_understood_wins_and_the_others_are_reported_without_their_value() {
    use Source::{IanaTimezone, Project, Timezone};
    let table = [
        (json!("Europe/Paris"), json!(5), "Europe/Paris", IanaTimezone, vec![]),
        (json!(" europe/PARIS "), json!(5), "Europe/Paris", IanaTimezone, vec![]),
        (json!("America/New York"), Value::Null, "America/New_York", IanaTimezone, vec![]),
        (json!("+02:00"), Value::Null, "+02", IanaTimezone, vec![]),
        (Value::Null, json!("Europe/Paris"), "Europe/Paris", Timezone, vec![]),
        (json!(""), json!("-3"), "-03", Timezone, vec![]),
        (json!("Mars/Base"), json!(5.5), "+05:30", Timezone, vec!["user.ianaTimezone: unknown_zone"]),
        (json!(true), json!("5.75"), "+05:45", Timezone, vec!["user.ianaTimezone: wrong_type"]),
        (
            json!("CET-1CEST,M3.5.0,M10.5.0/3"),
            json!(330),
            "Asia/Tokyo",
            Project,
            vec!["user.ianaTimezone: unknown_zone", "user.timezone: unknown_offset"],
        ),
        (Value::Null, json!([5]), "Asia/Tokyo", Project, vec!["user.timezone: wrong_type"]),
        (Value::Null, Value::Null, "Asia/Tokyo", Project, vec![]),
    ];
    for (iana, offset, name, source, misread) in table {
        let misread: Vec<String> = misread.into_iter().map(str::to_owned).collect();
        assert_eq!(found(iana.clone(), offset.clone()), (name.to_owned(), source, misread), "{iana} {offset}");
    }
}

#[test]
fn an_offset_is_read_as_people_write_it() {
    let table = [
        ("0", Some(0)),
        ("5.5", Some(19_800)),
        ("+5.75", Some(20_700)),
        ("-9.5", Some(-34_200)),
        ("+05:30", Some(19_800)),
        ("-0330", Some(-12_600)),
        ("UTC+5", Some(18_000)),
        ("gmt-3", Some(-10_800)),
        ("GMT +05:45", Some(20_700)),
        ("14", Some(50_400)),
        ("-12", Some(-43_200)),
        ("14.25", None),
        ("-12.25", None),
        ("5.3", None),
        ("+05:31", None),
        ("NaN", None),
        ("inf", None),
        ("+", None),
        ("UTC+", None),
        ("Etc/Unknown", None),
    ];
    for (text, expected) in table {
        let wall = |zone: Zone| zone.local(Timestamp::UNIX_EPOCH);
        let seconds = Zone::parse(text)
            .ok()
            .map(|zone| wall(zone).duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0)).as_secs());
        assert_eq!(seconds, expected, "{text}");
    }
}

#[test]
fn a_zone_is_read_again_from_its_name() {
    for text in ["us/pacific", "Asia/Calcutta", "Europe/Kiev", "Europe/Kyiv", "EST5EDT", "5.75", "-3", "utc", "0"] {
        let zone = zone(text);
        assert_eq!(Zone::parse(zone.name()).as_ref(), Ok(&zone), "{text}");
        let stored = serde_json::to_value(&zone).expect("a text");
        assert_eq!(serde_json::from_value::<Zone>(stored).ok(), Some(zone), "{text}");
    }
}

#[test]
fn a_text_that_is_no_zone_is_refused_with_both_forms() {
    let error = Zone::parse("Berlin").expect_err("no zone").to_string();
    assert_eq!(error, "`Berlin` is not a time zone; write a name like `Europe/Berlin`, or an offset like `+05:30`");
}

#[test]
fn a_wait_for_a_time_of_day_follows_the_person_and_a_plain_delay_does_not() {
    let (berlin, tokyo) = (zone("Europe/Berlin"), zone("Asia/Tokyo"));
    let from = start("2027-01-31T12:00:00Z", &berlin, None);
    let until = wait(json!({"until": "18:00"})).ends(&from).expect("an end");
    let intent = until.intent.expect("an intent");
    assert_eq!(until.at, at("2027-01-31T17:00:00Z"));
    assert_eq!(intent.instant(Some(&tokyo), until.at), at("2027-01-31T09:00:00Z"));
    assert_eq!(intent.instant(None, until.at), until.at);
    let day = wait(json!("1 day 1 hour")).ends(&from).expect("an end");
    let intent = day.intent.expect("an intent");
    assert_eq!(intent.instant(Some(&tokyo), day.at), day.at);
}

#[test]
fn an_intent_whose_zone_is_gone_keeps_its_instant() {
    let berlin = zone("Europe/Berlin");
    let ends = wait(json!({"until": "18:00"})).ends(&start("2027-01-31T12:00:00Z", &berlin, None)).expect("an end");
    let mut stored = serde_json::to_value(ends.intent.expect("an intent")).expect("an object");
    assert_eq!(stored, json!({"wall": "2027-01-31T18:00:00", "zone": "Europe/Berlin", "moves": true}));
    stored["zone"] = json!("Europe/Atlantis");
    let intent: Intent = serde_json::from_value(stored).expect("an intent");
    assert_eq!(intent.instant(None, ends.at), ends.at);
    assert_eq!(intent.instant(Some(&zone("UTC")), ends.at), at("2027-01-31T18:00:00Z"));
}

#[test]
fn an_intent_is_computed_by_the_rules_of_today() {
    // As a database would have it in which Berlin had kept summer time: the stored instant is another by now.
    let intent: Intent =
        serde_json::from_value(json!({"wall": "2027-01-31T18:00:00", "zone": "Europe/Berlin"})).expect("an intent");
    assert_eq!(intent.instant(None, at("2027-01-31T16:00:00Z")), at("2027-01-31T17:00:00Z"));
}
