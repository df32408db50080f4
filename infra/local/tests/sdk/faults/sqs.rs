//! What goes wrong in queues.

use std::collections::BTreeSet;

use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use dunlin_local::{Cloud, Fault, FaultKind as Kind, Message, Service, When};
use jiff::SignedDuration;

use super::SENDS;
use crate::{cloud, pass, sqs_client};

const ALWAYS: When = When::Chance(1.0);
const EVENTS: &str = "http://aws.local/0/dunlin-events.fifo";

async fn send_batch(cloud: &Cloud, url: &str, entries: usize, delay: i32) -> Result<SendMessageBatchOutput, String> {
    let entry = |n: usize| {
        let entry = SendMessageBatchRequestEntry::builder().id(n.to_string()).message_body(format!("body {n}"));
        let entry = entry.message_group_id("group").set_delay_seconds((delay > 0).then_some(delay));
        let fifo = url.ends_with(".fifo").then(|| n.to_string());
        entry.set_message_deduplication_id(fifo).build().unwrap()
    };
    let request = sqs_client(cloud).send_message_batch().queue_url(url);
    request.set_entries(Some((0..entries).map(entry).collect())).send().await.map_err(|error| format!("{error:?}"))
}

fn set(cloud: &Cloud, faults: Vec<Fault>) {
    cloud.faults().set(faults);
}

fn receive(cloud: &Cloud, queue: &str) -> Vec<Message> {
    cloud.sqs().receive(queue, 10)
}

fn receipts(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| message.receipt.clone()).collect()
}

#[tokio::test]
async fn a_duplicate_delivery_comes_twice_and_a_lost_receive_not_at_all() {
    let cloud = cloud();
    sqs_client(&cloud).send_message().queue_url(SENDS).message_body("x").send().await.unwrap();
    cloud
        .faults()
        .set(vec![Fault::new(Kind::DuplicateDelivery, When::Call(1)), Fault::new(Kind::LostReceive, When::Call(3))]);
    let first = cloud.sqs().receive("dunlin-sends", 10);
    cloud.sqs().delete("dunlin-sends", &[first[0].receipt.clone()]);
    let second = cloud.sqs().receive("dunlin-sends", 10);
    assert_eq!(first[0].id, second[0].id);
    crate::pass(&cloud, 120);
    assert!(cloud.sqs().receive("dunlin-sends", 10).is_empty());
    assert_eq!(cloud.sqs().depth("dunlin-sends").in_flight, 1);
}

#[tokio::test]
async fn a_deleted_message_of_a_standard_queue_may_come_again_once() {
    let cloud = cloud();
    send_batch(&cloud, SENDS, 1, 0).await.unwrap();
    set(&cloud, vec![Fault::new(Kind::DuplicateAfterDelete, ALWAYS).times(1).up_to(SignedDuration::from_secs(50))]);
    let first = receive(&cloud, "dunlin-sends");
    cloud.sqs().delete("dunlin-sends", &receipts(&first));
    assert!(receive(&cloud, "dunlin-sends").is_empty(), "not at once");
    pass(&cloud, 50);
    let again = receive(&cloud, "dunlin-sends");
    assert_eq!((&again[0].id, &again[0].body), (&first[0].id, &first[0].body));
    assert_eq!(again[0].attributes["ApproximateReceiveCount"], "1", "nobody has received the copy yet");
    cloud.sqs().delete("dunlin-sends", &receipts(&first));
    assert_eq!(cloud.sqs().depth("dunlin-sends").total(), 1, "the first receipt is not the copy's");
    cloud.sqs().delete("dunlin-sends", &receipts(&again));
    assert_eq!(cloud.sqs().depth("dunlin-sends").total(), 0);
}

#[tokio::test]
async fn a_deleted_message_of_a_fifo_queue_never_comes_again() {
    let cloud = cloud();
    send_batch(&cloud, EVENTS, 1, 0).await.unwrap();
    set(&cloud, vec![Fault::new(Kind::DuplicateAfterDelete, ALWAYS)]);
    let messages = receive(&cloud, "dunlin-events.fifo");
    cloud.sqs().delete("dunlin-events.fifo", &receipts(&messages));
    assert_eq!(cloud.sqs().depth("dunlin-events.fifo").total(), 0);
}

#[tokio::test]
async fn a_lost_delete_brings_the_message_back_and_holds_its_fifo_group() {
    for (queue, url, behind) in [("dunlin-events.fifo", EVENTS, 0), ("dunlin-sends", SENDS, 1)] {
        let cloud = cloud();
        send_batch(&cloud, url, 2, 0).await.unwrap();
        set(&cloud, vec![Fault::new(Kind::LostDelete, When::Call(1))]);
        let first = cloud.sqs().receive(queue, 1);
        cloud.sqs().delete(queue, &receipts(&first));
        assert_eq!(receive(&cloud, queue).len(), behind, "{queue}");
        pass(&cloud, 3600);
        let again = receive(&cloud, queue);
        assert_eq!(again[0].id, first[0].id, "{queue}");
        assert_eq!(again[0].attributes["ApproximateReceiveCount"], "2", "{queue}");
        cloud.sqs().delete(queue, &receipts(&again));
        assert_eq!(cloud.sqs().depth(queue).total(), 0, "{queue}");
    }
}

#[tokio::test]
async fn a_partial_batch_puts_what_it_says_and_nothing_else() {
    for (queue, url) in [("dunlin-events.fifo", EVENTS), ("dunlin-sends", SENDS)] {
        let cloud = cloud();
        set(&cloud, vec![Fault::new(Kind::PartialBatch, When::Call(1))]);
        let answer = send_batch(&cloud, url, 10, 0).await.unwrap();
        assert!(!answer.failed().is_empty() && !answer.successful().is_empty(), "{answer:?}");
        assert!(answer.failed().iter().all(|entry| entry.code() == "InternalError" && !entry.sender_fault()));
        let said: BTreeSet<String> = answer.successful().iter().map(|sent| format!("body {}", sent.id())).collect();
        let there: BTreeSet<String> = receive(&cloud, queue).into_iter().map(|message| message.body).collect();
        assert_eq!(said, there);
        assert!(send_batch(&cloud, url, 10, 0).await.unwrap().failed().is_empty(), "a failed entry is not remembered");
        assert_eq!(cloud.faults().injected().len(), 1);
    }
}

#[tokio::test]
async fn a_batch_may_be_accepted_and_its_answer_lost() {
    for (kind, there) in [(Kind::TimeoutApplied, 3), (Kind::ResetApplied, 3), (Kind::TimeoutNotApplied, 0)] {
        let cloud = cloud();
        set(&cloud, vec![Fault::new(kind, When::Call(1)).at(Service::SqsStandard).on("SendMessageBatch")]);
        assert!(send_batch(&cloud, SENDS, 3, 0).await.is_err());
        assert_eq!(receive(&cloud, "dunlin-sends").len(), there, "{kind:?}");
    }
}

#[tokio::test]
async fn a_delay_is_at_times_longer_and_never_shorter() {
    let cloud = cloud();
    set(&cloud, vec![Fault::new(Kind::DelayJitter, ALWAYS).up_to(SignedDuration::from_secs(20))]);
    send_batch(&cloud, SENDS, 10, 30).await.unwrap();
    pass(&cloud, 30);
    let early = receive(&cloud, "dunlin-sends").len();
    pass(&cloud, 10);
    let middle = receive(&cloud, "dunlin-sends").len();
    pass(&cloud, 10);
    let last = receive(&cloud, "dunlin-sends").len();
    assert_eq!((early, middle + last), (0, 10));
    assert!(middle > 0 && last > 0, "{middle} and {last}");
    send_batch(&cloud, SENDS, 10, 0).await.unwrap();
    assert_eq!(receive(&cloud, "dunlin-sends").len(), 10, "without a delay nothing is late");
}

#[tokio::test]
async fn the_same_seed_loosens_the_order_of_groups_in_the_same_way() {
    let order = |seed| async move {
        let cloud = Cloud::in_memory(dunlin_aws::Clock::virtual_at(crate::start()), seed).unwrap();
        for group in 0..8 {
            let request = sqs_client(&cloud).send_message().queue_url(SENDS).message_group_id(format!("g{group}"));
            request.message_body(group.to_string()).send().await.unwrap();
        }
        set(&cloud, vec![Fault::new(Kind::AnyGroup, ALWAYS)]);
        receive(&cloud, "dunlin-sends").into_iter().map(|message| message.body).collect::<String>()
    };
    let orders = [order(1).await, order(1).await, order(2).await];
    assert_eq!(orders[0], orders[1]);
    assert_ne!(orders[0], orders[2]);
    assert_eq!(orders[2].chars().collect::<BTreeSet<_>>().len(), 8);
}
