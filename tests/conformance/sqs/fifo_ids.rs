//! FIFO: deduplication.

use aws_sdk_sqs::types::QueueAttributeName;

use crate::aws::Aws;
use crate::documents::{sqs_api, sqs_guide};
use crate::queue::{bodies, entry, receipt};
use crate::rule::{Checked, Rule, refused, rule, same};

const SEND: &str = sqs_api!("SendMessage");
const ONCE: &str = sqs_guide!("FIFO-queues-exactly-once-processing");

pub(crate) const RULES: &[Rule] = &[
    rule!(
        a_deduplication_id_is_delivered_once,
        "A second message of one deduplication id is accepted, and not delivered",
        SEND
    ),
    rule!(
        a_deduplication_id_is_known_after_a_delete,
        "A deduplication id is known also after its message was received and deleted",
        SEND
    ),
    rule!(
        a_deduplication_id_is_known_in_every_group,
        "A deduplication id counts for the whole queue, not for a group",
        sqs_api!("CreateQueue")
    ),
    rule!(
        a_deduplication_id_is_known_in_its_group,
        "With `DeduplicationScope` `messageGroup`, a deduplication id counts for its group alone",
        sqs_api!("CreateQueue")
    ),
    rule!(
        a_deduplication_id_is_known_within_a_batch,
        "Of two entries of one deduplication id in a batch, both are accepted and one is delivered",
        ONCE
    ),
    rule!(
        a_deduplication_id_is_forgotten_after_five_minutes,
        "After five minutes a deduplication id is delivered again, and not a second before",
        ONCE
    ),
    rule!(
        a_fifo_queue_needs_a_deduplication_id,
        "Without deduplication by content, a message needs its deduplication id",
        SEND
    ),
    rule!(
        a_body_can_be_its_own_deduplication_id,
        "With deduplication by content, the same body is delivered once",
        SEND
    ),
    rule!(
        a_group_and_an_id_have_128_characters,
        "Group and deduplication id may have 128 characters, letters, digits and punctuation",
        SEND
    ),
];

async fn a_deduplication_id_is_delivered_once(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    aws.send_to_group(&queue, "ann", "same").send().await?;
    aws.send(&queue, "other").message_group_id("ann").message_deduplication_id("same").send().await?;
    same("bodies", bodies(&aws.gather(&queue, 1).await?), ["same"])
}

async fn a_deduplication_id_is_known_after_a_delete(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    aws.send_to_group(&queue, "ann", "same").send().await?;
    aws.delete(&queue, &receipt(&aws.one(&queue).await?)).await?;
    aws.send_to_group(&queue, "ann", "same").send().await?;
    aws.nothing_comes(&queue).await
}

async fn a_deduplication_id_is_known_in_every_group(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    aws.send_to_group(&queue, "ann", "same").send().await?;
    aws.send_to_group(&queue, "bob", "same").send().await?;
    same("messages", aws.gather(&queue, 1).await?.len(), 1)
}

async fn a_deduplication_id_is_known_in_its_group(aws: &Aws) -> Checked {
    let per_group = (QueueAttributeName::DeduplicationScope, "messageGroup");
    let queue = aws.fifo_with(&[per_group, (QueueAttributeName::FifoThroughputLimit, "perMessageGroupId")]).await?;
    for group in ["ann", "bob", "ann"] {
        aws.send_to_group(&queue, group, "same").send().await?;
    }
    same("messages", aws.gather(&queue, 2).await?.len(), 2)
}

async fn a_deduplication_id_is_known_within_a_batch(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    let twins = ["a", "b"].map(|id| {
        let mut entry = entry(id, id);
        entry.message_group_id = Some("ann".to_owned());
        entry.message_deduplication_id = Some("same".to_owned());
        entry
    });
    let answer = aws.sqs.send_message_batch().queue_url(&queue.url).set_entries(Some(twins.to_vec())).send().await?;
    same("accepted", answer.successful().len(), 2)?;
    same("bodies", bodies(&aws.gather(&queue, 1).await?), ["a"])
}

async fn a_deduplication_id_is_forgotten_after_five_minutes(aws: &Aws) -> Checked {
    aws.has_minutes(5)?;
    let queue = aws.fifo().await?;
    aws.send_to_group(&queue, "ann", "same").send().await?;
    aws.delete(&queue, &receipt(&aws.one(&queue).await?)).await?;
    aws.pass(299).await;
    aws.send_to_group(&queue, "ann", "same").send().await?;
    aws.nothing_comes(&queue).await?;
    aws.pass(1).await;
    aws.send_to_group(&queue, "ann", "same").send().await?;
    aws.one(&queue).await.map(drop)
}

async fn a_fifo_queue_needs_a_deduplication_id(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    refused(aws.send(&queue, "x").message_group_id("ann").send().await, &["InvalidParameterValue"])
}

async fn a_body_can_be_its_own_deduplication_id(aws: &Aws) -> Checked {
    let queue = aws.fifo_with(&[(QueueAttributeName::ContentBasedDeduplication, "true")]).await?;
    for body in ["one", "one", "two"] {
        aws.send(&queue, body).message_group_id("ann").send().await?;
    }
    let mut came = aws.gather(&queue, 1).await?;
    for message in &came {
        aws.delete(&queue, &receipt(message)).await?;
    }
    came.extend(aws.receive(&queue).await?);
    same("bodies", bodies(&came), ["one", "two"])
}

async fn a_group_and_an_id_have_128_characters(aws: &Aws) -> Checked {
    let queue = aws.fifo().await?;
    let send =
        |group: &str, id: &str| aws.send(&queue, "x").message_group_id(group).message_deduplication_id(id).send();
    let most = format!("{}{}", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "a".repeat(96));
    send(&most, &most).await?;
    refused(send(&format!("{most}a"), "x").await, &[])?;
    refused(send("ann", &format!("{most}a")).await, &[])?;
    refused(send("a b", "x").await, &[])?;
    refused(send("ann", "é").await, &[])
}
