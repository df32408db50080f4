//! The status page: names what is not well within a minute, and says so when it is well again.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use dunlin_aws::mailer::Outcome;
use dunlin_aws::pulses::Pulses;
use dunlin_local::{Fault, FaultKind, Function, Service, When};
use dunlin_tests::Stage;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::RECEIPT;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Minutes in which the functions run or not, and `sweep` does at their end.
async fn minutes(stage: &Stage, count: u32, runs: bool) {
    let clock = stage.world.cloud().clock().clone();
    for _ in 0..count {
        if runs {
            stage.world.settle().await;
        }
        clock.advance_to(clock.now() + MINUTE);
        stage.world.sweep().await;
    }
}

async fn shown(stage: &Stage) -> Value {
    let (status, shown) = stage.request(Method::GET, "/status.json", &[], &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    shown
}

/// The components that are not operational, each with its state.
async fn unwell(stage: &Stage) -> Vec<(String, String)> {
    let shown = shown(stage).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = shown["components"].as_array().expect("components").iter();
    let named = all.map(|one| (text(&one["component"]), text(&one["state"])));
    named.filter(|(_, state)| state != "operational" && state != "not_offered").collect()
}

fn all(names: &[&str], state: &str) -> Vec<(String, String)> {
    names.iter().map(|name| ((*name).to_owned(), state.to_owned())).collect()
}

fn away(service: Service) -> Vec<Fault> {
    vec![Fault::new(FaultKind::Unreachable, When::Chance(1.0)).at(service)]
}

const ON_TABLES: [&str; 6] =
    ["evaluation", "scheduling", "transactional_mail", "triggered_mail", "feedback", "console"];

#[tokio::test]
async fn while_the_tables_are_away_all_but_ingestion_is_down_within_a_minute_and_it_returns_by_itself() {
    let stage = Stage::new(1).await;
    stage.publish(RECEIPT).await;
    minutes(&stage, 2, true).await;
    assert_eq!(unwell(&stage).await, vec![]);
    stage.world.cloud().faults().set(away(Service::DynamoDb));
    stage.track("ann@example.com", "Bought", json!({"order": 1})).await;
    minutes(&stage, 1, true).await;
    assert_eq!(unwell(&stage).await, all(&ON_TABLES, "down"));
    minutes(&stage, 9, true).await;
    stage.world.cloud().faults().clear();
    minutes(&stage, 4, true).await;
    assert_eq!(unwell(&stage).await, vec![]);
    assert_eq!(stage.sent().len(), 1);
    let shown = shown(&stage).await;
    let (ingestion, evaluation) = (&shown["components"][0]["days"], &shown["components"][1]["days"]);
    assert_eq!((ingestion, &evaluation[0]["down_minutes"]), (&json!([]), &json!(10)), "{shown}");
    assert_eq!(evaluation[0]["date"], shown["read"][0]["date"]);
}

#[tokio::test]
async fn a_backlog_is_a_delay_of_as_many_seconds_as_what_is_sent_now_has_waited() {
    let stage = Stage::new(2).await;
    stage.publish(RECEIPT).await;
    minutes(&stage, 2, true).await;
    for order in 0..20 {
        stage.track("ann@example.com", "Bought", json!({ "order": order })).await;
    }
    while stage.world.poll(Function::Evaluate).await > 0 {}
    minutes(&stage, 5, false).await;
    assert_eq!(unwell(&stage).await, all(&["transactional_mail"], "delayed"), "each kind of mail waits for itself");
    let found = shown(&stage).await["components"][3]["seconds"].as_i64().expect("seconds");
    assert!((240..=300).contains(&found), "nobody sends, for 300 s: {found}");
    stage.world.poll(Function::Send).await;
    stage.world.sweep().await;
    minutes(&stage, 1, false).await;
    assert_eq!(shown(&stage).await["components"][3]["seconds"], json!(300), "measured by who sends");
    minutes(&stage, 6, false).await;
    // Nor are the reports about the ten that left.
    let nobody = all(&["transactional_mail", "feedback"], "down");
    assert_eq!(unwell(&stage).await, nobody, "nothing is done for more than five minutes");
    minutes(&stage, 2, true).await;
    assert_eq!((unwell(&stage).await, stage.sent().len()), (vec![], 20));
    let tally = &shown(&stage).await["components"][3]["days"][0];
    assert!(tally["delayed_minutes"].as_u64() > Some(5) && tally["down_minutes"].as_u64() > Some(0), "{tally}");
}

#[tokio::test]
async fn mails_are_down_while_ses_takes_none_and_operational_when_the_next_one_goes() {
    let stage = Stage::new(3).await;
    stage.publish(RECEIPT).await;
    minutes(&stage, 2, true).await;
    // An environment of `send` to which SES says that sending is paused.
    let pulses = Pulses::new(stage.world.clients(), "dunlin-");
    pulses.heard(&Outcome::Paused("sending is paused".to_owned()));
    pulses.around(SqsEvent::default(), async |_| SqsBatchResponse::default()).await;
    minutes(&stage, 1, true).await;
    assert_eq!(unwell(&stage).await, all(&["transactional_mail", "triggered_mail"], "down"));
    minutes(&stage, 14, true).await;
    assert_eq!(unwell(&stage).await.len(), 2, "until it is tried again");
    stage.track("ann@example.com", "Bought", json!({"order": 1})).await;
    minutes(&stage, 1, true).await;
    assert_eq!((unwell(&stage).await, stage.sent().len()), (vec![], 1));
}

#[tokio::test]
async fn a_quota_that_is_used_up_delays_mails_by_as_long_as_it_lasts() {
    let stage = Stage::new(4).await;
    stage.publish(RECEIPT).await;
    stage.world.cloud().faults().set(vec![Fault::new(FaultKind::Throttle, When::Chance(1.0)).at(Service::Ses)]);
    stage.track("ann@example.com", "Bought", json!({"order": 1})).await;
    minutes(&stage, 10, true).await;
    let found = shown(&stage).await["components"][3].clone();
    assert!(found["state"] == "delayed" && found["seconds"].as_i64() > Some(500), "{found}");
    stage.world.cloud().faults().clear();
    minutes(&stage, 2, true).await;
    assert_eq!(unwell(&stage).await, vec![]);
}

#[tokio::test]
async fn mails_of_unknown_outcome_are_a_delay_since_the_first_of_them_and_never_as_good_as_taken() {
    let stage = Stage::new(9).await;
    stage.publish(RECEIPT).await;
    let silent = Fault::new(FaultKind::TimeoutApplied, When::Chance(1.0)).at(Service::Ses);
    let faults = stage.world.cloud().faults();
    // An hour later again: of the time between nothing is known.
    for (orders, delay) in [(0..5, 200..400), (5..8, 60..240)] {
        faults.set(vec![silent.clone()]);
        for order in orders {
            stage.track("ann@example.com", "Bought", json!({ "order": order })).await;
            minutes(&stage, 1, true).await;
        }
        let found = shown(&stage).await["components"][3].clone();
        assert!(
            found["state"] == "delayed" && found["seconds"].as_i64().is_some_and(|late| delay.contains(&late)),
            "{found}"
        );
        faults.clear();
        minutes(&stage, 60, true).await;
        assert_eq!(unwell(&stage).await, vec![]);
    }
    assert_eq!(stage.sent().len(), 8, "each has left");
}

#[tokio::test]
async fn a_wait_that_is_on_purpose_is_no_delay() {
    let stage = Stage::new(5).await;
    let waits = RECEIPT.replace("message:", "wait: 14 minutes\nmessage:");
    stage.publish(&waits).await;
    minutes(&stage, 2, true).await;
    stage.track("ann@example.com", "Bought", json!({"order": 1})).await;
    for _ in 0..20 {
        minutes(&stage, 1, true).await;
        assert_eq!(unwell(&stage).await, vec![]);
    }
    assert_eq!(stage.sent().len(), 1);
}

#[tokio::test]
async fn without_the_minutes_work_scheduling_is_down_and_nothing_else_is_claimed() {
    let stage = Stage::new(6).await;
    minutes(&stage, 1, true).await;
    let clock = stage.world.cloud().clock().clone();
    clock.advance_to(clock.now() + 3 * MINUTE);
    let mut expected = all(&ON_TABLES, "unknown");
    expected.insert(0, ("ingestion".to_owned(), "unknown".to_owned()));
    expected[2].1 = "down".to_owned();
    assert_eq!(unwell(&stage).await, expected);
}

#[tokio::test]
async fn when_the_readings_are_away_the_page_says_so_itself() {
    let stage = Stage::new(7).await;
    minutes(&stage, 1, true).await;
    stage.world.cloud().faults().set(away(Service::S3));
    minutes(&stage, 5, true).await;
    let shown = shown(&stage).await;
    assert!(shown["summary"].as_str().is_some_and(|text| text.contains("cannot be reached")), "{shown}");
    assert_eq!(unwell(&stage).await.len(), 7);
}

#[tokio::test]
async fn whoever_asks_gets_the_page_without_a_key_and_may_keep_it_for_ten_seconds() {
    use tower::ServiceExt as _;

    let stage = Stage::new(8).await;
    stage.publish(RECEIPT).await;
    minutes(&stage, 1, true).await;
    let ask = async |accept: &str| {
        let request = http::Request::builder().uri("/status").header("accept", accept);
        let request = request.body(axum::body::Body::empty()).expect("a request");
        let answer = stage.world.router().oneshot(request).await.expect("an answer");
        let (head, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
        assert_eq!(
            (head.status, &head.headers["cache-control"]),
            (StatusCode::OK, &"public, max-age=10".parse().expect("ok"))
        );
        String::from_utf8(body.to_vec()).expect("text")
    };
    let page = ask("text/html,application/xhtml+xml").await;
    for text in ["<html lang=\"en\">", "All components are operational", "Triggered mail", "not offered yet"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    for told in [stage.project.as_str(), "Larkspur", "cmp_"] {
        assert!(!page.contains(told), "{told}");
    }
    assert!(ask("application/json").await.starts_with('{'));
}
