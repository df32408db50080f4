//! The queues: a text that is none of ours is parked with its reason, and its batch-mates are done.

use dunlin_aws::resources::{EVENTS, FEEDBACK, Queue, SENDS, STEPS};
use dunlin_tests::Stage;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Puts a text on a queue, as somebody with the right to would.
pub(crate) async fn put(stage: &Stage, queue: Queue, text: &str) {
    let url = stage.world.settings().queue_url(queue);
    let mut request = stage.world.clients().sqs.send_message().queue_url(&url).message_group_id("p").message_body(text);
    if queue.fifo {
        request = request.message_deduplication_id(dunlin_core::ids::digest(&[text]));
    }
    request.send().await.expect("sent");
}

/// Texts that are no task on any queue.
fn nonsense() -> Vec<String> {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let wide = json!({"v": 1, "project": "prj_a", "x": "y".repeat(200_000)}).to_string();
    let texts = [
        "x",
        "{",
        "[]",
        "null",
        "7",
        "\"text\"",
        "{}",
        "{\"v\":1}",
        "{\"v\":\"1\"}",
        "{\"v\":4294967296}",
        "{\"v\":-1}",
        "{\"v\":1,\"v\":1}",
        "{\"v\":1,\"calls\":{}}",
        "{\"v\":1,\"project\":\"../..\",\"run\":\"run_1\",\"moves\":0,\"due_at\":\"2026-01-01T00:00:00Z\"}",
        "{\"v\":1,\"project\":\"prj_a\",\"run\":\"run_1\",\"moves\":0,\"due_at\":\"999999-01-01T00:00:00Z\"}",
        "{\"v\":1,\"calls\":[{\"id\":\"evt_1\",\"project\":\"prj_a\",\"user\":\"u\",\"at\":\"x\"}]}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":1e999}",
    ];
    texts.into_iter().map(str::to_owned).chain([deep, wide]).collect()
}

#[tokio::test]
async fn a_text_that_is_no_task_is_parked_and_nothing_else_suffers() {
    let stage = Stage::with_examples(1).await;
    let mut want = 0;
    for queue in [EVENTS, STEPS, SENDS, FEEDBACK] {
        for text in nonsense() {
            put(&stage, queue, &text).await;
            want += 1;
        }
    }
    stage.identify("ann", json!({})).await;
    stage.track("ann", "Signed up", json!({})).await;
    stage.pass(SignedDuration::from_mins(30)).await;
    assert_eq!(stage.mails().len(), 1, "the one who did nothing wrong has their mail");
    let (_, parked) = stage.manage(Method::GET, "/parked?limit=1000", &Value::Null).await;
    let parked = parked["parked"].as_array().expect("a list").clone();
    assert_eq!(parked.len(), want);
    assert!(parked.iter().all(|task| task["reason"].as_str().is_some_and(|reason| !reason.is_empty())));
    let sqs = stage.world.cloud().sqs();
    for queue in sqs.names() {
        assert_eq!(sqs.depth(&queue).total(), 0, "{queue} is not empty");
    }
}

#[tokio::test]
async fn an_event_of_ses_that_lies_about_time_names_or_people_is_taken_without_harm() {
    let stage = Stage::with_examples(2).await;
    stage.identify("ann", json!({})).await;
    stage.track("ann", "Signed up", json!({})).await;
    stage.pass(SignedDuration::from_mins(1)).await;
    let mails = stage.show("/profiles/ann/deliveries").await;
    let tags = json!({"dunlin_project": [stage.project], "dunlin_delivery": [mails["deliveries"][0]["id"]]});
    let mail = |at: &str| json!({"messageId": "m", "timestamp": at, "tags": tags, "destination": ["ann@example.com"]});
    for at in ["-009999-01-02T01:59:59Z", "9999-12-30T22:00:00.999999999Z", "2026-01-05T09:00:00Z"] {
        for kind in
            ["Bounce", "Complaint", "Delivery", "Open", "Click", "Reject", "x".repeat(5_000).as_str(), "Send\r\nx", ""]
        {
            let event = json!({
                "eventType": kind,
                "mail": mail(at),
                "bounce": {"bounceType": "Permanent\0", "bounceSubType": "\u{2028}", "timestamp": at, "bouncedRecipients": [{"emailAddress": "\r\nBcc: x"}, {"emailAddress": "x".repeat(10_000)}]},
                "complaint": {"complaintFeedbackType": "<b>", "timestamp": at, "complainedRecipients": [{"emailAddress": ""}]},
                "click": {"link": "javascript:alert(1)", "timestamp": at},
            });
            put(&stage, FEEDBACK, &event.to_string()).await;
        }
    }
    stage.pass(SignedDuration::from_mins(30)).await;
    let shown = stage.show("/profiles/ann/deliveries").await;
    assert!(shown["deliveries"][0]["history"].as_array().is_some_and(|history| (2..=50).contains(&history.len())));
    stage.assert_at_rest().await;
}
