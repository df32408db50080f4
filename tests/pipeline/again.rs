//! What comes again after whoever had it died, or twice: nothing is lost by that, and nothing done twice.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use dunlin_aws::profiles::Profiles;
use dunlin_aws::resources::{EVENTS, STEPS};
use dunlin_aws::{Chance, Clients};
use dunlin_core::call::Properties;
use dunlin_core::ids::{EventId, UserId};
use dunlin_core::limits::SEEN_CALLS;
use dunlin_core::profile::Activity;
use dunlin_evaluate::Evaluate;
use dunlin_local::{Answer, Broken, Cloud, Function, Side, http_client, world};
use dunlin_tests::Stage;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use jiff::SignedDuration;
use serde_json::json;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A mail at once, to those who are pro when the event comes.
const PRO: &str = "{id: cmp_pro, name: Pro, kind: behavioural, from: shop@larkspur.example,
  trigger: {event: Paid, filters: [{property: user.plan, equals: pro}]},
  message: {subject: 'Round {{ event.round }}', text: '{{ url.unsubscribe_link }}'}}";

/// A mail at once.
const RECEIPT: &str = "{id: cmp_receipt, name: Receipt, kind: transactional, from: shop@larkspur.example,
  trigger: {event: Paid}, message: {subject: 'Round {{ event.round }}', text: thanks}}";

/// A mail after each of two waits.
const TWICE: &str = "{id: cmp_twice, name: Twice, kind: workflow, trigger: {event: Go}, from: a@larkspur.example,
  messages: {one: {subject: one, text: one}, two: {subject: two, text: two}},
  steps: [{wait: 20 minutes}, {send: one}, {wait: 20 minutes}, {send: two}]}";

/// Each goes one of two ways, by what is true of the person just then: a branch, a filter, a wait that may be over.
const WAYS: [&str; 3] = [
    "{branch: [{when: [{property: user.plan, equals: pro}], to: one}]}",
    "{filter: [{property: user.plan, equals: pro}], else: two}",
    "{wait: {window: {from: '8:00', to: '18:00'}}}",
];

/// A function dies at the `n`-th request of its next batch, and starts again; whether the batch made so many.
async fn die(stage: &mut Stage, function: Function, n: u64, side: Side) -> bool {
    stage.world.cloud().faults().crash_at(n, side);
    stage.world.poll(function).await;
    let died = stage.world.cloud().faults().has_crashed();
    stage.restart();
    died
}

/// Deletes a person, later than what they did.
async fn delete(stage: &Stage, id: &str) {
    let clock = stage.world.cloud().clock();
    clock.advance_to(clock.now() + SignedDuration::from_millis(5));
    stage.call(Method::POST, "/users/delete", json!({ "id": id })).await;
}

/// All runs' rows as they are kept.
async fn runs(stage: &Stage) -> String {
    let rows = stage.world.clients().dynamodb.scan().table_name("dunlin-runs").send().await.expect("rows");
    format!("{:?}", rows.items())
}

#[tokio::test]
async fn a_call_that_comes_again_meets_the_decision_of_its_first_time_whatever_became_true_since() {
    let mut deaths = 0;
    for (n, side) in (1..).flat_map(|n| [(n, Side::Before), (n, Side::After)]) {
        let mut stage = Stage::new(1).await;
        stage.publish(PRO).await;
        // Ann is pro when she pays and no more; bea becomes it later. One batch has it all.
        for (person, round, plans) in [("ann", 1, ["pro", "free"]), ("bea", 2, ["free", "pro"])] {
            stage.identify(person, json!({"plan": plans[0]})).await;
            stage.track(person, "Paid", json!({ "round": round })).await;
            stage.identify(person, json!({"plan": plans[1]})).await;
        }
        if !die(&mut stage, Function::Evaluate, n, side).await {
            break;
        }
        deaths += 1;
        stage.pass(10 * MINUTE).await;
        assert_eq!(stage.sent(), [("ann@example.com".into(), "Round 1".into())], "request {n}, {side:?}");
        stage.assert_at_rest().await;
    }
    assert!(deaths >= 10, "{deaths} deaths");
}

/// Killing servers found that what a person's profile does not know yet was taken for known, by the chunk of activity that
/// was written before it.
#[tokio::test]
async fn a_call_of_who_calls_often_is_not_lost_when_its_evaluation_dies() {
    // One of these many writes out a chunk.
    for often in SEEN_CALLS + 1..=SEEN_CALLS + 4 {
        let mut deaths = 0;
        for (n, side) in (1..).flat_map(|n| [(n, Side::Before), (n, Side::After)]) {
            let mut stage = Stage::new(1).await;
            stage.publish(RECEIPT).await;
            for round in 1..often {
                stage.track("ann@example.com", "Paid", json!({ "round": round })).await;
                stage.pass(SignedDuration::from_secs(2)).await;
            }
            stage.track("ann@example.com", "Paid", json!({ "round": often })).await;
            if !die(&mut stage, Function::Evaluate, n, side).await {
                break;
            }
            deaths += 1;
            stage.pass(10 * MINUTE).await;
            let events = stage.show("/profiles/ann@example.com").await["events"].clone();
            let counted = events[0]["count"].as_u64();
            assert_eq!((counted, stage.sent().len()), (Some(often as u64), often), "{often}: {n}, {side:?}");
            stage.assert_at_rest().await;
        }
        assert!(deaths >= 6, "{deaths} deaths");
    }
}

/// AWS, and what comes to pass beside the first chunk of activity that is written.
#[derive(Clone)]
struct Meanwhile {
    cloud: Cloud,
    then: Arc<Mutex<Option<BoxFuture<'static, ()>>>>,
}

impl std::fmt::Debug for Meanwhile {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Meanwhile")
    }
}

impl Answer for Meanwhile {
    fn answer(&self, request: Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, Broken>> {
        let Self { cloud, then } = self.clone();
        Box::pin(async move {
            let body = String::from_utf8_lossy(request.body());
            if body.contains("activity#") && body.contains("\"Item\"") {
                let then = then.lock().expect("unpoisoned").take();
                if let Some(then) = then {
                    then.await;
                }
            }
            Answer::answer(&cloud, request).await
        })
    }
}

/// A reviewer found that who was slower wrote a chunk behind the back of the delete.
#[tokio::test]
async fn of_who_is_deleted_while_somebody_writes_out_their_activity_nothing_stays() {
    let stage = Stage::new(1).await;
    for _ in 0..2 {
        stage.track("ann@example.com", "Paid", json!({"secret": "gold".repeat(40)})).await;
        stage.pass(SECOND).await;
    }
    stage.track("ann@example.com", "Went", json!({})).await;
    let (cloud, settings) = (stage.world.cloud().clone(), stage.world.settings().clone());
    let queue = stage.world.queue_name(&EVENTS);
    let event = world::event(&queue, cloud.sqs().receive(&queue, 1));
    delete(&stage, "ann@example.com").await;
    // The first evaluation stands still; the call comes again with the delete, and both are taken.
    let (clock, world) = (cloud.clock().clone(), stage.world.clone());
    let others = async move {
        clock.advance_to(clock.now() + 10 * MINUTE);
        while world.poll(Function::Evaluate).await > 0 {}
    };
    let then: Arc<Mutex<Option<BoxFuture<'static, ()>>>> = Arc::new(Mutex::new(Some(others.boxed())));
    let meanwhile = http_client(Meanwhile { cloud: cloud.clone(), then: Arc::clone(&then) });
    let clients = Clients::in_process(meanwhile, cloud.clock().clone(), Chance::seeded(1));
    Evaluate::new(&clients, &settings).handle(event).await;
    assert!(then.lock().expect("unpoisoned").is_none(), "the chunk was written");
    let rows = stage.world.clients().dynamodb.scan().table_name("dunlin-profiles").send().await.expect("rows");
    assert!(!format!("{:?}", rows.items()).contains("gold"), "{:?}", rows.items());
}

#[tokio::test]
async fn a_call_that_comes_twice_with_more_calls_than_a_profile_remembers_between_counts_once() {
    let paid = |round: usize| {
        json!({"type": "track", "userId": "ann@example.com", "event": "Paid", "messageId": format!("round {round}"),
            "properties": {"round": round}})
    };
    let many = SEEN_CALLS + 4;
    // Within one batch; or behind others, although it was taken before them.
    for (before, first) in [(None, 1), (Some(paid(1)), 2)] {
        let stage = Stage::new(1).await;
        stage.publish(RECEIPT).await;
        if let Some(before) = before {
            stage.batch(&[before]).await;
            stage.pass(MINUTE).await;
        }
        stage.batch(&(first..many).chain([1]).map(paid).collect::<Vec<_>>()).await;
        stage.pass(10 * MINUTE).await;
        let events = stage.show("/profiles/ann@example.com").await["events"].clone();
        assert_eq!((events[0]["count"].as_u64(), stage.sent().len()), (Some(many as u64 - 1), many - 1));
    }
}

/// A review found that a start which asks nothing of a row could go both ways, and mail twice.
#[tokio::test]
async fn a_run_that_begins_again_after_the_person_changed_does_not_go_both_ways() {
    let (pro, free) = (json!({"plan": "pro", "timezone": 0}), json!({"plan": "free", "timezone": 12}));
    for (way, (first, then)) in WAYS.iter().flat_map(|way| [(way, (&pro, &free)), (way, (&free, &pro))]) {
        let campaign = format!(
            "{{id: cmp_ways, name: Ways, kind: workflow, trigger: {{event: Go}}, from: a@larkspur.example,
              messages: {{one: {{subject: one, text: one}}, two: {{subject: two, text: two}}}},
              steps: [{way}, {{name: two, send: two, next: end}}, {{name: one, send: one}}, {{name: end, exit: end}}]}}"
        );
        // Whoever goes on at the filter is one, too.
        let campaign = campaign.replace("else: two}", "else: two, next: one}");
        let mut deaths = 0;
        for (n, side) in (1..).flat_map(|n| [(n, Side::Before), (n, Side::After)]) {
            let mut stage = Stage::new(1).await;
            stage.publish(&campaign).await;
            stage.identify("ann", first.clone()).await;
            stage.track("ann", "Go", json!({})).await;
            stage.identify("ann", then.clone()).await;
            if !die(&mut stage, Function::Evaluate, n, side).await {
                break;
            }
            deaths += 1;
            stage.pass(2 * 24 * 60 * MINUTE).await;
            assert_eq!(stage.sent().len(), 1, "{way}, {first}: request {n}, {side:?}: {:?}", stage.sent());
            stage.assert_at_rest().await;
        }
        assert!(deaths >= 10, "{deaths} deaths");
    }
}

#[tokio::test]
async fn of_who_is_deleted_while_their_run_begins_no_run_is_left_waiting_and_nothing_the_event_said() {
    for is_together in [true, false] {
        let mut deaths = 0;
        for (n, side) in (1..).flat_map(|n| [(n, Side::Before), (n, Side::After)]) {
            let mut stage = Stage::new(1).await;
            stage.publish(TWICE).await;
            stage.track("ann@example.com", "Go", json!({"secret": "gold"})).await;
            if is_together {
                delete(&stage, "ann@example.com").await;
            }
            if !die(&mut stage, Function::Evaluate, n, side).await {
                break;
            }
            deaths += 1;
            if !is_together {
                delete(&stage, "ann@example.com").await;
            }
            stage.pass(10 * MINUTE).await;
            let runs = runs(&stage).await;
            let is_clean = !runs.contains("waiting") && !runs.contains("gold");
            assert!(is_clean, "request {n}, {side:?}, together: {is_together}: {runs}");
            stage.pass(60 * MINUTE).await;
            assert_eq!(stage.sent(), []);
            stage.assert_at_rest().await;
        }
        assert!(deaths >= 8, "{deaths} deaths");
    }
}

#[tokio::test]
async fn a_second_hint_makes_up_for_whoever_moved_the_run_by_the_first_and_died() {
    let mut deaths = 0;
    for (n, side) in (1..).flat_map(|n| [(n, Side::Before), (n, Side::After)]) {
        let mut stage = Stage::new(1).await;
        stage.publish(TWICE).await;
        stage.track("ann@example.com", "Go", json!({})).await;
        while stage.world.poll(Function::Evaluate).await > 0 {}
        let clock = stage.world.cloud().clock().clone();
        clock.advance_to(clock.now() + 20 * MINUTE);
        stage.world.sweep().await;
        let (sqs, steps) = (stage.world.cloud().sqs().clone(), stage.world.queue_name(&STEPS));
        let hint = sqs.receive(&steps, 1).pop().expect("a hint");
        sqs.make_visible(&steps, &[hint.receipt], 0);
        if !die(&mut stage, Function::Schedule, n, side).await {
            break;
        }
        deaths += 1;
        // The first lies hidden as whoever died left it. The second comes twice itself.
        let url = stage.world.settings().queue_url(STEPS);
        for _ in 0..2 {
            let again = stage.world.clients().sqs.send_message().queue_url(&url).message_group_id("p");
            again.message_body(&hint.body).send().await.expect("sent");
            stage.world.poll(Function::Schedule).await;
            stage.world.poll(Function::Send).await;
            let subjects: Vec<_> = stage.sent().into_iter().map(|(_, subject)| subject).collect();
            assert_eq!(subjects, ["one"], "request {n}, {side:?}");
        }
        stage.pass(60 * MINUTE).await;
        let subjects: Vec<_> = stage.sent().into_iter().map(|(_, subject)| subject).collect();
        assert_eq!(subjects, ["one", "two"], "request {n}, {side:?}");
        stage.assert_at_rest().await;
    }
    assert!(deaths >= 10, "{deaths} deaths");
}

#[tokio::test]
async fn a_chunk_of_activity_is_not_written_over_by_who_knew_less_and_stored_no_profile() {
    let stage = Stage::new(9).await;
    let user = UserId::parse("ann").expect("an id");
    let entry = |n: i64| Activity {
        id: EventId::derive(&[&n.to_string()]),
        at: dunlin_tests::start() + SignedDuration::from_secs(n),
        accepted_at: None,
        what: format!("Looked {n}"),
        no_event: false,
        data: Properties::new(),
    };
    let profiles = Profiles::new(stage.world.clients(), "dunlin-");
    let chunk: Vec<Activity> = (0..3).map(entry).collect();
    for chunk in [&chunk[..], &chunk[..2]] {
        profiles.put_activity(&stage.project, &user, chunk, dunlin_tests::start()).await.expect("stored");
    }
    let mut found = profiles.list_activity(&stage.project, &user, 10).await.expect("listed");
    found.reverse();
    found.sort_by_key(|one| one.at);
    assert_eq!(found, chunk);
}
