//! Queues of a rule's own, and what is done with them again and again.

use std::time::Duration;

use aws_sdk_sqs::operation::receive_message::builders::ReceiveMessageFluentBuilder;
use aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry};

use crate::aws::{Aws, Made};
use crate::rule::{Checked, Wrong, holds, some};

/// Seconds for which a received message is hidden where a rule waits for it: enough for a busy machine to look
/// meanwhile.
pub(crate) const HIDDEN: u32 = 2;

/// A queue.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) url: String,
}

/// An entry of a batch.
pub(crate) fn entry(id: impl Into<String>, body: impl Into<String>) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().expect("an entry")
}

/// The bodies of messages.
pub(crate) fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body().unwrap_or_default()).collect()
}

/// The handle of a received message.
pub(crate) fn receipt(message: &Message) -> String {
    message.receipt_handle().unwrap_or_default().to_owned()
}

/// An attribute that SQS gave a message.
pub(crate) fn attribute(message: &Message, name: MessageSystemAttributeName) -> Option<&str> {
    message.attributes().and_then(|attributes| attributes.get(&name)).map(String::as_str)
}

impl Aws {
    /// A standard queue.
    pub(crate) async fn queue(&self) -> Result<Queue, Wrong> {
        self.queue_with(&self.fresh("queue"), &[]).await
    }

    /// A standard queue that hides what was received for [`HIDDEN`] seconds.
    pub(crate) async fn forgetful_queue(&self) -> Result<Queue, Wrong> {
        let hidden = HIDDEN.to_string();
        self.queue_with(&self.fresh("queue"), &[(QueueAttributeName::VisibilityTimeout, &hidden)]).await
    }

    /// A FIFO queue.
    pub(crate) async fn fifo(&self) -> Result<Queue, Wrong> {
        self.fifo_with(&[]).await
    }

    pub(crate) async fn fifo_with(&self, attributes: &[(QueueAttributeName, &str)]) -> Result<Queue, Wrong> {
        let fifo = [&[(QueueAttributeName::FifoQueue, "true")], attributes].concat();
        self.queue_with(&format!("{}.fifo", self.fresh("queue")), &fifo).await
    }

    pub(crate) async fn queue_with(
        &self,
        name: &str,
        attributes: &[(QueueAttributeName, &str)],
    ) -> Result<Queue, Wrong> {
        let attributes = attributes.iter().map(|(name, value)| (name.clone(), (*value).to_owned())).collect();
        let made = self.sqs.create_queue().queue_name(name).set_attributes(Some(attributes)).send().await?;
        let url = some("queue URL", made.queue_url)?;
        self.note(Made::Queue(url.clone()));
        if self.is_aws {
            // "You must wait at least one second after the queue is created to be able to use it" (CreateQueue).
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(Queue { url })
    }

    /// The name of a queue in policies.
    pub(crate) async fn arn(&self, queue: &Queue) -> Result<String, Wrong> {
        let name = QueueAttributeName::QueueArn;
        let asked = self.sqs.get_queue_attributes().queue_url(&queue.url).attribute_names(name.clone()).send().await?;
        some("queue ARN", asked.attributes.and_then(|mut attributes| attributes.remove(&name)))
    }

    pub(crate) fn send(&self, queue: &Queue, body: impl Into<String>) -> SendMessageFluentBuilder {
        self.sqs.send_message().queue_url(&queue.url).message_body(body)
    }

    /// A message of a group; its body is its deduplication id, too.
    pub(crate) fn send_to_group(&self, queue: &Queue, group: &str, body: &str) -> SendMessageFluentBuilder {
        self.send(queue, body).message_group_id(group).message_deduplication_id(body)
    }

    pub(crate) fn ask(&self, queue: &Queue) -> ReceiveMessageFluentBuilder {
        // Only a long poll asks all of SQS's servers.
        let wait = i32::from(self.is_aws);
        self.sqs
            .receive_message()
            .queue_url(&queue.url)
            .max_number_of_messages(10)
            .wait_time_seconds(wait)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
    }

    /// What one request brings.
    pub(crate) async fn receive(&self, queue: &Queue) -> Result<Vec<Message>, Wrong> {
        Ok(self.ask(queue).send().await?.messages.unwrap_or_default())
    }

    /// Receives until there are `count` messages, as long as patience lasts.
    pub(crate) async fn gather(&self, queue: &Queue, count: usize) -> Result<Vec<Message>, Wrong> {
        let mut gathered = self.receive(queue).await?;
        for _ in 1..self.patience() {
            if gathered.len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            gathered.extend(self.receive(queue).await?);
        }
        // A queue may give less than it has in one answer.
        if gathered.len() < count {
            gathered.extend(self.receive(queue).await?);
        }
        holds(!gathered.is_empty(), "nothing comes")?;
        holds(gathered.len() >= count, format!("{} of {count} messages come", gathered.len()))?;
        Ok(gathered)
    }

    /// The one message that comes.
    pub(crate) async fn one(&self, queue: &Queue) -> Result<Message, Wrong> {
        some("message", self.gather(queue, 1).await?.into_iter().next())
    }

    /// Nothing may come.
    pub(crate) async fn nothing_comes(&self, queue: &Queue) -> Checked {
        let came = self.receive(queue).await?;
        holds(came.is_empty(), format!("received {:?}", bodies(&came)))
    }

    pub(crate) async fn delete(&self, queue: &Queue, receipt: &str) -> Checked {
        self.sqs.delete_message().queue_url(&queue.url).receipt_handle(receipt).send().await?;
        Ok(())
    }
}
