//! Queues, and what they gave up.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName as Name;
use dunlin_aws::resources::{FEEDBACK, Queue, RETENTION_DAYS};
use serde_json::Value;

use super::refusal::Refusal;
use super::report::Finding;
use super::stage::Stage;

/// Seconds that a message is kept.
const RETENTION_SECONDS: u32 = RETENTION_DAYS * 24 * 3600;

/// A queue's attributes, as SQS tells them.
struct Attributes(HashMap<Name, String>);

impl Attributes {
    async fn read(stage: &Stage, name: &str) -> Result<Self, Refusal> {
        let sqs = &stage.clients.sqs;
        let found = sqs.get_queue_url().queue_name(name).send().await.map_err(|error| Refusal::of(&error))?;
        let asked = sqs.get_queue_attributes().set_queue_url(found.queue_url).attribute_names(Name::All);
        let answer = asked.send().await.map_err(|error| Refusal::of(&error))?;
        Ok(Self(answer.attributes.unwrap_or_default()))
    }

    fn text(&self, name: &Name) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    fn number(&self, name: &Name) -> u32 {
        self.text(name).parse().unwrap_or(0)
    }

    fn json(&self, name: &Name) -> Value {
        serde_json::from_str(self.text(name)).unwrap_or_default()
    }
}

/// Looks at a queue that a function reads.
pub(crate) async fn look(stage: &Stage, queue: Queue) -> Finding {
    let name = stage.name(&queue.name());
    let check = format!("queue {name}");
    let attributes = match Attributes::read(stage, &name).await {
        Ok(attributes) => attributes,
        Err(refusal) => return refusal.finding(&check, stage.remake()),
    };
    let visibility = attributes.number(&Name::VisibilityTimeout);
    let finding = Finding::of(check)
        .saw(format!(
            "{} waiting, {} in flight, {} delayed",
            attributes.number(&Name::ApproximateNumberOfMessages),
            attributes.number(&Name::ApproximateNumberOfMessagesNotVisible),
            attributes.number(&Name::ApproximateNumberOfMessagesDelayed)
        ))
        .wrong_unless(
            visibility >= queue.visibility_seconds(),
            format!(
                "messages come back after {visibility} s, not {} s: work is done twice",
                queue.visibility_seconds()
            ),
            stage.reset(),
        )
        .wrong_unless(
            (attributes.text(&Name::FifoQueue) == "true") == queue.fifo,
            if queue.fifo { "it is not a FIFO queue" } else { "it is a FIFO queue" },
            "delete it and deploy again: the kind of a queue cannot be changed",
        );
    let finding = gives_up(kept(finding, &attributes, stage), &attributes, queue, stage);
    if stage.is_aws { of_aws(finding, &attributes, queue, stage) } else { finding }
}

fn kept(finding: Finding, attributes: &Attributes, stage: &Stage) -> Finding {
    let days = attributes.number(&Name::MessageRetentionPeriod) / (24 * 3600);
    let enough = attributes.number(&Name::MessageRetentionPeriod) >= RETENTION_SECONDS;
    finding.wrong_unless(enough, format!("messages are kept for {days} days, not {RETENTION_DAYS}"), stage.reset())
}

/// Where messages go that were received too often.
fn gives_up(finding: Finding, attributes: &Attributes, queue: Queue, stage: &Stage) -> Finding {
    let policy = attributes.json(&Name::RedrivePolicy);
    let target = policy.get("deadLetterTargetArn").and_then(Value::as_str).unwrap_or_default();
    // SQS takes and tells the count as a number or as a text.
    let count = policy.get("maxReceiveCount").map(|count| count.to_string().trim_matches('"').to_owned());
    let dead = stage.name(&queue.dead_letter_name());
    finding
        .wrong_unless(
            target.rsplit(':').next() == Some(dead.as_str()),
            format!("it gives messages up to `{target}`, not to {dead}"),
            stage.reset(),
        )
        .warn_unless(
            count.as_deref() == Some(queue.max_receive_count.to_string().as_str()),
            format!(
                "it gives up after {} receives, not {}",
                count.clone().unwrap_or_default(),
                queue.max_receive_count
            ),
            stage.reset(),
        )
}

/// What only AWS has: throughput by group, and the topic's right to write.
fn of_aws(finding: Finding, attributes: &Attributes, queue: Queue, stage: &Stage) -> Finding {
    let fast = attributes.text(&Name::FifoThroughputLimit) == "perMessageGroupId"
        && attributes.text(&Name::DeduplicationScope) == "messageGroup";
    let open = attributes.text(&Name::Policy).contains("sns.amazonaws.com");
    let finding = finding.warn_unless(
        !queue.fifo || fast,
        "its throughput is bounded as a whole, not by group: 300 requests a second",
        stage.reset(),
    );
    finding.wrong_unless(
        queue.stem != FEEDBACK.stem || open,
        "SNS may not write to it: bounces and complaints do not come back",
        stage.reset(),
    )
}

/// Looks at what a queue gave up.
pub(crate) async fn look_at_dead_letters(stage: &Stage, queue: Queue) -> Finding {
    let name = stage.name(&queue.dead_letter_name());
    let check = format!("queue {name}");
    let attributes = match Attributes::read(stage, &name).await {
        Ok(attributes) => attributes,
        Err(refusal) => return refusal.finding(&check, stage.remake()),
    };
    let waiting = attributes.number(&Name::ApproximateNumberOfMessages);
    let arn = attributes.text(&Name::QueueArn);
    let mend = format!(
        "read one and the log of the function, mend the cause, then put them back: \
         {} sqs start-message-move-task --source-arn {arn}",
        stage.aws_cli
    );
    let finding = kept(Finding::of(check), &attributes, stage);
    let finding = if waiting == 0 { finding.saw("empty") } else { finding };
    finding.wrong_unless(waiting == 0, format!("{waiting} messages were given up"), mend)
}
