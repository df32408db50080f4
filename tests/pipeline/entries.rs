//! Who enters a campaign, by what, and how often. The stage begins on Monday 5 January 2026 at 9:00 UTC.

use dunlin_local::{Fault, FaultKind, Function, When};
use dunlin_tests::Stage;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const SECONDS: SignedDuration = SignedDuration::from_secs(3);

/// A campaign that sends one mail, two hours after its trigger.
fn campaign(trigger: &str, entry: &str) -> String {
    format!(
        "{{id: cmp_one, name: One, kind: workflow, trigger: {trigger}, entry: {entry},
          messages: {{one: {{subject: 'one {{{{ event.n }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}},
          steps: [{{wait: 2 hours}}, {{send: one}}]}}"
    )
}

async fn stage(seed: u64, trigger: &str, entry: &str) -> Stage {
    let stage = Stage::new(seed).await;
    stage.publish(&campaign(trigger, entry)).await;
    stage
}

fn subjects(stage: &Stage) -> Vec<String> {
    stage.mails().into_iter().map(|mail| mail.subject).collect()
}

async fn edit(stage: &Stage, person: &str, changes: Value) {
    stage.call(Method::PUT, "/users/edit", json!({"id": person, "changes": changes})).await;
    stage.pass(SECONDS).await;
}

/// Which of these events, an hour apart, send a mail: each with a key.
async fn entered(seed: u64, entry: &str, keys: &[&str]) -> Vec<String> {
    let stage = stage(seed, "{event: Went}", entry).await;
    stage.identify("ann", json!({})).await;
    for (n, key) in keys.iter().enumerate() {
        stage.track("ann", "Went", json!({"n": n, "key": key})).await;
        stage.pass(HOUR).await;
    }
    stage.pass(24 * HOUR).await;
    stage.assert_at_rest().await;
    subjects(&stage)
}

/// A seed found that a run which began twice, since its `evaluate` had died, was taken for one that is not over.
#[tokio::test]
async fn who_comes_after_the_run_before_was_over_enters_although_that_one_is_begun_again_beside_it() {
    let mut stage = Stage::new(7).await;
    stage.publish(&campaign("{event: Went}", "{again: when_over}").replace("2 hours", "20 seconds")).await;
    stage.identify("ann", json!({})).await;
    stage.pass(SECONDS).await;
    stage.track("ann", "Went", json!({"n": 1})).await;
    // The run is stored and its timer set; the answer to the queue is lost.
    let lost = Fault::new(FaultKind::LostDelete, When::Call(1));
    stage.world.cloud().faults().set(vec![lost]);
    stage.world.poll(Function::Evaluate).await;
    stage.restart();
    stage.pass(SignedDuration::from_secs(60)).await;
    assert_eq!(subjects(&stage), ["one 1"]);
    stage.track("ann", "Went", json!({"n": 2})).await;
    stage.pass(HOUR).await;
    assert_eq!(subjects(&stage), ["one 1", "one 2"]);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_rule_says_who_enters_again_and_with_a_key_it_is_asked_for_each() {
    let keys = ["a", "a", "b", "a", "b"];
    for (seed, (entry, expected)) in [
        ("{}", vec![0, 1, 2, 3, 4]),
        ("{again: never}", vec![0]),
        ("{again: never, key: event.key}", vec![0, 2]),
        ("{again: when_over}", vec![0, 3]),
        ("{again: when_over, key: event.key}", vec![0, 2, 3, 4]),
        ("{again: {after: 170 minutes}}", vec![0, 3]),
        ("{per_day: 2}", vec![0, 1]),
        ("{total: 3}", vec![0, 1, 2]),
    ]
    .into_iter()
    .enumerate()
    {
        let expected: Vec<String> = expected.into_iter().map(|n| format!("one {n}")).collect();
        assert_eq!(entered(seed as u64, entry, &keys).await, expected, "{entry}");
    }
}

#[tokio::test]
async fn who_does_not_enter_again_can_read_why() {
    let stage = stage(20, "{event: Went}", "{again: never, key: event.key}").await;
    stage.identify("ann", json!({})).await;
    for (n, key) in [(0, json!(1)), (1, json!(1)), (2, Value::Null)] {
        stage.track("ann", "Went", json!({"n": n, "key": key})).await;
        stage.pass(SECONDS).await;
    }
    let shown = stage.show("/profiles/ann/activity").await.to_string();
    assert!(shown.contains("campaign not started: the person has entered before"), "{shown}");
    assert!(shown.contains("campaign not started: event.key has no value to tell it by"), "{shown}");
}

#[tokio::test]
async fn two_events_in_one_batch_do_not_both_enter_one_at_a_time() {
    let stage = stage(21, "{event: Went}", "{again: when_over}").await;
    let went = |n: u32| json!({"type": "track", "userId": "ann@example.com", "event": "Went", "messageId": n.to_string(), "properties": {"n": n}});
    stage.batch(&[went(0), went(1), went(2)]).await;
    stage.pass(24 * HOUR).await;
    assert_eq!(subjects(&stage), ["one 0"]);
}

#[tokio::test]
async fn coming_into_a_condition_enters_and_being_in_it_does_not() {
    let stage = stage(22, "{enters: [{property: user.plan, equals: pro}, {no_tag: staff}]}", "{}").await;
    stage.identify("ann", json!({"plan": "free"})).await;
    stage.identify("new", json!({"plan": "pro"})).await;
    stage.identify("staff", json!({"plan": "free"})).await;
    stage.call(Method::PUT, "/users/tags/edit", json!({"id": "staff", "add": ["staff"]})).await;
    stage.pass(3 * HOUR).await;
    assert_eq!(stage.sent().len(), 1, "who is new comes into it: {:?}", stage.sent());
    for person in ["ann", "staff"] {
        edit(&stage, person, json!({"plan": "pro"})).await;
        edit(&stage, person, json!({"plan": "pro", "again": true})).await;
    }
    stage.pass(3 * HOUR).await;
    let to: Vec<String> = stage.sent().into_iter().map(|(to, _)| to).collect();
    assert_eq!(to, ["new@example.com", "ann@example.com"]);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn going_out_of_a_condition_enters() {
    let stage = stage(23, "{leaves: [{property: user.plan, equals: pro}]}", "{}").await;
    stage.identify("ann", json!({"plan": "pro"})).await;
    stage.identify("bob", json!({"plan": "pro"})).await;
    stage.pass(SECONDS).await;
    edit(&stage, "ann", json!({"plan": null})).await;
    stage.call(Method::POST, "/users/delete", json!({"id": "bob"})).await;
    stage.pass(3 * HOUR).await;
    assert_eq!(stage.sent().into_iter().map(|(to, _)| to).collect::<Vec<_>>(), ["ann@example.com"]);
}

#[tokio::test]
async fn an_api_call_enters_once_for_each_check_id_and_only_who_is_there() {
    let stage = stage(24, "{api: true}", "{}").await;
    stage.identify("ann", json!({})).await;
    for (person, check) in [("ann", "x"), ("ann", "x"), ("ann", "y"), ("nobody", "z")] {
        let body = json!({"id": person, "campaign": "cmp_one", "data": {"n": check}, "extras": {"check_id": check}});
        stage.call(Method::POST, "/campaigns/enter", body).await;
        stage.pass(HOUR).await;
    }
    let nonsense = json!({"auth_token": stage.token, "id": "ann", "campaign": "one"});
    let (status, answer) = stage.request(Method::POST, "/api/v2/campaigns/enter", &[], &nonsense).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    stage.pass(24 * HOUR).await;
    assert_eq!(subjects(&stage), ["one x", "one y"]);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_passive_event_starts_nothing_and_counts() {
    let stage = stage(25, "{event: Went}", "{}").await;
    let passive = json!({"identity": {"id": "ann@example.com"}, "event_name": "Went", "data": {"n": 1}, "extras": {"passive": true}});
    stage.call(Method::POST, "/events/track", passive).await;
    stage.pass(24 * HOUR).await;
    assert_eq!(subjects(&stage), [""; 0]);
    let shown = stage.show("/profiles/ann@example.com").await;
    assert_eq!(shown["events"][0]["count"], json!(1), "{shown}");
}

#[tokio::test]
async fn an_imported_event_counts_what_is_left_of_its_wait_from_its_own_time() {
    let stage = stage(26, "{event: Went}", "{}").await;
    for (n, at) in [(0, "2026-01-05T08:00:00Z"), (1, "2026-01-01T08:00:00Z")] {
        let body = json!({"identity": {"id": "ann@example.com"}, "event_name": "Went", "data": {"n": n}, "extras": {"created_at": at}});
        stage.call(Method::POST, "/events/track", body).await;
    }
    stage.pass(SECONDS).await;
    assert_eq!(subjects(&stage), ["one 1"], "its two hours are long over");
    stage.pass(HOUR).await;
    assert_eq!(subjects(&stage), ["one 1", "one 0"]);
    assert_eq!(stage.mails().last().map(|mail| mail.at.strftime("%H:%M").to_string()).as_deref(), Some("10:00"));
}

#[tokio::test]
async fn steps_change_the_person_track_events_and_start_other_campaigns() {
    let stage = Stage::new(27).await;
    stage
        .publish(
            "{id: cmp_first, name: First, kind: workflow, trigger: {event: Went}, messages: {},
              steps: [
                {update: {set: {last: '{{ event.n }}', label: 'n is {{ event.n | plus: 1 }}', seen: [1, '{{ user.id }}']}, unset: [old], add_tags: [went], remove_tags: [fresh]}},
                {track: Gone, data: {n: '{{ event.n }}'}},
                {start: cmp_third, data: {n: 'third {{ event.n }}'}}]}",
        )
        .await;
    let mail = |id: &str, trigger: &str| {
        format!(
            "{{id: {id}, name: X, kind: transactional, trigger: {trigger}, message: {{subject: '{id} {{{{ event.n }}}}', text: x}}}}"
        )
    };
    stage.publish(&mail("cmp_second", "{event: Gone}")).await;
    stage.publish(&mail("cmp_third", "{api: true}")).await;
    stage.identify("ann", json!({"old": 1})).await;
    stage.call(Method::PUT, "/users/tags/edit", json!({"id": "ann", "add": ["fresh"]})).await;
    stage.track("ann", "Went", json!({"n": 7})).await;
    stage.pass(HOUR).await;
    let mut mails = subjects(&stage);
    mails.sort();
    assert_eq!(mails, ["cmp_second 7", "cmp_third third 7"]);
    let shown = stage.show("/profiles/ann").await;
    assert_eq!(
        shown["properties"],
        json!({"email": "ann@example.com", "last": 7, "label": "n is 8", "seen": [1, "ann"]}),
        "{shown}"
    );
    assert_eq!(shown["tags"], json!(["went"]));
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn campaigns_that_start_one_another_are_cut() {
    let stage = Stage::new(28).await;
    for (id, other) in [("cmp_ping", "cmp_pong"), ("cmp_pong", "cmp_ping")] {
        let yaml = format!(
            "{{id: {id}, name: X, kind: workflow, trigger: {{event: Went}}, messages: {{}}, steps: [{{start: {other}}}]}}"
        );
        stage.publish(&yaml).await;
    }
    stage.identify("ann", json!({})).await;
    stage.track("ann", "Went", json!({})).await;
    stage.pass(HOUR).await;
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn two_people_who_enter_a_limited_campaign_at_once_both_do() {
    let stage = stage(30, "{event: Went}", "{total: 50}").await;
    let faults = stage.world.cloud().faults();
    faults.set(vec![Fault::new(FaultKind::TransactionConflict, When::Chance(1.0)).on("TransactWriteItems").times(3)]);
    for n in 0..3 {
        stage.track(&format!("p{n}@example.com"), "Went", json!({"n": n})).await;
    }
    stage.pass(24 * HOUR).await;
    assert_eq!(subjects(&stage).len(), 3, "{:?}", stage.sent());
}

#[tokio::test]
async fn who_is_turned_away_by_a_full_campaign_has_not_entered() {
    let stage = stage(31, "{event: Went}", "{again: never, total: 1}").await;
    for person in ["ann@example.com", "ben@example.com"] {
        stage.track(person, "Went", json!({"n": person})).await;
        stage.pass(SECONDS).await;
    }
    stage.publish(&campaign("{event: Went}", "{again: never, total: 2}")).await;
    stage.pass(HOUR).await;
    stage.track("ben@example.com", "Went", json!({"n": "ben, again"})).await;
    stage.pass(24 * HOUR).await;
    assert_eq!(subjects(&stage), ["one ann@example.com", "one ben, again"]);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_campaign_that_is_deleted_and_published_again_begins_anew() {
    let stage = stage(32, "{event: Went}", "{again: when_over}").await;
    let path = format!("/projects/{}/campaigns/cmp_one", stage.project);
    stage.track("ann@example.com", "Went", json!({"n": 1})).await;
    stage.pass(SECONDS).await;
    stage.manage(Method::POST, &format!("{path}/pause"), &Value::Null).await;
    stage.manage(Method::DELETE, &path, &Value::Null).await;
    stage.pass(HOUR).await;
    stage.publish(&campaign("{event: Went}", "{again: when_over}")).await;
    stage.pass(SignedDuration::from_mins(2)).await;
    stage.track("ann@example.com", "Went", json!({"n": 2})).await;
    stage.pass(24 * HOUR).await;
    assert_eq!(subjects(&stage), ["one 2"], "neither the pause nor the run of the one before is in its way");
    stage.assert_at_rest().await;
}
