//! A story in which every function does all that it can do: what a person and an operator do in a year, in a minute.

use dunlin_aws::queues::{self, Outgoing};
use dunlin_aws::resources::{HOOKS, QUEUES, Queue};
use dunlin_core::ids::RunId;
use dunlin_core::task::{Hook, VERSION};
use dunlin_local::{Fault, FaultKind, Service, When};
use dunlin_tests::{Stage, link};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// A mail at once, a wait that a timer carries, one that a message carries, and a mail behind them.
const SERIES: &str = "
id: cmp_series
name: Series
kind: workflow
trigger: {event: Signed up}
from: hello@larkspur.example
steps:
  - {name: first, send: first}
  - {name: minutes, wait: 3 minutes}
  - {name: month, wait: 31 days}
  - {name: again, wait: 5 minutes}
  - {name: second, send: second}
messages:
  first:
    subject: Hello
    html: '<a href=\"https://larkspur.example/\">Shop</a> <a href=\"{{ url.permalink }}\">Online</a> <a href=\"{{ url.unsubscribe }}\">No more</a>'
  second:
    subject: Still there?
    text: Hello again
";

/// The same as a receipt, which has a lane of its own.
const RECEIPTS: &str = "
id: cmp_receipts
name: Receipts
kind: workflow
transactional: true
trigger: {event: Signed up}
from: hello@larkspur.example
steps:
  - {name: first, send: receipt}
  - {name: month, wait: 31 days}
  - {name: second, send: receipt}
messages:
  receipt:
    subject: Received
    text: We have it
";

/// A wait for an event, which the past is asked for.
const CARTS: &str = "
id: cmp_carts
name: Carts
kind: workflow
trigger: {event: Left cart}
from: hello@larkspur.example
steps:
  - {wait_for: {event: Bought, match: {cart: event.cart}}, within: 1 day}
  - {send: still}
messages:
  still: {subject: Still there?, text: Hello again}
";

/// Steps that act, at once and after a wait; a count of its runs, and one at a time.
const DEEDS: &str = "
id: cmp_deeds
name: Deeds
kind: workflow
trigger: {event: Left cart}
entry: {total: 100, again: when_over}
steps:
  - {update: {add_tags: [left]}}
  - {wait: 1 minute}
  - {track: Was left}
  - {webhook: {url: 'https://example.com/second'}}
messages: {}
";

/// A webhook first of all, for whoever signs up.
const ASKS: &str = "
id: cmp_asks
name: Asks
kind: workflow
trigger: {event: Signed up}
steps: [{webhook: {url: 'https://example.com/first'}}]
messages: {}
";

/// Plays it.
pub(crate) async fn play(stage: &Stage) {
    stage.publish(SERIES).await;
    stage.publish(RECEIPTS).await;
    stage.publish(CARTS).await;
    stage.publish(DEEDS).await;
    stage.publish(ASKS).await;
    stage.identify("ann", json!({"plan": "free"})).await;
    stage.track("ann", "Signed up", json!({})).await;
    stage.pass(SignedDuration::from_mins(10)).await;
    recipient(stage).await;
    cart(stage).await;
    stage.pass(SignedDuration::from_hours(24 * 40)).await;
    assert!(stage.mails().len() >= 2, "{:?}", stage.sent());
    bounce(stage).await;
    flood(stage).await;
    outage(stage).await;
    lost_answers(stage).await;
    refused_mail(stage).await;
    webhook(stage).await;
    poison(stage).await;
    migration(stage).await;
    operator(stage).await;
    status(stage).await;
}

/// A cart that is bought while a run waits for that.
async fn cart(stage: &Stage) {
    for event in ["Left cart", "Bought", "Left cart"] {
        stage.track("ann", event, json!({"cart": 7})).await;
        stage.pass(SignedDuration::from_mins(10)).await;
    }
    stage.pass(SignedDuration::from_hours(2)).await;
}

/// Opens, clicks, views and unsubscribes.
async fn recipient(stage: &Stage) {
    let mail = stage.mails().into_iter().find(|mail| mail.subject == "Hello").expect("the first mail of the series");
    for (kind, method) in [("o", Method::GET), ("c", Method::GET), ("v", Method::GET), ("u", Method::GET)] {
        let (status, _) = stage.request(method, &link(&mail, kind), &[], &Value::Null).await;
        assert!(status.is_success() || status.is_redirection(), "{kind}: {status}");
    }
    let gone = stage.world.cloud().faults();
    gone.set(vec![Fault::new(FaultKind::Unreachable, When::Chance(1.0)).at(Service::SqsFifo)]);
    let (status, _) = stage.request(Method::POST, &link(&mail, "u"), &[], &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "an unsubscribe is spilled while the queue is away");
    gone.clear();
    let (status, _) = stage.request(Method::POST, &link(&mail, "u"), &[], &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    stage.pass(SignedDuration::from_mins(3)).await;
    stage.call(Method::POST, "/users/resubscribe", json!({"id": "ann"})).await;
}

/// A mail that bounces, which suppresses its address.
async fn bounce(stage: &Stage) {
    let body = json!({"id": "bea", "email": "bounce@simulator.amazonses.com"});
    stage.call(Method::POST, "/users/track", body).await;
    stage.track("bea", "Signed up", json!({})).await;
    stage.pass(SignedDuration::from_mins(30)).await;
}

/// The project sends more than all others together: its calls take the second lane, by way of the spill, too; and SES is
/// over its limit for their mails.
async fn flood(stage: &Stage) {
    stage.flood().await;
    let faults = stage.world.cloud().faults();
    faults.set(vec![Fault::new(FaultKind::Unreachable, When::Chance(1.0)).at(Service::SqsFifo)]);
    stage.track("flo", "Looked", json!({})).await;
    faults.set(vec![Fault::new(FaultKind::Throttle, When::Chance(1.0)).at(Service::Ses)]);
    stage.identify("flo", json!({})).await;
    stage.track("flo", "Signed up", json!({})).await;
    stage.world.settle().await;
    faults.clear();
    stage.pass(SignedDuration::from_hours(24 * 40)).await;
}

/// The queue is away: calls are spilled, and come back.
async fn outage(stage: &Stage) {
    let faults = stage.world.cloud().faults();
    faults.set(vec![Fault::new(FaultKind::Unreachable, When::Chance(1.0)).at(Service::SqsFifo)]);
    stage.track("cy", "Looked", json!({})).await;
    faults.clear();
    stage.pass(SignedDuration::from_mins(5)).await;
}

/// The tables take writes and do not say so: whoever writes meets what is there already.
async fn lost_answers(stage: &Stage) {
    let faults = stage.world.cloud().faults();
    faults.set(vec![Fault::new(FaultKind::TimeoutApplied, When::Chance(1.0)).on("PutItem").times(12)]);
    stage.track("eve", "Signed up", json!({})).await;
    stage.pass(SignedDuration::from_hours(1)).await;
    faults.clear();
}

/// SES is over its limit once, and a lost claim is put off.
async fn refused_mail(stage: &Stage) {
    let faults = stage.world.cloud().faults();
    faults.set(vec![Fault::new(FaultKind::Throttle, When::Chance(1.0)).at(Service::Ses)]);
    stage.identify("dan", json!({})).await;
    stage.track("dan", "Signed up", json!({})).await;
    stage.world.settle().await;
    faults.clear();
    stage.pass(SignedDuration::from_mins(5)).await;
    for look in 0..20 {
        stage.track("dan", "Looked", json!({ "at": format!("a long name of something, number {look}") })).await;
    }
    stage.pass(SignedDuration::from_mins(1)).await;
    stage.call(Method::PUT, "/users/reidentify", json!({"id": "dan", "new_id": "daniel"})).await;
    stage.call(Method::POST, "/users/delete", json!({"id": "daniel"})).await;
    stage.pass(SignedDuration::from_mins(1)).await;
}

/// What everybody may see.
async fn status(stage: &Stage) {
    let (code, shown) = stage.request(Method::GET, "/status.json", &[], &Value::Null).await;
    assert_eq!((code, shown["components"].as_array().map(Vec::len)), (StatusCode::OK, Some(9)), "{shown}");
}

/// A webhook whose receiver nobody reaches is tried again, once while nothing can be put on our own queues.
async fn webhook(stage: &Stage) {
    let now = stage.world.cloud().clock().now();
    let hook = Hook {
        v: VERSION,
        project: stage.project.clone(),
        run: RunId::derive(&["gone"]),
        moves: 1,
        request: serde_json::from_value(json!({"id": "hook", "url": "https://example.com/"})).expect("a request"),
        tries: 0,
        until: now + SignedDuration::from_hours(1),
    };
    let queue = queues::Queue::new(&stage.world.clients().sqs, stage.world.settings().queue_url(HOOKS));
    queue.put(&[Outgoing::now(&stage.project, &hook).expect("a task")]).await.expect("put");
    let faults = stage.world.cloud().faults();
    faults.set(vec![Fault::new(FaultKind::Unreachable, When::Chance(1.0)).on("SendMessageBatch")]);
    stage.world.settle().await;
    faults.clear();
    stage.pass(SignedDuration::from_hours(1)).await;
}

/// What nobody can read is parked on every queue, and goes back to it; on that of `hook`, which has no table, it is a dead
/// letter. While the tables are away it cannot even be parked:
/// then it is given back.
async fn poison(stage: &Stage) {
    for queue in QUEUES {
        put(stage, queue).await;
    }
    let faults = stage.world.cloud().faults();
    faults.set(vec![Fault::new(FaultKind::Unreachable, When::Chance(1.0)).at(Service::DynamoDb)]);
    stage.world.settle().await;
    faults.clear();
    stage.pass(SignedDuration::from_mins(1)).await;
    let (_, listed) = stage.manage(Method::GET, "/parked", &Value::Null).await;
    let parked = listed["parked"].as_array().expect("parked tasks").clone();
    let dead = stage.world.cloud().sqs().depth(&format!("dunlin-{}", HOOKS.dead_letter_name())).total();
    assert_eq!((parked.len(), dead), (QUEUES.len() - 1, 1), "{listed}");
    for task in &parked {
        let path = format!("/parked/{}", task["id"].as_str().expect("an id"));
        let (status, _) = stage.manage(Method::POST, &format!("{path}/redrive"), &Value::Null).await;
        assert!(status.is_success(), "{path}: {status}");
    }
    stage.pass(SignedDuration::from_mins(1)).await;
    let (_, listed) = stage.manage(Method::GET, "/parked", &Value::Null).await;
    for task in listed["parked"].as_array().expect("parked tasks") {
        let path = format!("/parked/{}", task["id"].as_str().expect("an id"));
        stage.manage(Method::GET, &path, &Value::Null).await;
        let (status, _) = stage.manage(Method::DELETE, &path, &Value::Null).await;
        assert!(status.is_success(), "{path}: {status}");
    }
}

async fn put(stage: &Stage, queue: Queue) {
    let message = stage.world.clients().sqs.send_message().queue_url(stage.world.settings().queue_url(queue));
    let message = message.message_group_id("p").message_body("nonsense");
    let message = if queue.fifo { message.message_deduplication_id("nonsense") } else { message };
    message.send().await.expect("sent");
}

/// A wait for an event that becomes a plain one: runs that listen are moved there. Then they are held.
async fn migration(stage: &Stage) {
    stage.identify("una", json!({})).await;
    stage.track("una", "Left cart", json!({"cart": 8})).await;
    stage.pass(SignedDuration::from_mins(1)).await;
    stage
        .publish(&CARTS.replace("wait_for: {event: Bought, match: {cart: event.cart}}, within: 1 day", "wait: 2 days"))
        .await;
    let campaign = format!("/projects/{}/campaigns/cmp_carts", stage.project);
    let path = format!("{campaign}/runs");
    let (_, counted) = stage.manage(Method::GET, &path, &Value::Null).await;
    let step = counted["waiting"][0]["step"].as_str().expect("a step");
    let body = json!({"to_version": 2, "moves": {step: "wait-1"}});
    let lost = Fault::new(FaultKind::TimeoutApplied, When::Call(1)).on("PutItem").of_table("dunlin-runs");
    stage.world.cloud().faults().set(vec![lost]);
    let (_, done) = stage.manage(Method::POST, &format!("{path}/migrate"), &body).await;
    stage.world.cloud().faults().clear();
    assert_eq!(done["moved"], json!(1), "{counted} {done}");
    stage.world.settle().await;
    // What is due while the campaign is paused goes on when it is resumed.
    for (what, hours) in [("pause", 50), ("resume", 1)] {
        let (status, answer) = stage.manage(Method::POST, &format!("{campaign}/{what}"), &Value::Null).await;
        assert!(status.is_success(), "{what}: {answer}");
        stage.pass(SignedDuration::from_hours(hours)).await;
    }
}

/// Everything that `manage` offers.
async fn operator(stage: &Stage) {
    let project = format!("/projects/{}", stage.project);
    let (_, shown) = stage.manage(Method::GET, &format!("{project}/profiles/ann/deliveries"), &Value::Null).await;
    let delivery = shown["deliveries"][0]["id"].as_str().expect("a delivery").to_owned();
    for path in [
        "/projects".to_owned(),
        project.clone(),
        format!("{project}/tokens"),
        format!("{project}/tokens/1"),
        format!("{project}/campaigns"),
        format!("{project}/campaigns/cmp_series"),
        format!("{project}/profiles/ann"),
        format!("{project}/profiles/ann/activity"),
        format!("{project}/deliveries/{delivery}"),
        format!("{project}/suppressions/bounce@simulator.amazonses.com"),
    ] {
        let (status, answer) = stage.manage(Method::GET, &path, &Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    }
    for (method, path, body) in [
        (Method::DELETE, "/suppressions/bounce@simulator.amazonses.com", Value::Null),
        (Method::DELETE, "/campaigns/cmp_asks", Value::Null),
        (Method::POST, "/campaigns/cmp_series/pause", Value::Null),
        (Method::POST, "/campaigns/cmp_series/resume", Value::Null),
        (Method::POST, "/tokens", json!({"label": "second"})),
        (Method::POST, "/tokens/2/rotate", Value::Null),
        (Method::POST, "/tokens/2/revoke", Value::Null),
    ] {
        let (status, answer) = stage.manage(method, &format!("{project}{path}"), &body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
    }
    let (status, answer) =
        stage.manage(Method::POST, "/projects", &json!({"id": "prj_second", "name": "Second"})).await;
    assert!(status.is_success(), "{answer}");
    stage.pass(SignedDuration::from_mins(1)).await;
}
