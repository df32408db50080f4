//! Campaigns that a date of the person starts. The stage begins on Monday 5 January 2026 at 9:00 UTC.

use dunlin_tests::Stage;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn left(stage: &Stage) -> Vec<String> {
    stage
        .mails()
        .into_iter()
        .map(|mail| format!("{} {}", mail.at.strftime("%Y-%m-%dT%H:%M"), mail.to.join(",")))
        .collect()
}

async fn edit(stage: &Stage, person: &str, changes: Value) {
    stage.call(Method::PUT, "/users/edit", json!({"id": person, "changes": changes})).await;
}

#[tokio::test]
async fn a_birthday_comes_every_year_at_nine_where_the_person_lives() {
    let stage = Stage::with_examples(1).await;
    stage.identify("ann", json!({"birthday": "1990-04-30", "ianaTimezone": "America/New_York"})).await;
    stage.identify("leap", json!({"birthday": "2000-02-29"})).await;
    stage.identify("nobody", json!({"birthday": "in spring"})).await;
    stage.pass(800 * DAY).await;
    let expected = [
        "2026-02-28T09:00 leap@example.com",
        "2026-04-30T13:00 ann@example.com",
        "2027-02-28T09:00 leap@example.com",
        "2027-04-30T13:00 ann@example.com",
        "2028-02-29T09:00 leap@example.com",
    ];
    assert_eq!(left(&stage), expected);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_birthday_that_was_mistaken_is_forgotten_and_one_that_is_told_again_is_no_other() {
    let stage = Stage::with_examples(2).await;
    stage.identify("ann", json!({"birthday": "1990-02-10"})).await;
    stage.pass(DAY).await;
    stage.identify("ann", json!({"birthday": "1990-02-10"})).await;
    edit(&stage, "ann", json!({"birthday": "1990-02-20"})).await;
    stage.pass(DAY).await;
    edit(&stage, "ann", json!({"birthday": "1990-02-15"})).await;
    stage.pass(60 * DAY).await;
    assert_eq!(left(&stage), ["2026-02-15T09:00 ann@example.com"]);
}

#[tokio::test]
async fn a_person_who_moves_before_the_day_gets_it_where_they_live_by_then() {
    let stage = Stage::with_examples(3).await;
    stage.identify("ann", json!({"birthday": "1990-02-10"})).await;
    stage.pass(20 * DAY).await;
    edit(&stage, "ann", json!({"ianaTimezone": "Asia/Tokyo"})).await;
    stage.pass(60 * DAY).await;
    assert_eq!(left(&stage), ["2026-02-10T00:00 ann@example.com"]);
}

#[tokio::test]
async fn a_person_who_is_deleted_has_no_birthday_and_one_who_comes_back_has() {
    let stage = Stage::with_examples(4).await;
    for person in ["gone", "back"] {
        stage.identify(person, json!({"birthday": "1990-02-10"})).await;
        stage.pass(DAY).await;
        stage.call(Method::POST, "/users/delete", json!({"id": person})).await;
        stage.pass(DAY).await;
    }
    stage.identify("back", json!({"birthday": "1990-02-10"})).await;
    stage.pass(60 * DAY).await;
    assert_eq!(left(&stage), ["2026-02-10T09:00 back@example.com"]);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_date_is_kept_by_the_newest_version_and_by_none_that_asks_for_no_date() {
    let stage = Stage::new(5).await;
    let yaml = |trigger: &str, subject: &str| {
        format!(
            "{{id: cmp_ends, name: Ends, kind: behavioural, trigger: {trigger}, message: {{subject: {subject}, text: '{{{{ url.unsubscribe_link }}}} {{{{ event.date }}}}'}}}}"
        )
    };
    stage.publish(&yaml("{date: user.ends, before: 3 days}", "first")).await;
    for (person, ends) in [("soon", "2026-02-10"), ("late", "2026-04-10")] {
        stage.identify(person, json!({"ends": ends})).await;
    }
    stage.pass(10 * DAY).await;
    stage.publish(&yaml("{date: user.ends, before: 2 days}", "second")).await;
    stage.pass(50 * DAY).await;
    let sent: Vec<(String, String)> =
        stage.mails().into_iter().map(|mail| (mail.at.strftime("%m-%d").to_string(), mail.subject)).collect();
    assert_eq!(sent, [("02-08".to_owned(), "second".to_owned())]);
    stage.publish(&yaml("{event: Went}", "third")).await;
    stage.pass(60 * DAY).await;
    assert_eq!(stage.mails().len(), 1);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn people_who_were_there_before_the_campaign_enter_with_their_next_call() {
    let stage = Stage::new(6).await;
    stage.identify("ann", json!({"ends": "2026-02-10"})).await;
    stage.pass(DAY).await;
    stage.publish("{id: cmp_ends, name: Ends, kind: behavioural, trigger: {date: user.ends}, message: {subject: ends, text: '{{ url.unsubscribe_link }}'}}").await;
    stage.track("ann", "Looked", json!({})).await;
    stage.pass(60 * DAY).await;
    assert_eq!(left(&stage), ["2026-02-10T00:00 ann@example.com"]);
}

#[tokio::test]
async fn a_date_comes_once_however_often_it_was_told_and_by_whom() {
    let stage = Stage::new(7).await;
    stage.publish("{id: cmp_ends, name: Ends, kind: behavioural, trigger: {date: user.ends, yearly: true}, message: {subject: ends, text: '{{ url.unsubscribe_link }}'}}").await;
    stage.identify("ann", json!({"ends": "2020-02-10"})).await;
    edit(&stage, "ann", json!({"ends": "2020-02-11"})).await;
    edit(&stage, "ann", json!({"ends": "2020-02-10"})).await;
    // The same person under another id, with the same date; and one who is put into the campaign by hand.
    stage.identify("anna", json!({"ends": "2020-02-10"})).await;
    stage.call(Method::PUT, "/users/reidentify", json!({"id": "anna", "new_id": "ann"})).await;
    stage.call(Method::POST, "/campaigns/enter", json!({"id": "ann", "campaign": "cmp_ends"})).await;
    stage.pass(800 * DAY).await;
    let days: Vec<String> = stage.mails().into_iter().map(|mail| mail.at.strftime("%Y-%m-%d").to_string()).collect();
    assert_eq!(days, ["2026-01-05", "2026-02-10", "2027-02-10", "2028-02-10"]);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_campaign_that_was_deleted_and_published_again_keeps_its_dates() {
    let stage = Stage::new(8).await;
    let yaml = "{id: cmp_ends, name: Ends, kind: behavioural, trigger: {date: user.ends}, message: {subject: ends, text: '{{ url.unsubscribe_link }}'}}";
    stage.publish(yaml).await;
    stage.identify("ann", json!({"ends": "2026-02-10"})).await;
    stage.pass(DAY).await;
    let path = format!("/projects/{}/campaigns/cmp_ends", stage.project);
    stage.manage(Method::DELETE, &path, &Value::Null).await;
    stage.pass(DAY).await;
    stage.publish(yaml).await;
    stage.track("ann", "Looked", json!({})).await;
    stage.pass(60 * DAY).await;
    assert_eq!(left(&stage), ["2026-02-10T00:00 ann@example.com"]);
}

#[tokio::test]
async fn a_birthday_in_a_pause_is_not_made_up_for_and_the_next_one_comes() {
    let stage = Stage::with_examples(9).await;
    stage.identify("ann", json!({"birthday": "1990-04-30"})).await;
    stage.pass(113 * DAY).await;
    let path = format!("/projects/{}/campaigns/cmp_birthday", stage.project);
    stage.manage(Method::POST, &format!("{path}/pause"), &Value::Null).await;
    stage.pass(4 * DAY).await;
    stage.manage(Method::POST, &format!("{path}/resume"), &Value::Null).await;
    stage.pass(DAY).await;
    assert_eq!(left(&stage), [""; 0], "it was on 30 April, and it is 3 May");
    stage.pass(365 * DAY).await;
    assert_eq!(left(&stage), ["2027-04-30T09:00 ann@example.com"]);
    stage.assert_at_rest().await;
}
