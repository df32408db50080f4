//! SNS: how SES's events reach the feedback queue in AWS.

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use crate::aws::{Aws, Made};
use crate::documents::sns_guide;
use crate::queue::Queue;
use crate::rule::{Checked, Rule, Wrong, holds, rule, same, some};

const RAW: &str = sns_guide!("sns-large-payload-raw-message-delivery");
const QUEUES: &str = sns_guide!("subscribe-sqs-queue-to-sns-topic");

pub(crate) const RULES: &[Rule] = &[
    rule!(
        raw_delivery_brings_the_message_itself,
        "With raw delivery a queue gets the message as it was published",
        RAW
    ),
    rule!(
        a_delivery_otherwise_is_an_envelope,
        "Without raw delivery, a queue gets a JSON envelope: `Type`, `MessageId`, `TopicArn`, `Message`, `Timestamp`",
        RAW
    ),
    rule!(a_queue_is_subscribed_at_once, "A queue of the same account is subscribed without a confirmation", QUEUES),
    rule!(
        a_queue_lets_a_topic_in_by_its_policy,
        "A topic that the queue's policy does not let in delivers nothing",
        QUEUES
    ),
];

async fn topic(aws: &Aws) -> Result<String, Wrong> {
    let arn = some("topic", aws.sns.create_topic().name(aws.fresh("topic")).send().await?.topic_arn)?;
    aws.note(Made::Topic(arn.clone()));
    Ok(arn)
}

/// Subscribes a queue to a topic; returns the subscription.
async fn subscribe(aws: &Aws, topic: &str, queue: &Queue, raw: bool) -> Result<String, Wrong> {
    let subscribe = aws.sns.subscribe().topic_arn(topic).protocol("sqs").endpoint(aws.arn(queue).await?);
    let subscribe = if raw { subscribe.attributes("RawMessageDelivery", "true") } else { subscribe };
    some("subscription", subscribe.send().await?.subscription_arn)
}

/// A policy that lets a topic send to the queue that has it.
fn policy(topic: &str) -> String {
    let statement = json!({
        "Effect": "Allow",
        "Principal": { "Service": "sns.amazonaws.com" },
        "Action": "sqs:SendMessage",
        "Resource": "*",
        "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
    });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

/// A topic, and a queue that gets what is published there.
pub(crate) async fn subscribed(aws: &Aws, raw: bool) -> Result<(String, Queue), Wrong> {
    let topic = topic(aws).await?;
    let queue = aws.queue_with(&aws.fresh("queue"), &[(QueueAttributeName::Policy, &policy(&topic))]).await?;
    subscribe(aws, &topic, &queue, raw).await?;
    Ok((topic, queue))
}

/// What SES would publish.
const EVENT: &str = r#"{"eventType":"Send","mail":{"subject":"Grüße \"✓\""}}"#;

async fn raw_delivery_brings_the_message_itself(aws: &Aws) -> Checked {
    let (topic, queue) = subscribed(aws, true).await?;
    aws.sns.publish().topic_arn(topic).message(EVENT).send().await?;
    same("body", aws.one(&queue).await?.body(), Some(EVENT))
}

async fn a_delivery_otherwise_is_an_envelope(aws: &Aws) -> Checked {
    let (topic, queue) = subscribed(aws, false).await?;
    aws.sns.publish().topic_arn(&topic).message(EVENT).subject("an event").send().await?;
    let message = aws.one(&queue).await?;
    let envelope: Value = serde_json::from_str(message.body().unwrap_or_default()).unwrap_or_default();
    same("Type", envelope["Type"].as_str(), Some("Notification"))?;
    same("Message", envelope["Message"].as_str(), Some(EVENT))?;
    same("Subject", envelope["Subject"].as_str(), Some("an event"))?;
    holds(envelope["TopicArn"].as_str() == Some(&topic), "another topic")?;
    holds(envelope["MessageId"].is_string() && envelope["Timestamp"].is_string(), "no id, or no time")
}

async fn a_queue_is_subscribed_at_once(aws: &Aws) -> Checked {
    let (topic, queue) = (topic(aws).await?, aws.queue().await?);
    let subscription = subscribe(aws, &topic, &queue, true).await?;
    holds(subscription.starts_with("arn:"), "it waits for a confirmation")
}

async fn a_queue_lets_a_topic_in_by_its_policy(aws: &Aws) -> Checked {
    let (topic, queue) = (topic(aws).await?, aws.queue().await?);
    subscribe(aws, &topic, &queue, true).await?;
    aws.sns.publish().topic_arn(&topic).message("before").send().await?;
    aws.pass(2).await;
    aws.nothing_comes(&queue).await?;
    let set = aws.sqs.set_queue_attributes().queue_url(&queue.url);
    set.attributes(QueueAttributeName::Policy, policy(&topic)).send().await?;
    if aws.is_aws {
        // "The change can take up to 60 seconds to propagate" (SetQueueAttributes).
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    aws.sns.publish().topic_arn(&topic).message("after").send().await?;
    same("body", aws.one(&queue).await?.body(), Some("after"))
}
