//! Waiting for an event of the same cart, whenever and however often it comes. The stage begins at 9:00.

use dunlin_tests::Stage;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// An hour after a cart was filled, the run waits until it is bought, four hours at most.
const CART: &str = "
id: cmp_cart
name: Cart
kind: workflow
trigger: {event: Filled cart}
steps:
  - wait: 1 hour
  - wait_for: {event: Bought, match: {cart_id: event.cart_id}}
    within: 4 hours
    as: order
    happened: thanks
    timed_out: nudge
  - {name: nudge, send: nudge, next: over}
  - {name: thanks, send: thanks}
  - {name: over, exit: over}
messages:
  nudge: {subject: 'Your cart {{ event.cart_id }}', text: '{{ url.unsubscribe }}'}
  thanks: {subject: 'Thanks for {{ journey.order.total }} ({{ event.cart_id }})', text: '{{ url.unsubscribe }}'}
";

const HOUR: SignedDuration = SignedDuration::from_hours(1);

async fn stage(seed: u64) -> Stage {
    let stage = Stage::new(seed).await;
    stage.publish(CART).await;
    stage.identify("ann", json!({})).await;
    stage
}

async fn fill(stage: &Stage, cart: Value) {
    stage.track("ann", "Filled cart", json!({"cart_id": cart})).await;
}

async fn buy(stage: &Stage, cart: Value, total: u32) {
    stage.track("ann", "Bought", json!({"cart_id": cart, "total": total})).await;
}

fn subjects(stage: &Stage) -> Vec<String> {
    stage.mails().into_iter().map(|mail| mail.subject).collect()
}

#[tokio::test]
async fn of_two_carts_each_hears_of_its_own_order() {
    let stage = stage(1).await;
    fill(&stage, json!("red")).await;
    fill(&stage, json!("blue")).await;
    stage.pass(2 * HOUR).await;
    assert_eq!(subjects(&stage), [""; 0]);
    buy(&stage, json!("blue"), 30).await;
    stage.pass(SignedDuration::from_secs(2)).await;
    assert_eq!(subjects(&stage), ["Thanks for 30 (blue)"], "at once, not at the time-out");
    stage.pass(24 * HOUR).await;
    assert_eq!(subjects(&stage), ["Thanks for 30 (blue)", "Your cart red"]);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn an_order_before_the_step_counts_and_one_before_the_cart_does_not() {
    let stage = stage(2).await;
    buy(&stage, json!(1), 10).await;
    stage.pass(SignedDuration::from_secs(10)).await;
    fill(&stage, json!(1)).await;
    fill(&stage, json!(2)).await;
    stage.pass(HOUR / 2).await;
    buy(&stage, json!(2), 20).await;
    stage.pass(HOUR / 2 + SignedDuration::from_secs(8)).await;
    assert_eq!(subjects(&stage), ["Thanks for 20 (2)"], "as soon as the step is there");
    stage.pass(24 * HOUR).await;
    assert_eq!(subjects(&stage), ["Thanks for 20 (2)", "Your cart 1"]);
}

#[tokio::test]
async fn an_order_that_came_long_before_among_much_else_is_found() {
    let stage = stage(3).await;
    fill(&stage, json!(1)).await;
    buy(&stage, json!(1), 10).await;
    // Enough that it is no longer in the profile's own item.
    for look in 0..60 {
        stage.track("ann", "Looked", json!({"at": format!("a long name of something, number {look}")})).await;
    }
    stage.pass(2 * HOUR).await;
    assert_eq!(subjects(&stage), ["Thanks for 10 (1)"]);
}

#[tokio::test]
async fn an_order_twice_thanks_once_and_one_after_the_nudge_not_at_all() {
    let stage = stage(4).await;
    fill(&stage, json!(1)).await;
    fill(&stage, json!(2)).await;
    stage.pass(2 * HOUR).await;
    buy(&stage, json!(1), 10).await;
    buy(&stage, json!(1), 11).await;
    stage.pass(4 * HOUR).await;
    buy(&stage, json!(2), 20).await;
    stage.pass(24 * HOUR).await;
    assert_eq!(subjects(&stage), ["Thanks for 10 (1)", "Your cart 2"]);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn an_order_under_another_id_is_heard_once_the_two_are_one_person() {
    let stage = stage(5).await;
    fill(&stage, json!(1)).await;
    stage.pass(2 * HOUR).await;
    stage.track("anna@example.com", "Bought", json!({"cart_id": 1, "total": 10})).await;
    stage.pass(HOUR).await;
    assert_eq!(subjects(&stage), [""; 0]);
    stage.call(Method::PUT, "/users/reidentify", json!({"id": "ann", "new_id": "anna@example.com"})).await;
    stage.pass(SignedDuration::from_secs(5)).await;
    assert_eq!(subjects(&stage), ["Thanks for 10 (1)"]);
    fill(&stage, json!(2)).await;
    stage.pass(2 * HOUR).await;
    buy(&stage, json!(2), 20).await;
    stage.pass(SignedDuration::from_secs(5)).await;
    assert_eq!(subjects(&stage), ["Thanks for 10 (1)", "Thanks for 20 (2)"], "under the former id, too");
}

#[tokio::test]
async fn a_person_who_is_deleted_while_a_cart_waits_hears_no_more() {
    let stage = stage(6).await;
    fill(&stage, json!(1)).await;
    stage.pass(2 * HOUR).await;
    stage.call(Method::POST, "/users/delete", json!({"id": "ann"})).await;
    stage.identify("ann", json!({})).await;
    buy(&stage, json!(1), 10).await;
    stage.pass(24 * HOUR).await;
    assert_eq!(subjects(&stage), [""; 0]);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn an_order_while_the_campaign_is_paused_is_heard_when_it_is_resumed() {
    let stage = stage(7).await;
    fill(&stage, json!(1)).await;
    stage.pass(2 * HOUR).await;
    let path = format!("/projects/{}/campaigns/cmp_cart", stage.project);
    stage.manage(Method::POST, &format!("{path}/pause"), &Value::Null).await;
    stage.pass(SignedDuration::from_secs(6)).await;
    buy(&stage, json!(1), 10).await;
    stage.pass(HOUR).await;
    assert_eq!(subjects(&stage), [""; 0]);
    stage.manage(Method::POST, &format!("{path}/resume"), &Value::Null).await;
    stage.pass(SignedDuration::from_mins(16)).await;
    assert_eq!(subjects(&stage), ["Thanks for 10 (1)"]);
}

#[tokio::test]
async fn a_run_hears_of_what_its_own_version_waits_for_after_another_was_published() {
    let stage = stage(8).await;
    fill(&stage, json!(1)).await;
    stage.pass(2 * HOUR).await;
    stage
        .publish(&CART.replace("event: Bought", "event: Paid").replace("cart_id: event.cart_id", "cart: event.cart"))
        .await;
    buy(&stage, json!(1), 10).await;
    stage.pass(SignedDuration::from_secs(2)).await;
    assert_eq!(subjects(&stage), ["Thanks for 10 (1)"]);
}

#[tokio::test]
async fn a_run_waits_until_something_is_true_of_the_person() {
    let stage = Stage::new(9).await;
    let vip = "
id: cmp_vip
name: Vip
kind: workflow
trigger: {event: Signed up}
steps:
  - wait_until: [{any: [{tag: vip}, {property: user.plan.name, equals: pro}, {triggered: Bought, at_least: 2, since: trigger}]}]
    within: 10 days
    timed_out: over
  - {send: welcome}
  - {name: over, exit: over}
messages:
  welcome: {subject: 'Welcome, {{ user.id }}', text: '{{ url.unsubscribe }}'}
";
    stage.publish(vip).await;
    for person in ["tagged", "bought", "changed", "nothing"] {
        stage.identify(person, json!({})).await;
        stage.track(person, "Signed up", json!({})).await;
    }
    stage.pass(HOUR).await;
    let second = SignedDuration::from_secs(2);
    stage.call(Method::PUT, "/users/tags/edit", json!({"id": "tagged", "add": ["vip"]})).await;
    stage.pass(second).await;
    assert_eq!(subjects(&stage), ["Welcome, tagged"]);
    stage.track("bought", "Bought", json!({"n": 1})).await;
    stage.pass(second).await;
    stage.track("bought", "Bought", json!({"n": 2})).await;
    stage.pass(second).await;
    stage.call(Method::PUT, "/users/edit", json!({"id": "changed", "changes": {"plan": {"name": "pro"}}})).await;
    stage.pass(second).await;
    assert_eq!(subjects(&stage), ["Welcome, tagged", "Welcome, bought", "Welcome, changed"]);
    stage.pass(24 * 11 * HOUR).await;
    assert_eq!(subjects(&stage).len(), 3);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_cart_that_is_told_of_late_hears_of_the_order_that_was_told_of_before_or_behind_it() {
    let late = CART.replace("  - wait: 1 hour\n", "");
    for (seed, order) in [(10, [1, 0]), (11, [0, 1])] {
        let stage = Stage::new(seed).await;
        stage.publish(&late).await;
        stage.identify("ann", json!({})).await;
        // Enough that what comes first is no longer in the profile's own item.
        let calls = [
            json!({"event_name": "Filled cart", "data": {"cart_id": 1}, "extras": {"created_at": "2026-01-05T01:00:00Z"}}),
            json!({"event_name": "Bought", "data": {"cart_id": 1, "total": 10}, "extras": {"created_at": "2026-01-05T02:00:00Z"}}),
        ];
        for call in order {
            let mut body = calls[call].clone();
            body["identity"] = json!({"id": "ann"});
            stage.call(Method::POST, "/events/track", body).await;
            for look in 0..20 {
                stage.track("ann", "Looked", json!({"at": format!("a long name of something, number {look}")})).await;
            }
        }
        stage.pass(24 * HOUR).await;
        assert_eq!(subjects(&stage), ["Thanks for 10 (1)"], "{order:?}");
    }
}

#[tokio::test]
async fn two_parcels_that_leave_at_once_are_two_mails_each_about_its_own() {
    let stage = Stage::new(12).await;
    stage
        .publish(
            "
id: cmp_parcels
name: Parcels
kind: workflow
trigger: {event: Ordered}
from: shop@larkspur.example
messages:
  parcel: {subject: 'Parcel {{ journey.parcel.n }}', text: '{{ url.unsubscribe_link }}'}
steps:
  - {name: next, wait_for: {event: Shipped, match: {order: event.order}}, within: 14 days, as: parcel, timed_out: over}
  - {send: parcel, next: next}
  - {name: over, exit: over}
",
        )
        .await;
    stage.identify("ann", json!({})).await;
    stage.track("ann", "Ordered", json!({"order": 1})).await;
    stage.pass(HOUR).await;
    for parcel in 1..=3 {
        stage.track("ann", "Shipped", json!({"order": 1, "n": parcel})).await;
    }
    stage.pass(SignedDuration::from_mins(1)).await;
    assert_eq!(subjects(&stage), ["Parcel 1", "Parcel 2", "Parcel 3"]);
    stage.pass(15 * 24 * HOUR).await;
    assert_eq!(subjects(&stage).len(), 3);
    stage.assert_at_rest().await;
}
