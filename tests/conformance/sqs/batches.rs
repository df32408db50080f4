//! Ten at a time, each with its own fate.

use aws_sdk_sqs::operation::send_message_batch::{SendMessageBatchError, SendMessageBatchOutput};
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    SendMessageBatchRequestEntry,
};

use crate::aws::Aws;
use crate::documents::sqs_api;
use crate::queue::{HIDDEN, Queue, bodies, entry, receipt};
use crate::rule::{Answer, Checked, Rule, holds, refused, rule, same};

const SEND: &str = sqs_api!("SendMessageBatch");

pub(crate) const RULES: &[Rule] = &[
    rule!(a_batch_has_at_most_ten_entries, "A batch takes 10 entries; 11 are `TooManyEntriesInBatchRequest`", SEND),
    rule!(a_batch_has_an_entry, "A batch without entries is `EmptyBatchRequest`", SEND),
    rule!(the_entries_of_a_batch_have_ids_of_their_own, "Two entries of one id are `BatchEntryIdsNotDistinct`", SEND),
    rule!(
        an_entrys_id_is_a_word,
        "An entry's id of other characters is `InvalidBatchEntryId`",
        sqs_api!("SendMessageBatchRequestEntry")
    ),
    rule!(a_batch_has_at_most_1_mib, "The entries together may have 1 MiB; more is `BatchRequestTooLong`", SEND),
    rule!(
        a_batch_fails_entry_by_entry,
        "An entry with illegal characters fails alone, as the sender's fault; the others are taken",
        SEND
    ),
    rule!(a_delay_out_of_bounds_fails_its_entry_alone, "An entry with a delay of 901 seconds fails alone", SEND),
    rule!(each_entry_of_a_batch_has_its_delay, "Each entry has its own `DelaySeconds`", SEND),
    rule!(
        a_batch_of_deletes_fails_entry_by_entry,
        "`DeleteMessageBatch` deletes what has a valid receipt, and reports the others",
        sqs_api!("DeleteMessageBatch")
    ),
    rule!(
        a_batch_of_changes_shows_messages_again,
        "`ChangeMessageVisibilityBatch` changes each message's time by itself",
        sqs_api!("ChangeMessageVisibilityBatch")
    ),
];

async fn send(
    aws: &Aws,
    queue: &Queue,
    entries: Vec<SendMessageBatchRequestEntry>,
) -> Answer<SendMessageBatchOutput, SendMessageBatchError> {
    aws.sqs.send_message_batch().queue_url(&queue.url).set_entries(Some(entries)).send().await
}

/// One entry failed, and no other.
fn one_failed(failed: &[BatchResultErrorEntry], id: &str, code: &str) -> Checked {
    holds(!failed.is_empty(), "accepted")?;
    let found: Vec<_> = failed.iter().map(|entry| (entry.id(), entry.code(), entry.sender_fault())).collect();
    same("failed", found, [(id, code, true)])
}

async fn a_batch_has_at_most_ten_entries(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    let entries = |count: usize| (0..count).map(|n| entry(n.to_string(), "x")).collect::<Vec<_>>();
    same("taken", send(aws, &queue, entries(10)).await?.successful().len(), 10)?;
    refused(send(aws, &queue, entries(11)).await, &["TooManyEntriesInBatchRequest"])
}

async fn a_batch_has_an_entry(aws: &Aws) -> Checked {
    refused(send(aws, &aws.queue().await?, vec![]).await, &["EmptyBatchRequest"])
}

async fn the_entries_of_a_batch_have_ids_of_their_own(aws: &Aws) -> Checked {
    let entries = vec![entry("a", "x"), entry("b", "x"), entry("a", "x")];
    refused(send(aws, &aws.queue().await?, entries).await, &["BatchEntryIdsNotDistinct"])
}

async fn an_entrys_id_is_a_word(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    refused(send(aws, &queue, vec![entry("a b", "x")]).await, &["InvalidBatchEntryId"])?;
    refused(send(aws, &queue, vec![entry("a".repeat(81), "x")]).await, &["InvalidBatchEntryId"])?;
    send(aws, &queue, vec![entry(format!("-_{}", "a".repeat(78)), "x")]).await?;
    Ok(())
}

async fn a_batch_has_at_most_1_mib(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    let half = "x".repeat(512 * 1024);
    send(aws, &queue, vec![entry("a", &half), entry("b", &half)]).await?;
    let more = vec![entry("a", &half), entry("b", format!("{half}x"))];
    refused(send(aws, &queue, more).await, &["BatchRequestTooLong"])
}

async fn a_batch_fails_entry_by_entry(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    let answer = send(aws, &queue, vec![entry("good", "x"), entry("bad", "a\u{1}b")]).await?;
    one_failed(answer.failed(), "bad", "InvalidMessageContents")?;
    same("taken", answer.successful().iter().map(|sent| sent.id()).collect::<Vec<_>>(), ["good"])?;
    same("bodies", bodies(&aws.gather(&queue, 1).await?), ["x"])
}

async fn a_delay_out_of_bounds_fails_its_entry_alone(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    let mut late = entry("late", "y");
    late.delay_seconds = Some(901);
    let answer = send(aws, &queue, vec![late, entry("good", "x")]).await?;
    one_failed(answer.failed(), "late", "InvalidParameterValue")?;
    same("bodies", bodies(&aws.gather(&queue, 1).await?), ["x"])
}

async fn each_entry_of_a_batch_has_its_delay(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    let mut late = entry("late", "later");
    late.delay_seconds = Some(2);
    send(aws, &queue, vec![late, entry("now", "now")]).await?;
    same("bodies", bodies(&aws.gather(&queue, 1).await?), ["now"])?;
    aws.pass(2).await;
    same("bodies", bodies(&aws.gather(&queue, 1).await?), ["later"])
}

async fn a_batch_of_deletes_fails_entry_by_entry(aws: &Aws) -> Checked {
    let queue = aws.forgetful_queue().await?;
    aws.send(&queue, "x").send().await?;
    let message = aws.one(&queue).await?;
    let delete = |id: &str, receipt: &str| {
        DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(receipt).build().expect("an entry")
    };
    let request = aws.sqs.delete_message_batch().queue_url(&queue.url);
    let request = request.entries(delete("good", &receipt(&message))).entries(delete("bad", "nonsense"));
    let answer = request.send().await?;
    same("deleted", answer.successful().iter().map(|deleted| deleted.id()).collect::<Vec<_>>(), ["good"])?;
    one_failed(answer.failed(), "bad", "ReceiptHandleIsInvalid")?;
    aws.pass(HIDDEN).await;
    aws.nothing_comes(&queue).await
}

async fn a_batch_of_changes_shows_messages_again(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    for body in ["a", "b"] {
        aws.send(&queue, body).send().await?;
    }
    let messages = aws.gather(&queue, 2).await?;
    let change = |id: usize, seconds: i32| {
        let change = ChangeMessageVisibilityBatchRequestEntry::builder().id(id.to_string());
        change.receipt_handle(receipt(&messages[id])).visibility_timeout(seconds).build().expect("an entry")
    };
    let request = aws.sqs.change_message_visibility_batch().queue_url(&queue.url);
    let answer = request.entries(change(0, 0)).entries(change(1, 600)).send().await?;
    holds(answer.failed().is_empty(), "something failed")?;
    same("bodies", bodies(&aws.gather(&queue, 1).await?), bodies(&messages[..1]))
}
