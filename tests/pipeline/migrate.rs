//! Operators look where runs are, move them to another version, and end them. The stage begins at 9:00.

use dunlin_local::{Fault, FaultKind, Service, When};
use dunlin_tests::Stage;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::DAY;

/// The wait and the subject are filled in.
fn letter(wait: &str, subject: &str) -> String {
    format!(
        "
id: cmp_letter
name: Letter
kind: workflow
trigger: {{event: Go}}
steps:
  - {{name: pause, {wait}}}
  - {{name: mail, send: mail}}
messages:
  mail: {{subject: {subject}, text: '{{{{ url.unsubscribe }}}}'}}
"
    )
}

async fn begin(stage: &Stage, people: &[&str]) {
    for id in people {
        stage.identify(id, json!({})).await;
        stage.track(id, "Go", json!({})).await;
    }
    stage.pass(SignedDuration::from_mins(1)).await;
}

fn runs(stage: &Stage) -> String {
    format!("/projects/{}/campaigns/cmp_letter/runs", stage.project)
}

async fn waiting(stage: &Stage) -> Value {
    stage.manage(Method::GET, &runs(stage), &Value::Null).await.1["waiting"].clone()
}

async fn migrate(stage: &Stage, body: &Value) -> Value {
    let (status, answer) = stage.manage(Method::POST, &format!("{}/migrate", runs(stage)), body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

fn done(answer: &Value) -> (u64, u64) {
    (answer["moved"].as_u64().expect("a count"), answer["ended"].as_u64().expect("a count"))
}

const ALONG: fn() -> Value = || json!({"to_version": 2, "moves": {"pause": "pause"}});

#[tokio::test]
async fn an_operator_sees_who_is_where_and_moves_them_once() {
    let stage = Stage::new(1).await;
    stage.publish(&letter("wait: 2 days", "old")).await;
    begin(&stage, &["ann", "bob"]).await;
    stage.publish(&letter("wait: 2 days", "new")).await;
    begin(&stage, &["cid"]).await;
    let at = |version, runs| json!({"version": version, "step": "pause", "runs": runs});
    assert_eq!(waiting(&stage).await, json!([at(1, 2), at(2, 1)]));
    assert_eq!(done(&migrate(&stage, &ALONG()).await), (2, 0));
    assert_eq!(waiting(&stage).await, json!([at(2, 3)]));
    assert_eq!(done(&migrate(&stage, &ALONG()).await), (0, 0), "twice is once");
    stage.pass(2 * DAY - SignedDuration::from_mins(5)).await;
    assert_eq!(stage.sent(), [], "not before the instant that they had");
    stage.pass(SignedDuration::from_mins(10)).await;
    let subjects: Vec<_> = stage.sent().into_iter().map(|(_, subject)| subject).collect();
    assert_eq!(subjects, ["new", "new", "new"]);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_run_that_is_moved_to_a_mail_gets_it_at_once_and_one_that_is_sent_nowhere_gets_none() {
    let stage = Stage::new(2).await;
    stage.publish(&letter("wait: 2 days", "old")).await;
    begin(&stage, &["ann"]).await;
    stage.publish(&letter("wait: 30 days", "new")).await;
    assert_eq!(done(&migrate(&stage, &json!({"to_version": 2, "moves": {"pause": "mail"}})).await), (1, 0));
    stage.pass(SignedDuration::from_secs(5)).await;
    assert_eq!(stage.sent(), [("ann@example.com".to_owned(), "new".to_owned())]);
    begin(&stage, &["bob"]).await;
    let end = json!({"to_version": 1, "moves": {"pause": null}, "from_versions": [2]});
    assert_eq!(done(&migrate(&stage, &end).await), (0, 1));
    assert_eq!(waiting(&stage).await, json!([]));
    stage.pass(40 * DAY).await;
    assert_eq!(stage.sent().len(), 1);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_run_that_listens_hears_what_the_new_version_waits_for() {
    let stage = Stage::new(3).await;
    stage.publish(&letter("wait_for: {event: Bought}, within: 20 days", "old")).await;
    begin(&stage, &["ann"]).await;
    stage.publish(&letter("wait_for: {event: Paid}, within: 20 days", "new")).await;
    assert_eq!(done(&migrate(&stage, &ALONG()).await), (1, 0));
    stage.pass(SignedDuration::from_mins(1)).await;
    stage.track("ann", "Bought", json!({})).await;
    stage.pass(SignedDuration::from_hours(1)).await;
    assert_eq!(stage.sent(), []);
    stage.track("ann", "Paid", json!({})).await;
    stage.pass(SignedDuration::from_secs(2)).await;
    assert_eq!(stage.sent(), [("ann@example.com".to_owned(), "new".to_owned())]);
    stage.pass(30 * DAY).await;
    assert_eq!(stage.sent().len(), 1);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_run_of_which_a_mail_is_still_on_its_way_is_left_until_it_has_gone() {
    let stage = Stage::new(4).await;
    let first = "{send: mail}\n  - {name: pause, wait: 2 days}\n  - {name: mail, send: mail}";
    let with_first = |text: String| text.replace("{name: pause, wait: 2 days}\n  - {name: mail, send: mail}", first);
    stage.publish(&with_first(letter("wait: 2 days", "old"))).await;
    stage.publish(&with_first(letter("wait: 2 days", "new"))).await;
    let away = |service| vec![Fault::new(FaultKind::Unreachable, When::Chance(1.0)).at(service)];
    stage.identify("ann", json!({})).await;
    stage.pass(SignedDuration::from_mins(1)).await;
    // The row is written, and then neither its mail nor its timer.
    stage.world.cloud().faults().set(away(Service::SqsStandard));
    stage.track("ann", "Go", json!({})).await;
    stage.pass(SignedDuration::from_secs(30)).await;
    let back = json!({"to_version": 1, "moves": {"pause": "mail"}});
    let answer = migrate(&stage, &back).await;
    assert_eq!((done(&answer), &answer["skipped"]["unsettled"]), ((0, 0), &json!(1)), "{answer}");
    stage.world.cloud().faults().clear();
    stage.pass(SignedDuration::from_hours(1)).await;
    assert_eq!(stage.sent(), [("ann@example.com".to_owned(), "new".to_owned())]);
    assert_eq!(done(&migrate(&stage, &back).await), (1, 0));
    stage.pass(SignedDuration::from_secs(5)).await;
    assert_eq!(stage.sent().len(), 2);
    stage.pass(3 * DAY).await;
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn many_are_moved_a_hundred_at_a_time_and_each_of_them_once() {
    let stage = Stage::new(5).await;
    stage.publish(&letter("wait: 20 days", "old")).await;
    for start in [0, 125] {
        let people = start..start + 125;
        let go = |n: usize| json!({"type": "track", "userId": format!("person-{n}@example.com"), "event": "Go"});
        stage.batch(&people.map(go).collect::<Vec<_>>()).await;
    }
    stage.pass(SignedDuration::from_mins(1)).await;
    stage.publish(&letter("wait: 20 days", "new")).await;
    let (mut moved, mut body) = (Vec::new(), ALONG());
    loop {
        let answer = migrate(&stage, &body).await;
        moved.push(done(&answer).0);
        let Some(next) = answer["next"].as_str() else { break };
        body["cursor"] = json!(next);
    }
    assert_eq!(moved, [100, 100, 50]);
    assert_eq!(waiting(&stage).await, json!([{"version": 2, "step": "pause", "runs": 250}]));
    stage.pass(21 * DAY).await;
    assert_eq!(stage.sent().len(), 250);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_run_that_moved_meanwhile_is_left_and_counted() {
    let stage = Stage::new(6).await;
    stage.publish(&letter("wait: 2 days", "old")).await;
    begin(&stage, &["ann"]).await;
    stage.publish(&letter("wait: 2 days", "new")).await;
    let conflict = Fault::new(FaultKind::TransactionConflict, When::Chance(1.0)).on("PutItem").of_table("dunlin-runs");
    stage.world.cloud().faults().set(vec![conflict]);
    let answer = migrate(&stage, &ALONG()).await;
    assert_eq!((done(&answer), &answer["skipped"]["moved_meanwhile"]), ((0, 0), &json!(1)), "{answer}");
    stage.world.cloud().faults().clear();
    assert_eq!(done(&migrate(&stage, &ALONG()).await), (1, 0));
}

#[tokio::test]
async fn a_move_whose_answer_is_lost_is_carried_out_all_the_same() {
    let stage = Stage::new(8).await;
    stage.publish(&letter("wait: 20 days", "old")).await;
    begin(&stage, &["ann"]).await;
    stage.publish(&letter("wait: 20 days", "new")).await;
    let lost = Fault::new(FaultKind::TimeoutApplied, When::Call(1)).on("PutItem").of_table("dunlin-runs");
    stage.world.cloud().faults().set(vec![lost]);
    assert_eq!(done(&migrate(&stage, &json!({"to_version": 2, "moves": {"pause": "mail"}})).await), (1, 0));
    stage.pass(SignedDuration::from_secs(5)).await;
    assert_eq!(stage.sent(), [("ann@example.com".to_owned(), "new".to_owned())]);
}

#[tokio::test]
async fn a_migration_to_what_is_not_there_is_refused_and_moves_nobody() {
    let stage = Stage::new(7).await;
    stage.publish(&letter("wait: 2 days", "old")).await;
    begin(&stage, &["ann"]).await;
    stage.publish(&letter("wait: 2 days", "new")).await;
    let path = format!("{}/migrate", runs(&stage));
    for (body, expected, says) in [
        (json!({"to_version": 9, "moves": {"pause": "pause"}}), StatusCode::NOT_FOUND, "version of the campaign"),
        (json!({"to_version": 0, "moves": {"pause": "pause"}}), StatusCode::NOT_FOUND, "not there"),
        (
            json!({"to_version": 2, "moves": {"pause": "puase"}}),
            StatusCode::UNPROCESSABLE_ENTITY,
            "did you mean `pause`?",
        ),
        (json!({"to_version": 2, "moves": {}}), StatusCode::UNPROCESSABLE_ENTITY, "no step is named"),
        (json!({"to_version": 2, "move": {}}), StatusCode::BAD_REQUEST, "unknown field"),
        (json!({"to_version": 2, "moves": {"pause": null}, "cursor": "x"}), StatusCode::BAD_REQUEST, "`cursor`"),
    ] {
        let (status, answer) = stage.manage(Method::POST, &path, &body).await;
        assert_eq!(status, expected, "{answer}");
        assert!(answer.to_string().contains(says), "{answer}");
    }
    assert_eq!(waiting(&stage).await, json!([{"version": 1, "step": "pause", "runs": 1}]));
}
