use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: &str = "2026-11-21T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().expect("an instant")
}

fn ask(test: &Value, value: &Value) -> bool {
    let test: Test = serde_json::from_value(test.clone()).expect("a test");
    test.passes(Some(value), now())
}

/// `{test: [[value, answer], …]}` for every rule of the Track API's §6.
fn check(test: Value, cases: &[(Value, bool)]) {
    for (value, expected) in cases {
        assert_eq!(ask(&test, value), *expected, "{test} of {value}");
    }
}

#[test]
fn is_set_and_is_not_set_take_null_for_absent() {
    check(
        json!({"is_set": true}),
        &[(json!("x"), true), (json!(""), true), (json!(0), true), (json!(false), true), (json!(null), false)],
    );
    check(json!({"is_set": false}), &[(json!("x"), false), (json!(0), false), (json!(null), true)]);
    assert!(Test::IsSet(false).passes(None, now()));
    assert!(!Test::IsSet(true).passes(None, now()));
}

#[test]
fn equal_is_case_sensitive_and_false_if_null() {
    check(
        json!({"equals": "pro"}),
        &[
            (json!("pro"), true),
            (json!("Pro"), false),
            (json!(null), false),
            (json!(["pro"]), false),
            (json!({"a": "pro"}), false),
        ],
    );
    check(
        json!({"equals": 5}),
        &[(json!(5), true), (json!(5.0), true), (json!("5"), false), (json!(true), false), (json!(null), false)],
    );
    check(json!({"equals": true}), &[(json!(true), true), (json!(false), false), (json!("true"), false)]);
    check(json!({"equals": u64::MAX}), &[(json!(u64::MAX), true), (json!(u64::MAX - 1), false)]);
}

#[test]
fn not_equal_is_the_opposite_and_true_if_null() {
    check(
        json!({"not_equals": "pro"}),
        &[(json!("pro"), false), (json!("Pro"), true), (json!(null), true), (json!(5), true)],
    );
    assert!(Test::NotEquals(Scalar::Text("pro".into())).passes(None, now()));
}

#[test]
fn contains_is_case_sensitive_and_false_if_null_or_not_text() {
    check(
        json!({"contains": "an"}),
        &[
            (json!("anna"), true),
            (json!("ANNA"), false),
            (json!(""), false),
            (json!(null), false),
            (json!(["an"]), false),
            (json!(5), false),
        ],
    );
}

#[test]
fn does_not_contain_is_true_if_empty_and_false_if_null_or_not_text() {
    check(
        json!({"does_not_contain": "an"}),
        &[
            (json!("anna"), false),
            (json!("ANNA"), true),
            (json!(""), true),
            (json!(null), false),
            (json!(["x"]), false),
            (json!(5), false),
        ],
    );
    check(json!({"does_not_contain": ""}), &[(json!(""), true), (json!("x"), false)]);
}

#[test]
fn greater_and_less_compare_numbers_with_numbers_and_dates_with_dates() {
    check(
        json!({"greater_than": 10}),
        &[(json!(11), true), (json!(10), false), (json!(10.5), true), (json!("11"), false), (json!(null), false)],
    );
    check(
        json!({"less_than": 10}),
        &[(json!(9), true), (json!(10), false), (json!(-1), true), (json!("9"), false), (json!(null), false)],
    );
    check(json!({"greater_than": 9_007_199_254_740_992_u64}), &[(json!(9_007_199_254_740_993_u64), true)]);
    check(
        json!({"greater_than": "2026-01-31"}),
        &[
            (json!("2026-02-01T00:00:00Z"), true),
            (json!("2026-01-31"), false),
            (json!("2026-01-31T00:30:00+01:00"), false),
            (json!("2026-01-31T00:30:00-01:00"), true),
            (json!("soon"), false),
            (json!(20_270_101), false),
            (json!(null), false),
        ],
    );
    check(
        json!({"less_than": "2026-01-31T10:00:00Z"}),
        &[(json!("2026-01-31T09:59:59.999Z"), true), (json!("2026-01-31T10:00:00Z"), false)],
    );
}

#[test]
fn date_windows_include_their_ends_and_stop_at_the_present() {
    check(
        json!({"in_the_last": "7 days"}),
        &[
            (json!(NOW), true),
            (json!("2026-11-14T12:00:00Z"), true),
            (json!("2026-11-14T11:59:59Z"), false),
            (json!("2026-11-21T12:00:01Z"), false),
            (json!("2026-11-20"), true),
            (json!("x"), false),
            (json!(1_795_262_400), false),
            (json!(null), false),
        ],
    );
    check(
        json!({"in_the_next": "7 days"}),
        &[
            (json!(NOW), true),
            (json!("2026-11-28T12:00:00Z"), true),
            (json!("2026-11-28T12:00:01Z"), false),
            (json!("2026-11-21T11:59:59Z"), false),
            (json!(null), false),
        ],
    );
}

#[test]
fn a_threshold_is_a_number_or_a_date() {
    for bad in [json!({"greater_than": "ten"}), json!({"less_than": true}), json!({"less_than": "2026"})] {
        assert!(serde_json::from_value::<Test>(bad.clone()).is_err(), "{bad}");
    }
}

#[test]
fn dates_are_read_with_and_without_offset_and_time() {
    let table = [
        ("2026-01-31T10:00:00+02:00", Some("2026-01-31T08:00:00Z")),
        ("2026-01-31T10:00:00.123Z", Some("2026-01-31T10:00:00.123Z")),
        ("2026-01-31T10:00:00", Some("2026-01-31T10:00:00Z")),
        ("2026-01-31 10:00", Some("2026-01-31T10:00:00Z")),
        ("2026-01-31", Some("2026-01-31T00:00:00Z")),
        ("2026-02-30", None),
        ("2026", None),
        ("", None),
        ("tomorrow", None),
    ];
    for (text, expected) in table {
        assert_eq!(instant(text).map(|at| at.to_string()).as_deref(), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn every_test_survives_being_stored(text in "\\PC{0,12}", number in any::<i64>(), flag in any::<bool>()) {
        for test in [json!({"equals": text}), json!({"greater_than": number}), json!({"not_equals": flag}), json!({"is_set": flag})] {
            let read: Test = serde_json::from_value(test.clone()).expect("a test");
            prop_assert_eq!(serde_json::to_value(read).expect("JSON"), test);
        }
    }

    #[test]
    fn a_text_is_never_a_date_by_accident_or_a_panic(text in "\\PC{0,30}") {
        let _ = instant(&text);
    }
}
