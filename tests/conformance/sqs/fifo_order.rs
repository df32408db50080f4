//! FIFO: the order of a group.

use aws_sdk_sqs::types::MessageSystemAttributeName as Name;

use crate::aws::Aws;
use crate::documents::{sqs_api, sqs_guide};
use crate::queue::{HIDDEN, attribute, bodies, entry, receipt};
use crate::rule::{Checked, Rule, holds, refused, rule, same};

const ORDER: &str = sqs_guide!("FIFO-queues-understanding-logic");
const SEND: &str = sqs_api!("SendMessage");

pub(crate) const RULES: &[Rule] = &[
    rule!(
        a_group_is_received_in_its_order,
        "The messages of a group are received in the order in which they were sent",
        ORDER
    ),
    rule!(a_batch_keeps_the_order_of_its_entries, "The entries of a batch are received in their order, too", ORDER),
    rule!(
        a_group_in_flight_holds_back_its_rest,
        "While a message of a group is in flight, no later one of it is received",
        ORDER
    ),
    rule!(
        a_group_in_flight_holds_back_no_other,
        "While a message of a group is in flight, other groups are received",
        ORDER
    ),
    rule!(a_group_goes_on_after_a_delete, "After a delete the group's next message is received", ORDER),
    rule!(
        a_group_begins_again_after_a_time_out,
        "After the visibility time-out the same message comes first again",
        ORDER
    ),
    rule!(a_message_of_a_fifo_queue_needs_its_group, "A message without `MessageGroupId` is refused", SEND),
    rule!(a_message_of_a_fifo_queue_has_no_delay, "A delay of a single message is refused", SEND),
    rule!(a_fifo_queue_says_so_in_its_name, "A FIFO queue's name ends in `.fifo`", sqs_api!("CreateQueue")),
    rule!(
        the_receiver_sees_group_and_ids,
        "The receiver sees group, deduplication id and sequence number",
        sqs_api!("ReceiveMessage")
    ),
    rule!(sequence_numbers_ascend, "The sequence numbers of a group ascend", sqs_guide!("FIFO-key-terms")),
];

async fn a_group_is_received_in_its_order(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    let sent = ["one", "two", "three", "four", "five"];
    for body in sent {
        aws.send_to_group(&queue, "ann", body).send().await?;
    }
    let mut came = Vec::new();
    // One answer may bring some of them only: the rest comes after the delete.
    while came.len() < sent.len() {
        for message in aws.gather(&queue, 1).await? {
            came.push(message.body().unwrap_or_default().to_owned());
            aws.delete(&queue, &receipt(&message)).await?;
        }
    }
    same("order", came, sent)
}

async fn a_batch_keeps_the_order_of_its_entries(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    let entries = (0..10).map(|n| {
        let mut entry = entry(n.to_string(), n.to_string());
        entry.message_group_id = Some("ann".to_owned());
        entry.message_deduplication_id = Some(n.to_string());
        entry
    });
    let answer = aws.sqs.send_message_batch().queue_url(&queue.url).set_entries(Some(entries.collect())).send().await?;
    holds(answer.failed().is_empty(), "an entry failed")?;
    let mut came = Vec::new();
    while came.len() < 10 {
        for message in aws.gather(&queue, 1).await? {
            came.push(message.body().unwrap_or_default().to_owned());
            aws.delete(&queue, &receipt(&message)).await?;
        }
    }
    same("order", came, (0..10).map(|n| n.to_string()).collect::<Vec<_>>())
}

async fn a_group_in_flight_holds_back_its_rest(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    aws.send_to_group(&queue, "ann", "one").send().await?;
    aws.one(&queue).await?;
    aws.send_to_group(&queue, "ann", "two").send().await?;
    aws.nothing_comes(&queue).await
}

async fn a_group_in_flight_holds_back_no_other(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    aws.send_to_group(&queue, "ann", "one").send().await?;
    aws.one(&queue).await?;
    aws.send_to_group(&queue, "ann", "two").send().await?;
    aws.send_to_group(&queue, "bob", "three").send().await?;
    same("bodies", bodies(&aws.gather(&queue, 1).await?), ["three"])
}

async fn a_group_goes_on_after_a_delete(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    aws.send_to_group(&queue, "ann", "one").send().await?;
    let first = aws.one(&queue).await?;
    aws.send_to_group(&queue, "ann", "two").send().await?;
    aws.delete(&queue, &receipt(&first)).await?;
    same("bodies", bodies(&aws.gather(&queue, 1).await?), ["two"])
}

async fn a_group_begins_again_after_a_time_out(aws: &Aws) -> Checked {
    let queue =
        aws.fifo_with(&[(aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout, &HIDDEN.to_string())]).await?;
    aws.send_to_group(&queue, "ann", "one").send().await?;
    aws.one(&queue).await?;
    aws.send_to_group(&queue, "ann", "two").send().await?;
    aws.pass(HIDDEN).await;
    same("first", aws.one(&queue).await?.body(), Some("one"))
}

async fn a_message_of_a_fifo_queue_needs_its_group(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    refused(aws.send(&queue, "x").message_deduplication_id("x").send().await, &["MissingParameter"])
}

async fn a_message_of_a_fifo_queue_has_no_delay(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    refused(aws.send_to_group(&queue, "ann", "x").delay_seconds(1).send().await, &["InvalidParameterValue"])
}

async fn a_fifo_queue_says_so_in_its_name(aws: &Aws) -> Checked {
    let create = aws.sqs.create_queue().queue_name(aws.fresh("queue"));
    refused(create.attributes(aws_sdk_sqs::types::QueueAttributeName::FifoQueue, "true").send().await, &[])
}

async fn the_receiver_sees_group_and_ids(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    let sent = aws.send_to_group(&queue, "ann", "one").send().await?;
    let message = aws.one(&queue).await?;
    same("group", attribute(&message, Name::MessageGroupId), Some("ann"))?;
    same("deduplication id", attribute(&message, Name::MessageDeduplicationId), Some("one"))?;
    let number = attribute(&message, Name::SequenceNumber);
    holds(number.is_some() && number == sent.sequence_number(), "another sequence number")
}

async fn sequence_numbers_ascend(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    let mut last = 0;
    for n in 0..12 {
        let sent = aws.send_to_group(&queue, "ann", &n.to_string()).send().await?;
        let number = sent.sequence_number().and_then(|text| text.parse::<u128>().ok()).unwrap_or(0);
        holds(number > last, "they do not")?;
        last = number;
    }
    Ok(())
}
