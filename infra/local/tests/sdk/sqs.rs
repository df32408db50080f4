use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry as Entry,
};
use dunlin_local::{Cloud, Service};

use crate::{cloud, pass, sqs_client};

async fn url(client: &aws_sdk_sqs::Client, name: &str) -> String {
    client.get_queue_url().queue_name(name).send().await.unwrap().queue_url.unwrap()
}

fn entry(id: &str, body: &str) -> Entry {
    Entry::builder().id(id).message_body(body).build().unwrap()
}

fn bodies(cloud: &Cloud, queue: &str) -> Vec<String> {
    cloud.sqs().receive(queue, 10).into_iter().map(|message| message.body).collect()
}

#[tokio::test]
async fn a_message_is_received_hidden_and_deleted() {
    let cloud = cloud();
    let client = sqs_client(&cloud);
    let steps = url(&client, "dunlin-steps").await;
    let attribute = MessageAttributeValue::builder().data_type("String").string_value("1-abc").build().unwrap();
    let sent = client.send_message().queue_url(&steps).message_body("hello").message_attributes("trace", attribute);
    let sent = sent.message_group_id("prj_1").send().await.unwrap();
    assert_eq!(sent.md5_of_message_body.as_deref(), Some("5d41402abc4b2a76b9719d911017c592"));

    let receive = || {
        client
            .receive_message()
            .queue_url(&steps)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
    };
    let received = receive().await.unwrap().messages.unwrap().remove(0);
    assert_eq!(received.body.as_deref(), Some("hello"));
    assert_eq!(received.message_id, sent.message_id);
    assert_eq!(received.md5_of_message_attributes, sent.md5_of_message_attributes);
    let attributes = received.attributes.unwrap();
    assert_eq!(attributes[&MessageSystemAttributeName::ApproximateReceiveCount], "1");
    assert_eq!(attributes[&MessageSystemAttributeName::MessageGroupId], "prj_1");
    assert!(receive().await.unwrap().messages.is_none());

    pass(&cloud, 120);
    let again = receive().await.unwrap().messages.unwrap().remove(0);
    assert_eq!(again.attributes.unwrap()[&MessageSystemAttributeName::ApproximateReceiveCount], "2");
    client.delete_message().queue_url(&steps).receipt_handle(received.receipt_handle.unwrap()).send().await.unwrap();
    assert_eq!(cloud.sqs().depth("dunlin-steps").in_flight, 1, "an old receipt deletes nothing");
    client.delete_message().queue_url(&steps).receipt_handle(again.receipt_handle.unwrap()).send().await.unwrap();
    assert_eq!(cloud.sqs().depth("dunlin-steps").total(), 0);
}

#[tokio::test]
async fn a_delay_is_kept_and_a_longer_one_refused() {
    let cloud = cloud();
    let client = sqs_client(&cloud);
    let steps = url(&client, "dunlin-steps").await;
    let send = |seconds| client.send_message().queue_url(&steps).message_body("x").delay_seconds(seconds).send();
    send(900).await.unwrap();
    let refused = send(901).await.unwrap_err().into_service_error();
    assert_eq!(refused.code(), Some("InvalidParameterValue"));
    pass(&cloud, 899);
    assert!(bodies(&cloud, "dunlin-steps").is_empty());
    assert_eq!(cloud.next_due(), Some(crate::start() + jiff::SignedDuration::from_secs(900)));
    pass(&cloud, 1);
    assert_eq!(bodies(&cloud, "dunlin-steps"), ["x"]);
}

#[tokio::test]
async fn a_fifo_queue_accepts_a_deduplication_id_once_in_five_minutes() {
    let cloud = cloud();
    let client = sqs_client(&cloud);
    let events = url(&client, "dunlin-events.fifo").await;
    let send = |body: &str| {
        client
            .send_message()
            .queue_url(&events)
            .message_body(body)
            .message_group_id("user")
            .message_deduplication_id("same")
            .send()
    };
    let first = send("one").await.unwrap();
    let second = send("two").await.unwrap();
    assert_eq!(first.message_id, second.message_id);
    assert_eq!(first.sequence_number, second.sequence_number);
    assert_eq!(bodies(&cloud, "dunlin-events.fifo"), ["one"]);
    pass(&cloud, 300);
    assert_ne!(send("three").await.unwrap().message_id, first.message_id);

    let without_group = client.send_message().queue_url(&events).message_body("x").send().await;
    assert_eq!(without_group.unwrap_err().into_service_error().code(), Some("MissingParameter"));
}

#[tokio::test]
async fn a_batch_fails_entry_by_entry() {
    let cloud = cloud();
    let client = sqs_client(&cloud);
    let sends = url(&client, "dunlin-sends").await;
    let batch = client.send_message_batch().queue_url(&sends);
    let answer = batch.entries(entry("good", "x")).entries(entry("bad", "a\u{1}b")).send().await.unwrap();
    assert_eq!(answer.successful[0].id, "good");
    assert_eq!(answer.failed[0].id, "bad");
    assert_eq!(answer.failed[0].code, "InvalidMessageContents");
    assert!(answer.failed[0].sender_fault);

    let eleven = (0..11).map(|n| entry(&n.to_string(), "x")).collect();
    let refused = client.send_message_batch().queue_url(&sends).set_entries(Some(eleven)).send().await;
    assert!(refused.unwrap_err().into_service_error().is_too_many_entries_in_batch_request());
    let twins = client.send_message_batch().queue_url(&sends).entries(entry("a", "x")).entries(entry("a", "x"));
    assert!(twins.send().await.unwrap_err().into_service_error().is_batch_entry_ids_not_distinct());
    let large = "x".repeat(600_000);
    let large = client.send_message_batch().queue_url(&sends).entries(entry("a", &large)).entries(entry("b", &large));
    assert!(large.send().await.unwrap_err().into_service_error().is_batch_request_too_long());
}

#[tokio::test]
async fn a_message_of_one_mebibyte_is_accepted_and_costs_sixteen_chunks() {
    let cloud = cloud();
    let client = sqs_client(&cloud);
    let sends = url(&client, "dunlin-sends").await;
    let send = |bytes| client.send_message().queue_url(&sends).message_body("x".repeat(bytes)).send();
    send(1_048_576).await.unwrap();
    assert!(send(1_048_577).await.is_err());
    assert_eq!(cloud.meter().snapshot().get(Service::SqsStandard, "SendMessage").chunks, 16 + 17);
}

#[tokio::test]
async fn a_message_received_too_often_goes_to_the_dead_letter_queue_and_back() {
    let cloud = cloud();
    let client = sqs_client(&cloud);
    let sends = url(&client, "dunlin-sends").await;
    client.send_message().queue_url(&sends).message_body("poison").send().await.unwrap();
    for _ in 0..1_000 {
        assert_eq!(bodies(&cloud, "dunlin-sends").len(), 1);
        pass(&cloud, 120);
    }
    assert!(bodies(&cloud, "dunlin-sends").is_empty());
    let dead = cloud.sqs().receive("dunlin-sends-dead", 10);
    assert_eq!(dead[0].attributes["DeadLetterQueueSourceArn"], "arn:aws:sqs:us-east-1:000000000000:dunlin-sends");
    cloud.sqs().make_visible("dunlin-sends-dead", &[dead[0].receipt.clone()], 0);
    assert_eq!(cloud.sqs().redrive("dunlin-sends-dead").await.unwrap(), 1);
    assert_eq!(bodies(&cloud, "dunlin-sends"), ["poison"]);
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_said_to_be_so() {
    let client = sqs_client(&cloud());
    let refused = client.send_message().queue_url("http://aws.local/0/none").message_body("x").send().await;
    assert!(refused.unwrap_err().into_service_error().is_queue_does_not_exist());
}

#[tokio::test]
async fn a_queue_made_by_hand_has_the_settings_it_was_given() {
    let client = sqs_client(&cloud());
    let made = client.create_queue().queue_name("mine").attributes(QueueAttributeName::VisibilityTimeout, "7");
    let url = made.send().await.unwrap().queue_url.unwrap();
    let asked = client.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All).send().await;
    let attributes = asked.unwrap().attributes.unwrap();
    assert_eq!(attributes[&QueueAttributeName::VisibilityTimeout], "7");
    assert_eq!(attributes[&QueueAttributeName::ApproximateNumberOfMessages], "0");
}

#[tokio::test]
async fn who_waits_for_a_message_is_told_when_it_comes() {
    let cloud = cloud();
    let client = sqs_client(&cloud);
    let sends = url(&client, "dunlin-sends").await;
    let sqs = cloud.sqs().clone();
    let waiting = tokio::spawn(async move { sqs.wait_for_message("dunlin-sends").await });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    client.send_message().queue_url(&sends).message_body("x").send().await.unwrap();
    waiting.await.unwrap();
}
