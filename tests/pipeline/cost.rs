//! Cost is a test result: the read and write units of each call, as docs/data-model.md states them.

use dunlin_local::{Service, Usage};
use dunlin_tests::Stage;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::RECEIPT;

/// Calls of one kind, over which units are averaged: activity is written out once for several. Not more: who calls more
/// than ten times within five minutes costs a query of the activity, too.
const CALLS: u32 = 8;

/// Write and read units of one call, evaluated: the mean over several calls about one ordinary person.
async fn units(kind: &str, method: Method, path: &str, body: impl Fn(u32) -> Value) -> (f64, f64) {
    let stage = Stage::new(1).await;
    stage.identify("ann", json!({"plan": "pro", "first_name": "Ann"})).await;
    stage.track("ann", "Signed up", json!({})).await;
    stage.world.settle().await;
    let before: Usage = stage.world.cloud().meter().snapshot();
    for n in 0..CALLS {
        stage.call(method.clone(), path, body(n)).await;
        stage.world.settle().await;
    }
    let used = stage.world.cloud().meter().snapshot().difference(&before).total(Service::DynamoDb);
    let mean = |units: f64| (units / f64::from(CALLS) * 10.0).round() / 10.0;
    let means = (mean(used.write_units), mean(used.read_units));
    println!("{kind}: {} write units, {} read units", means.0, means.1);
    means
}

#[tokio::test]
async fn each_call_costs_no_more_units_than_the_data_model_states() {
    let track = "/users/track";
    let event = |n| json!({"identity": {"id": "ann"}, "event_name": "Looked", "data": {"page": n}});
    let stated = std::fs::read_to_string(dunlin_tests::root().join("docs/data-model.md")).expect("the data model");
    let measured = [
        ("identify", units("identify", Method::POST, track, |n| json!({"id": "ann", "data": {"plan": n}})).await),
        ("edit", units("edit", Method::PUT, "/users/edit", |n| json!({"id": "ann", "changes": {"plan": n}})).await),
        (
            "tags",
            units("tags", Method::PUT, "/users/tags/edit", |n| json!({"id": "ann", "add": [n.to_string()]})).await,
        ),
        ("unsubscribe", units("unsubscribe", Method::POST, "/users/unsubscribe", |_| json!({"id": "ann"})).await),
        ("resubscribe", units("resubscribe", Method::POST, "/users/resubscribe", |_| json!({"id": "ann"})).await),
        (
            "reidentify",
            units(
                "reidentify",
                Method::PUT,
                "/users/reidentify",
                |n| json!({"id": format!("a{n}"), "new_id": format!("b{n}")}),
            )
            .await,
        ),
        ("delete", units("delete", Method::POST, "/users/delete", |n| json!({"id": format!("a{n}")})).await),
        ("track", units("track", Method::POST, "/events/track", event).await),
    ];
    for (kind, (writes, reads)) in measured {
        let row = stated.lines().find(|line| line.starts_with(&format!("| {kind} |"))).expect("a row");
        let numbers: Vec<f64> = row.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
        assert!(
            writes <= numbers[0] && reads <= numbers[1],
            "{kind}: {writes} write units and {reads} read units, stated {row}"
        );
    }
}

#[tokio::test]
async fn a_batch_of_one_persons_events_is_one_read_and_one_write() {
    let stage = Stage::new(2).await;
    stage.track("bob", "Looked", json!({})).await;
    stage.world.settle().await;
    let batch: Vec<Value> = (0..10)
        .map(|n| json!({"type": "track", "userId": "ann", "event": "Looked", "messageId": format!("m{n}")}))
        .collect();
    let before = stage.world.cloud().meter().snapshot();
    let body = json!({"writeKey": stage.token, "batch": batch});
    let (status, _) = stage.request(Method::POST, "/v1/batch", &[], &body).await;
    assert_eq!(status, 200);
    stage.world.settle().await;
    let used = stage.world.cloud().meter().snapshot().difference(&before);
    assert_eq!(used.get(Service::SqsFifo, "SendMessageBatch").requests, 1);
    assert_eq!(used.get(Service::DynamoDb, "GetItem").requests, 1);
    let profile = stage.show("/profiles/ann").await;
    assert_eq!(profile["events"][0]["count"], json!(10));
}

#[tokio::test]
async fn a_waiting_run_costs_nothing_until_it_is_due() {
    let stage = Stage::new(3).await;
    stage.publish(RECEIPT).await;
    let waiting = RECEIPT.replace("cmp_receipt", "cmp_later").replace("message:", "wait: 300 days\nmessage:");
    stage.publish(&waiting).await;
    for n in 0..50 {
        stage.track(&format!("p{n}@example.com"), "Bought", json!({"order": n})).await;
    }
    stage.pass(SignedDuration::from_mins(30)).await;
    stage.world.sweep().await;
    stage.pass(SignedDuration::from_mins(1)).await;
    let before = stage.world.cloud().meter().snapshot();
    stage.world.sweep().await;
    let swept = stage.world.cloud().meter().snapshot().difference(&before);
    let units = swept.total(Service::DynamoDb);
    assert!(units.read_units <= 40.0 && units.write_units <= 4.0, "{units:?}");
    assert_eq!(swept.total(Service::SqsStandard).requests, 0);
}

/// People over whom the units of a step are averaged.
const PEOPLE: u32 = 200;

/// Write and read units, and requests to queues, of some runs that wait a minute, take a step and end; an hour later an
/// event comes that some wait for.
async fn runs_of(step: &str) -> [f64; 3] {
    let stage = Stage::new(4).await;
    let yaml = format!(
        "{{id: cmp_step, name: Step, kind: workflow, trigger: {{event: Go}}, messages: {{m: {{subject: m, text: '{{{{ url.unsubscribe_link }}}}'}}}},
          steps: [{{wait: 1 minute}}, {step} {{name: over, exit: over}}]}}"
    );
    stage.publish(&yaml).await;
    stage
        .publish(
            "{id: cmp_other, name: Other, kind: workflow, trigger: {api: true}, messages: {}, steps: [{exit: over}]}",
        )
        .await;
    for n in 0..PEOPLE {
        stage.identify(&format!("p{n}"), json!({"plan": "pro"})).await;
    }
    stage.pass(SignedDuration::from_mins(1)).await;
    let before = stage.world.cloud().meter().snapshot();
    for event in ["Go", "Came"] {
        for n in 0..PEOPLE {
            stage.track(&format!("p{n}"), event, json!({"key": n})).await;
        }
        stage.pass(SignedDuration::from_mins(60)).await;
    }
    stage.pass(SignedDuration::from_mins(120)).await;
    let used = stage.world.cloud().meter().snapshot().difference(&before);
    let (tables, queues) = (used.total(Service::DynamoDb), used.total(Service::SqsStandard));
    [tables.write_units, tables.read_units, queues.requests as f64]
}

#[tokio::test]
async fn each_step_costs_no_more_units_than_the_data_model_states() {
    let stated = std::fs::read_to_string(dunlin_tests::root().join("docs/data-model.md")).expect("the data model");
    let plain = runs_of("").await;
    let for_key = "wait_for: {event: Came, match: {key: event.key}}, within: 2 hours";
    let table = [
        ("`send`", "{send: m},".to_owned()),
        ("`wait`", "{wait: 1 hour},".to_owned()),
        ("`wait_for`, it happens", format!("{{{for_key}}},")),
        ("`wait_for`, it times out", format!("{{{}}},", for_key.replace("2 hours", "10 minutes"))),
        ("`wait_until`, one condition, it times out", "{wait_until: [{tag: vip}], within: 10 minutes},".to_owned()),
        ("`filter`, `branch`, `split`, `hold_out`", "{filter: [{property: user.plan, equals: pro}]}, {branch: [{when: [{tag: vip}], to: over}]}, {hold_out: 0.01},".to_owned()),
        ("`update`", "{update: {set: {n: 1}}},".to_owned()),
        ("`track`", "{track: Tracked},".to_owned()),
        ("`start`", "{start: cmp_other},".to_owned()),
        ("`webhook`", "{webhook: {url: 'https://example.com/'}},".to_owned()),
    ];
    for (name, step) in table {
        let used = runs_of(&step).await;
        let mean = |at: usize| ((used[at] - plain[at]) / f64::from(PEOPLE) * 10.0).round() / 10.0;
        let (writes, reads) = (mean(0), mean(1));
        println!("{name}: {writes} write units, {reads} read units, {} requests to standard queues", mean(2));
        let row = stated
            .lines()
            .find(|line| line.starts_with(&format!("| {name} |")))
            .unwrap_or_else(|| panic!("no row {name}"));
        let numbers: Vec<f64> = row.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
        assert!(writes <= numbers[0] && reads <= numbers[1], "{name}: {writes} and {reads}, stated {row}");
    }
}
