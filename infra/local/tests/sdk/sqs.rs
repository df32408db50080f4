use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use dunlin_local::{Cloud, Service};

use crate::{cloud, pass, sqs_client};

async fn url(client: &aws_sdk_sqs::Client, name: &str) -> String {
    client.get_queue_url().queue_name(name).send().await.unwrap().queue_url.unwrap()
}

fn bodies(cloud: &Cloud, queue: &str) -> Vec<String> {
    cloud.sqs().receive(queue, 10).into_iter().map(|message| message.body).collect()
}

#[tokio::test]
async fn the_next_instant_is_when_a_delay_ends() {
    let cloud = cloud();
    let client = sqs_client(&cloud);
    let steps = url(&client, "dunlin-steps").await;
    client.send_message().queue_url(&steps).message_body("x").delay_seconds(900).send().await.unwrap();
    assert_eq!(cloud.next_due(), Some(crate::start() + jiff::SignedDuration::from_secs(900)));
}

#[tokio::test]
async fn a_duplicate_is_answered_as_the_first_was() {
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

#[tokio::test]
async fn a_deleted_queue_is_gone_with_what_it_held() {
    let cloud = cloud();
    let client = sqs_client(&cloud);
    let steps = url(&client, "dunlin-steps").await;
    client.send_message().queue_url(&steps).message_body("lost").send().await.unwrap();
    client.delete_queue().queue_url(&steps).send().await.unwrap();
    let error = client.get_queue_url().queue_name("dunlin-steps").send().await.unwrap_err();
    assert_eq!(error.code(), Some("AWS.SimpleQueueService.NonExistentQueue"));
    client.create_queue().queue_name("dunlin-steps").send().await.unwrap();
    assert_eq!(bodies(&cloud, "dunlin-steps"), [] as [&str; 0]);
}
