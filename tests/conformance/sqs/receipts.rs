//! Receipt handles: what deletes, and what does not.

use crate::aws::Aws;
use crate::documents::sqs_api;
use crate::queue::{HIDDEN, receipt};
use crate::rule::{Checked, Rule, holds, refused, rule};

const DELETE: &str = sqs_api!("DeleteMessage");

pub(crate) const RULES: &[Rule] = &[
    rule!(a_deleted_message_does_not_come_again, "A deleted message does not come again", DELETE),
    rule!(every_receive_has_its_own_receipt, "Each receive of a message has a receipt handle of its own", DELETE),
    rule!(an_old_receipt_deletes_nothing, "A delete by an old receipt succeeds, and the message stays", DELETE),
    rule!(
        a_message_may_be_deleted_after_its_time_out,
        "Its last receipt deletes a message also after the visibility time-out",
        DELETE
    ),
    rule!(what_is_no_receipt_is_refused, "What is no receipt handle is `ReceiptHandleIsInvalid`", DELETE),
];

async fn a_deleted_message_does_not_come_again(aws: &Aws) -> Checked {
    let queue = aws.forgetful_queue().await?;
    aws.send(&queue, "x").send().await?;
    aws.delete(&queue, &receipt(&aws.one(&queue).await?)).await?;
    aws.pass(HIDDEN).await;
    aws.nothing_comes(&queue).await
}

async fn every_receive_has_its_own_receipt(aws: &Aws) -> Checked {
    let queue = aws.forgetful_queue().await?;
    aws.send(&queue, "x").send().await?;
    let first = receipt(&aws.one(&queue).await?);
    aws.pass(HIDDEN).await;
    holds(first != receipt(&aws.one(&queue).await?), "the same one")
}

async fn an_old_receipt_deletes_nothing(aws: &Aws) -> Checked {
    let queue = aws.forgetful_queue().await?;
    aws.send(&queue, "x").send().await?;
    let old = receipt(&aws.one(&queue).await?);
    aws.pass(HIDDEN).await;
    aws.one(&queue).await?;
    aws.delete(&queue, &old).await?;
    aws.pass(HIDDEN).await;
    aws.one(&queue).await.map(drop)
}

async fn a_message_may_be_deleted_after_its_time_out(aws: &Aws) -> Checked {
    let queue = aws.forgetful_queue().await?;
    aws.send(&queue, "x").send().await?;
    let receipt = receipt(&aws.one(&queue).await?);
    aws.pass(HIDDEN).await;
    aws.delete(&queue, &receipt).await?;
    aws.nothing_comes(&queue).await
}

async fn what_is_no_receipt_is_refused(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    let delete = aws.sqs.delete_message().queue_url(&queue.url).receipt_handle("nonsense");
    refused(delete.send().await, &["ReceiptHandleIsInvalid"])
}
