//! Queues' settings, and where they give up messages to.

use std::time::Duration;

use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName as Name};
use serde_json::json;

use crate::aws::Aws;
use crate::documents::{sqs_api, sqs_guide};
use crate::queue::{Queue, attribute, bodies, receipt};
use crate::rule::{Checked, Rule, Wrong, holds, refused, rule, same, some};

const CREATE: &str = sqs_api!("CreateQueue");
const DEAD: &str = sqs_guide!("sqs-dead-letter-queues");

pub(crate) const RULES: &[Rule] = &[
    rule!(
        a_queue_has_the_settings_it_was_given,
        "A queue shows the attributes that it was made with",
        sqs_api!("GetQueueAttributes")
    ),
    rule!(
        a_queue_keeps_messages_for_14_days_at_most,
        "`MessageRetentionPeriod` may be 1,209,600 seconds, and no more",
        CREATE
    ),
    rule!(a_message_goes_when_its_time_is_over, "A message is gone after its queue's retention period", CREATE),
    rule!(a_redrive_policy_counts_to_1000, "`maxReceiveCount` may be 1 to 1,000, not 1,001", CREATE),
    rule!(
        a_message_received_too_often_is_given_up,
        "A message received `maxReceiveCount` times goes to the dead-letter queue, with its id",
        DEAD
    ),
    rule!(
        a_dead_letter_says_where_it_came_from,
        "A dead letter has `DeadLetterQueueSourceArn`",
        sqs_api!("ReceiveMessage")
    ),
    rule!(
        dead_letters_go_back,
        "`StartMessageMoveTask` moves dead letters back to where they came from",
        sqs_api!("StartMessageMoveTask")
    ),
    rule!(
        a_group_goes_on_behind_a_dead_letter,
        "A FIFO queue's message goes to a FIFO dead-letter queue, and its group goes on",
        DEAD
    ),
];

/// A redrive policy as SQS takes it.
fn policy(arn: &str, count: u32) -> String {
    json!({ "deadLetterTargetArn": arn, "maxReceiveCount": count }).to_string()
}

/// A queue that gives up after one receive, and where it gives up to. (One is right only for a test.)
async fn pair(aws: &Aws) -> Result<(Queue, Queue), Wrong> {
    let dead = aws.queue().await?;
    let policy = policy(&aws.arn(&dead).await?, 1);
    Ok((aws.queue_with(&aws.fresh("queue"), &[(Name::RedrivePolicy, &policy)]).await?, dead))
}

/// Receives a message and puts it back at once.
async fn receive_and_put_back(aws: &Aws, queue: &Queue) -> Checked {
    let message = aws.one(queue).await?;
    let change = aws.sqs.change_message_visibility().queue_url(&queue.url).receipt_handle(receipt(&message));
    change.visibility_timeout(0).send().await?;
    Ok(())
}

async fn a_queue_has_the_settings_it_was_given(aws: &Aws) -> Checked {
    let dead = aws.arn(&aws.fifo().await?).await?;
    let policy = policy(&dead, 1000);
    let given = [
        (Name::VisibilityTimeout, "120"),
        (Name::MessageRetentionPeriod, "1209600"),
        (Name::FifoQueue, "true"),
        (Name::ContentBasedDeduplication, "false"),
    ];
    let queue = aws.fifo_with(&[given.as_slice(), &[(Name::RedrivePolicy, &policy)]].concat()).await?;
    let asked = aws.sqs.get_queue_attributes().queue_url(&queue.url).attribute_names(Name::All).send().await?;
    let shown = some("attributes", asked.attributes)?;
    for (name, value) in given {
        same(name.as_str(), shown.get(&name).map(String::as_str), Some(value))?;
    }
    let shown: serde_json::Value =
        serde_json::from_str(some("RedrivePolicy", shown.get(&Name::RedrivePolicy))?).unwrap_or_default();
    same("dead letters", shown["deadLetterTargetArn"].as_str(), Some(dead.as_str()))
}

async fn a_queue_keeps_messages_for_14_days_at_most(aws: &Aws) -> Checked {
    aws.queue_with(&aws.fresh("queue"), &[(Name::MessageRetentionPeriod, "1209600")]).await?;
    let create = aws.sqs.create_queue().queue_name(aws.fresh("queue"));
    refused(create.attributes(Name::MessageRetentionPeriod, "1209601").send().await, &["InvalidAttributeValue"])
}

async fn a_message_goes_when_its_time_is_over(aws: &Aws) -> Checked {
    aws.has_minutes(10)?;
    let queue = aws.queue_with(&aws.fresh("queue"), &[(Name::MessageRetentionPeriod, "600")]).await?;
    for body in ["x", "y"] {
        aws.send(&queue, body).send().await?;
        aws.pass(599).await;
    }
    same("bodies", bodies(&aws.receive(&queue).await?), ["y"])
}

async fn a_redrive_policy_counts_to_1000(aws: &Aws) -> Checked {
    let arn = aws.arn(&aws.queue().await?).await?;
    aws.queue_with(&aws.fresh("queue"), &[(Name::RedrivePolicy, &policy(&arn, 1000))]).await?;
    let create = |count: u32| {
        let create = aws.sqs.create_queue().queue_name(aws.fresh("queue"));
        create.attributes(Name::RedrivePolicy, policy(&arn, count)).send()
    };
    refused(create(1001).await, &[])?;
    refused(create(0).await, &[])
}

async fn a_message_received_too_often_is_given_up(aws: &Aws) -> Checked {
    let (queue, dead) = pair(aws).await?;
    let sent = aws.send(&queue, "poison").send().await?;
    receive_and_put_back(aws, &queue).await?;
    aws.nothing_comes(&queue).await?;
    let message = aws.one(&dead).await?;
    same("body", message.body(), Some("poison"))?;
    holds(message.message_id() == sent.message_id(), "another id")
}

async fn a_dead_letter_says_where_it_came_from(aws: &Aws) -> Checked {
    let (queue, dead) = pair(aws).await?;
    aws.send(&queue, "poison").send().await?;
    receive_and_put_back(aws, &queue).await?;
    aws.nothing_comes(&queue).await?;
    let message = aws.one(&dead).await?;
    let source = some("source", attribute(&message, MessageSystemAttributeName::DeadLetterQueueSourceArn))?;
    holds(source == aws.arn(&queue).await?, "another queue")
}

async fn dead_letters_go_back(aws: &Aws) -> Checked {
    let (queue, dead) = pair(aws).await?;
    aws.send(&queue, "poison").send().await?;
    receive_and_put_back(aws, &queue).await?;
    aws.nothing_comes(&queue).await?;
    receive_and_put_back(aws, &dead).await?;
    aws.sqs.start_message_move_task().source_arn(aws.arn(&dead).await?).send().await?;
    same("bodies", bodies(&aws.gather(&queue, 1).await?), ["poison"])?;
    aws.nothing_comes(&dead).await
}

async fn a_group_goes_on_behind_a_dead_letter(aws: &Aws) -> Checked {
    let dead = aws.fifo().await?;
    let policy = policy(&aws.arn(&dead).await?, 1);
    let queue = aws.fifo_with(&[(Name::RedrivePolicy, &policy)]).await?;
    for body in ["poison", "next"] {
        aws.send_to_group(&queue, "ann", body).send().await?;
    }
    let mut first = aws.ask(&queue).max_number_of_messages(1).send().await?;
    for _ in 1..aws.patience() {
        if !first.messages().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        first = aws.ask(&queue).max_number_of_messages(1).send().await?;
    }
    same("first", bodies(first.messages()), ["poison"])?;
    let receipt = receipt(&first.messages()[0]);
    let change = aws.sqs.change_message_visibility().queue_url(&queue.url).receipt_handle(receipt);
    change.visibility_timeout(0).send().await?;
    same("next", bodies(&aws.gather(&queue, 1).await?), ["next"])?;
    same("dead", bodies(&aws.gather(&dead, 1).await?), ["poison"])
}
