//! The examples that wait by the clock, branch and draw lots. The stage begins on Monday 5 January 2026 at 9:00 UTC.

use dunlin_tests::Stage;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// These mails left, each at its time: never early, and at most two seconds late.
fn assert_left(stage: &Stage, expected: &[(&str, &str)]) {
    let mails = stage.mails();
    let subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(subjects, expected.iter().map(|(_, subject)| *subject).collect::<Vec<_>>());
    for (mail, (at, _)) in mails.iter().zip(expected) {
        assert_on_time(mail.at, at);
    }
}

fn assert_on_time(left: Timestamp, due: &str) {
    let late = left.duration_since(due.parse().expect("an instant"));
    assert!(late >= SignedDuration::ZERO && late <= SignedDuration::from_secs(2), "{left}, due {due}");
}

async fn edit(stage: &Stage, person: &str, changes: Value) {
    stage.call(Method::PUT, "/users/edit", json!({"id": person, "changes": changes})).await;
}

#[tokio::test]
async fn a_trials_reminders_come_at_nine_where_the_person_lives() {
    let stage = Stage::with_examples(1).await;
    let ann =
        json!({"first_name": "Ann", "plan": "trial", "trial_ends": "2026-02-02", "ianaTimezone": "America/New_York"});
    stage.identify("ann", ann).await;
    stage.track("ann", "Started trial", json!({})).await;
    stage.pass(60 * DAY).await;
    let expected = [
        ("2026-01-12T14:00:00Z", "A week with Larkspur, Ann"),
        ("2026-01-30T14:00:00Z", "Your trial ends in three days"),
        ("2026-02-02T23:00:00Z", "Your trial has ended"),
    ];
    assert_left(&stage, &expected);
}

#[tokio::test]
async fn a_trial_that_is_extended_takes_its_reminders_along_and_one_that_was_bought_has_no_more() {
    let stage = Stage::with_examples(2).await;
    for person in ["extends", "buys"] {
        stage.identify(person, json!({"plan": "trial", "trial_ends": "2026-02-02"})).await;
        stage.track(person, "Started trial", json!({})).await;
    }
    stage.pass(20 * DAY).await;
    edit(&stage, "extends", json!({"trial_ends": "2026-03-02"})).await;
    edit(&stage, "buys", json!({"plan": "pro"})).await;
    stage.pass(60 * DAY).await;
    let expected = [
        ("2026-01-13T09:00:00Z", "A week with Larkspur, friend"),
        ("2026-01-13T09:00:00Z", "A week with Larkspur, friend"),
        ("2026-02-27T09:00:00Z", "Your trial ends in three days"),
        ("2026-03-02T18:00:00Z", "Your trial has ended"),
    ];
    assert_left(&stage, &expected);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn renewals_are_told_before_their_date_and_never_where_there_is_none() {
    let stage = Stage::with_examples(3).await;
    stage.identify("ann", json!({"plan": "pro", "renewal_at": "2026-04-01", "timezone": 5.5})).await;
    stage.identify("bob", json!({"plan": "pro", "renewal_at": "in spring"})).await;
    // What some systems write for "never".
    stage.identify("cid", json!({"plan": "pro", "renewal_at": "9999-12-31"})).await;
    for person in ["ann", "bob", "cid"] {
        stage.track(person, "Subscribed", json!({})).await;
        stage.call(Method::POST, "/users/unsubscribe", json!({"id": person})).await;
    }
    stage.pass(120 * DAY).await;
    let expected = [
        ("2026-03-18T04:30:00Z", "Your plan renews on 1 April"),
        ("2026-03-31T04:30:00Z", "Your plan renews tomorrow"),
    ];
    assert_left(&stage, &expected);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn onboarding_holds_out_some_draws_a_letter_for_others_and_skips_it_for_who_was_faster() {
    const PEOPLE: usize = 60;
    let stage = Stage::with_examples(4).await;
    for n in 0..PEOPLE {
        stage.identify(&format!("p{n}"), json!({})).await;
        stage.track(&format!("p{n}"), "Created workspace", json!({})).await;
    }
    stage.pass(SignedDuration::from_mins(1)).await;
    let greeted = stage.mails().first().and_then(|mail| mail.to.first().cloned()).expect("somebody");
    stage.track(greeted.trim_end_matches("@example.com"), "Invited teammate", json!({})).await;
    stage.pass(10 * DAY).await;
    let subjects: Vec<String> = stage.mails().into_iter().map(|mail| mail.subject).collect();
    let count = |subject: &str| subjects.iter().filter(|one| *one == subject).count();
    let (hello, letters) =
        (count("Your workspace is ready"), count("Better together") + count("Three reasons to invite somebody"));
    assert!((50..PEOPLE).contains(&hello), "{hello} of {PEOPLE} are not held out");
    assert_eq!((letters, count("What teams do next")), (hello - 1, 1));
    assert!(count("Better together") > 10 && count("Three reasons to invite somebody") > 10, "{subjects:?}");
    for mail in stage.mails() {
        let is_first = mail.subject == "Your workspace is ready";
        let due = if is_first { "2026-01-05T09:00:00Z" } else { "2026-01-07T09:00:00Z" };
        // Sixty people do not begin at one instant.
        let late = mail.at.duration_since(due.parse().expect("an instant"));
        assert!(late >= SignedDuration::ZERO && late < SignedDuration::from_mins(2), "{}", mail.at);
    }
}

#[tokio::test]
async fn an_abandoned_cart_is_asked_after_once_for_each_cart_and_not_if_it_was_bought() {
    let stage = Stage::with_examples(5).await;
    stage.identify("ann", json!({})).await;
    let hour = SignedDuration::from_hours(1);
    let fill = async |cart: &str, items: u32| {
        stage.track("ann", "Filled cart", json!({"cart_id": cart, "items": items})).await;
        stage.pass(hour).await;
    };
    fill("bought", 1).await;
    fill("won", 1).await;
    fill("lost", 1).await;
    fill("won", 2).await;
    stage.track("ann", "Order completed", json!({"cart_id": "bought", "total": 10})).await;
    stage.pass(2 * hour).await;
    stage.track("ann", "Order completed", json!({"cart_id": "won", "total": 20})).await;
    stage.pass(3 * DAY).await;
    let expected = [
        ("2026-01-05T14:00:00Z", "Did you forget something?"),
        ("2026-01-05T15:00:00Z", "Did you forget something?"),
        ("2026-01-05T15:00:00Z", "Thank you for 20 dollars' worth of trust"),
        ("2026-01-06T15:00:00Z", "We keep your cart until tomorrow"),
    ];
    let subjects: Vec<String> = stage.mails().into_iter().map(|mail| mail.subject).collect();
    assert_eq!(subjects.len(), expected.len(), "{subjects:?}");
    for subject in ["Thank you for 20 dollars' worth of trust", "We keep your cart until tomorrow"] {
        assert_eq!(subjects.iter().filter(|one| *one == subject).count(), 1, "{subjects:?}");
    }
    let shown = stage.show("/profiles/ann").await;
    assert_eq!((&shown["properties"]["won_back"], &shown["tags"]), (&json!(20), &json!(["won-back"])), "{shown}");
    stage.assert_at_rest().await;
}
