//! Poison stays alone: parked with its reason, redrivable, its batch-mates unharmed.

use dunlin_aws::parked::{Parked, ParkedTask};
use dunlin_aws::resources::{EVENTS, SENDS_TRANSACTIONAL};
use dunlin_local::{Fault, FaultKind, Function, When};
use dunlin_tests::Stage;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::RECEIPT;

#[tokio::test]
async fn a_task_that_does_not_parse_is_parked_and_its_batch_mates_are_done() {
    let stage = Stage::new(1).await;
    stage.publish(RECEIPT).await;
    let url = stage.world.settings().queue_url(dunlin_aws::resources::SENDS);
    let sqs = &stage.world.clients().sqs;
    sqs.send_message()
        .queue_url(&url)
        .message_group_id("p")
        .message_body("{\"v\":1,\"nonsense\":true}")
        .send()
        .await
        .expect("sent");
    stage.track("ann@example.com", "Bought", json!({"order": "1"})).await;
    stage.world.settle().await;
    assert_eq!(stage.sent().len(), 1);
    let (_, listed) = stage.manage(Method::GET, "/parked", &Value::Null).await;
    let task = &listed["parked"][0];
    assert_eq!((&task["queue"], listed["parked"].as_array().map(Vec::len)), (&json!("sends"), Some(1)));
    assert!(task["reason"].as_str().is_some_and(|reason| reason.contains("does not parse")), "{task}");
}

#[tokio::test]
async fn a_redriven_task_does_nothing_twice() {
    let stage = Stage::new(2).await;
    stage.publish(RECEIPT).await;
    stage.track("ann@example.com", "Bought", json!({"order": "1"})).await;
    while stage.world.poll(Function::Evaluate).await > 0 {}
    let sends = stage.world.queue_name(&SENDS_TRANSACTIONAL);
    let message = stage.world.cloud().sqs().receive(&sends, 1).remove(0);
    let parked = Parked::new(stage.world.clients(), "dunlin-");
    let task = ParkedTask::new("sends-transactional", &message.id, &message.body, "to be seen", dunlin_tests::start());
    parked.put(&task).await.expect("parked");
    stage.pass(SignedDuration::from_mins(5)).await;
    assert_eq!(stage.sent().len(), 1, "the message itself comes back");
    let (status, _) = stage.manage(Method::POST, &format!("/parked/{}/redrive", task.id), &Value::Null).await;
    assert!(status.is_success());
    stage.pass(SignedDuration::from_mins(5)).await;
    assert_eq!(stage.sent().len(), 1, "the same delivery is the same mail");
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_parked_task_that_is_redriven_twice_is_one_mail_under_the_ids_it_had() {
    for (queue, last) in [(EVENTS, Function::Evaluate), (SENDS_TRANSACTIONAL, Function::Send)] {
        let stage = Stage::new(1).await;
        stage.publish(RECEIPT).await;
        stage.track("ann@example.com", "Bought", json!({"order": "1"})).await;
        if last == Function::Send {
            while stage.world.poll(Function::Evaluate).await > 0 {}
        }
        let message = stage.world.cloud().sqs().receive(&stage.world.queue_name(&queue), 1).remove(0);
        let task = ParkedTask::new(queue.stem, &message.id, &message.body, "to be seen", dunlin_tests::start());
        Parked::new(stage.world.clients(), "dunlin-").put(&task).await.expect("parked");
        stage.world.cloud().sqs().delete(&stage.world.queue_name(&queue), &[message.receipt]);
        // It is on its queue, and still parked: the operator who got no answer asks again.
        let faults = stage.world.cloud().faults();
        let path = format!("/parked/{}/redrive", task.id);
        faults.set(vec![Fault::new(FaultKind::ServerError, When::Chance(1.0)).on("DeleteItem")]);
        assert!(stage.manage(Method::POST, &path, &Value::Null).await.0.is_server_error());
        faults.clear();
        assert_eq!(stage.manage(Method::POST, &path, &Value::Null).await.0, StatusCode::OK);
        assert_eq!(stage.world.cloud().sqs().depth(&stage.world.queue_name(&queue)).total(), 2, "{}", queue.stem);
        stage.pass(SignedDuration::from_mins(1)).await;
        assert_eq!(stage.sent(), [("ann@example.com".into(), "Order 1".into())], "{}", queue.stem);
        let shown = stage.show("/profiles/ann@example.com/deliveries").await;
        let mail = &shown["deliveries"][0];
        let text: Value = serde_json::from_str(&message.body).expect("json");
        if last == Function::Send {
            assert_eq!((&mail["id"], &mail["event"]["id"]), (&text["delivery"], &text["event"]["id"]));
        } else {
            assert_eq!(mail["event"]["id"], text["calls"][0]["id"]);
        }
        stage.assert_at_rest().await;
    }
}

#[tokio::test]
async fn a_template_that_fails_for_one_person_fails_only_that_mail() {
    let stage = Stage::new(3).await;
    let campaign = "
id: cmp_share
name: Share
kind: transactional
trigger: {event: Bought}
from: shop@larkspur.example
message:
  subject: Your share
  text: '{{ 100 | divided_by: event.people }}'
";
    stage.publish(campaign).await;
    for (id, people) in [("ann", 4), ("bob", 0), ("cy", 5)] {
        stage.identify(id, json!({})).await;
        stage.track(id, "Bought", json!({ "people": people })).await;
    }
    stage.world.settle().await;
    let sent: Vec<_> = stage.sent().into_iter().map(|(to, _)| to).collect();
    assert_eq!(sent, ["ann@example.com", "cy@example.com"]);
    assert_eq!(stage.deliveries("bob").await, [("message".into(), "not_sent".into(), "template".into())]);
    let shown = stage.show("/profiles/bob/deliveries").await;
    let reason = shown["deliveries"][0]["reason"]["text"].as_str().unwrap_or_default().to_owned();
    assert!(reason.contains("line 1"), "{reason}");
}
