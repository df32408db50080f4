//! A campaign is paused and resumed: the runs that were due meanwhile go on at a stated rate. The stage begins at 9:00.

use std::collections::BTreeSet;

use dunlin_tests::Stage;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::DAY;

/// A wait of two days, and a mail to the address that is the person's id.
const REMINDER: &str = "
id: cmp_reminder
name: Reminder
kind: transactional
trigger: {event: Go}
from: a@larkspur.example
wait: 2 days
message: {subject: late, text: x}
";

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

async fn stage(seed: u64) -> Stage {
    let stage = Stage::new(seed).await;
    stage.publish(REMINDER).await;
    stage
}

async fn begin(stage: &Stage, people: std::ops::Range<usize>) {
    let go = |n| json!({"type": "track", "userId": format!("person-{n}@example.com"), "event": "Go"});
    let people: Vec<Value> = people.map(go).collect();
    for people in people.chunks(500) {
        stage.batch(people).await;
    }
    stage.pass(MINUTE).await;
}

async fn ask(stage: &Stage, what: &str, body: &Value) -> (StatusCode, Value) {
    let path = format!("/projects/{}/campaigns/cmp_reminder/{what}", stage.project);
    stage.manage(Method::POST, &path, body).await
}

async fn resume(stage: &Stage, per_minute: u32) {
    let (status, answer) = ask(stage, "resume", &json!({"per_minute": per_minute})).await;
    assert_eq!((status, &answer["resumed"]["per_minute"]), (StatusCode::OK, &json!(per_minute)), "{answer}");
}

/// How many mails left in each minute, from now on, until `minutes` have passed.
async fn leave(stage: &Stage, minutes: usize) -> Vec<usize> {
    let (mut before, mut left) = (stage.mails().len(), Vec::new());
    for _ in 0..minutes {
        stage.pass(MINUTE).await;
        let now = stage.mails().len();
        left.push(now - before);
        before = now;
    }
    left
}

fn each_once(stage: &Stage, people: usize) {
    let mails = stage.mails();
    let distinct: BTreeSet<&str> = mails.iter().flat_map(|mail| mail.to.iter().map(String::as_str)).collect();
    assert_eq!((mails.len(), distinct.len()), (people, people));
}

#[tokio::test]
async fn six_hundred_overdue_runs_leave_over_three_minutes_at_two_hundred_a_minute() {
    let stage = stage(1).await;
    begin(&stage, 0..600).await;
    ask(&stage, "pause", &Value::Null).await;
    stage.pass(2 * DAY + 7 * MINUTE).await;
    assert_eq!(stage.sent(), []);
    resume(&stage, 200).await;
    // Their hints come back by themselves, all of them at once, within a quarter of an hour.
    let left = leave(&stage, 20).await;
    assert!(left.iter().max() <= Some(&202), "{left:?}");
    let (first, last) = (stage.mails()[0].at, stage.mails()[599].at);
    assert!((175..=181).contains(&last.duration_since(first).as_secs()), "{first} {last}: {left:?}");
    each_once(&stage, 600);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn who_was_not_overdue_waits_for_nobody() {
    let stage = stage(2).await;
    begin(&stage, 0..20).await;
    ask(&stage, "pause", &Value::Null).await;
    stage.pass(DAY).await;
    resume(&stage, 1).await;
    stage.pass(SignedDuration::from_secs(6)).await;
    begin(&stage, 20..40).await;
    ask(&stage, "pause", &Value::Null).await;
    stage.pass(DAY + 30 * MINUTE).await;
    resume(&stage, 1).await;
    let left = leave(&stage, 40).await;
    assert!(left.iter().max() <= Some(&2), "one a minute, on its stroke: {left:?}");
    assert_eq!(left.iter().sum::<usize>(), 20);
    stage.pass(DAY - 75 * MINUTE).await;
    let left = leave(&stage, 10).await;
    assert!(
        left.windows(2).any(|two| two.iter().sum::<usize>() == 20),
        "all that were due after it was resumed: {left:?}"
    );
    each_once(&stage, 40);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_campaign_that_is_paused_again_holds_those_that_had_not_gone_and_gives_them_new_turns() {
    let stage = stage(3).await;
    begin(&stage, 0..60).await;
    ask(&stage, "pause", &Value::Null).await;
    stage.pass(2 * DAY).await;
    resume(&stage, 1).await;
    let first: usize = leave(&stage, 25).await.iter().sum();
    assert!((9..=25).contains(&first), "{first}");
    ask(&stage, "pause", &Value::Null).await;
    stage.pass(6 * MINUTE).await;
    let held = stage.mails().len();
    assert_eq!(leave(&stage, 120).await, vec![0; 120]);
    resume(&stage, 10).await;
    let left = leave(&stage, 40).await;
    assert!(left.iter().max() <= Some(&11), "{left:?}");
    assert_eq!(left.iter().sum::<usize>(), 60 - held);
    each_once(&stage, 60);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_rate_is_a_thousand_unless_said_and_what_is_none_is_refused() {
    let stage = stage(4).await;
    for (body, says) in [
        (json!({"per_minute": 0}), "60000"),
        (json!({"per_minute": 60_001}), "60000"),
        (json!({"rate": 5}), "unknown field"),
    ] {
        let (status, answer) = ask(&stage, "resume", &body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        assert!(answer.to_string().contains(says), "{answer}");
    }
    let (_, running) = ask(&stage, "resume", &json!({"per_minute": 5})).await;
    assert_eq!(running["resumed"], Value::Null, "it was not paused");
    ask(&stage, "pause", &Value::Null).await;
    let (_, resumed) = ask(&stage, "resume", &Value::Null).await;
    assert_eq!(resumed["resumed"]["per_minute"], json!(1_000));
    stage.publish(&REMINDER.replace("2 days", "3 days")).await;
    assert_eq!(stage.show("/campaigns/cmp_reminder").await["resumed"], resumed["resumed"], "a new version keeps it");
}
