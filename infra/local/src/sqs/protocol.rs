//! The AWS JSON 1.0 protocol of SQS: operations by name, refusals with their query-compatible code.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Sqs;
use crate::error::CloudError;
use crate::reply::{self, Refusal, Reply};

/// The last part of a queue's URL, which is its name.
pub(super) fn queue_name(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

/// The refusal of every operation on a queue that is not there.
pub(super) fn unknown_queue() -> Refusal {
    Refusal::sender("QueueDoesNotExist", "The specified queue does not exist.")
}

/// The refusal when the disk no longer takes anything.
pub(super) fn refuse_closed(error: &CloudError) -> Refusal {
    Refusal::internal("InternalFailure", format!("the queue's file cannot be written: {error}"))
}

/// The code that the older query protocol has for an error, which the SDKs read from
/// `x-amzn-query-error` (SQS's model is marked `awsQueryCompatible`).
pub(super) fn query_code(code: &'static str) -> &'static str {
    match code {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue",
        "TooManyEntriesInBatchRequest" => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        "EmptyBatchRequest" => "AWS.SimpleQueueService.EmptyBatchRequest",
        "BatchEntryIdsNotDistinct" => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        "InvalidBatchEntryId" => "AWS.SimpleQueueService.InvalidBatchEntryId",
        "BatchRequestTooLong" => "AWS.SimpleQueueService.BatchRequestTooLong",
        "UnsupportedOperation" => "AWS.SimpleQueueService.UnsupportedOperation",
        "MessageNotInflight" => "AWS.SimpleQueueService.MessageNotInflight",
        "QueueNameExists" => "QueueAlreadyExists",
        other => other,
    }
}

/// A refusal as SQS writes it.
pub(crate) fn refuse(refusal: &Refusal) -> Reply {
    let mut reply = reply::json_refusal("com.amazonaws.sqs", refusal);
    let fault = if refusal.status < 500 { "Sender" } else { "Receiver" };
    reply::set_header(&mut reply, "x-amzn-query-error", &format!("{};{fault}", query_code(refusal.code)));
    reply
}

#[derive(Deserialize)]
struct OfQueue<'a> {
    #[serde(rename = "QueueUrl", borrow)]
    queue_url: Option<std::borrow::Cow<'a, str>>,
}

/// The queue that a request is about, read without the rest.
pub(crate) fn queue_of(body: &[u8]) -> String {
    let url = serde_json::from_slice::<OfQueue<'_>>(body).ok().and_then(|of| of.queue_url);
    url.map_or_else(String::new, |url| queue_name(&url).to_owned())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::sender("SerializationException", error.to_string()))
}

impl Sqs {
    /// Answers one request.
    pub(crate) async fn answer(&self, operation: &str, body: &[u8]) -> Reply {
        match self.dispatch(operation, body).await {
            Ok(answer) => reply::json(200, &answer),
            Err(refusal) => refuse(&refusal),
        }
    }

    async fn dispatch(&self, operation: &str, body: &[u8]) -> Result<Value, Refusal> {
        match operation {
            "SendMessage" => self.send_message(parse(body)?).await,
            "SendMessageBatch" => self.send_message_batch(parse(body)?).await,
            "ReceiveMessage" => self.receive_message(parse(body)?).await,
            "DeleteMessage" => self.delete_message(&parse(body)?),
            "DeleteMessageBatch" => self.delete_message_batch(parse(body)?),
            "ChangeMessageVisibility" => self.change_visibility(&parse(body)?),
            "ChangeMessageVisibilityBatch" => self.change_visibility_batch(parse(body)?),
            "CreateQueue" => self.create_queue(&parse(body)?).await,
            "GetQueueUrl" => self.get_queue_url(&parse(body)?),
            "ListQueues" => Ok(self.list_queues(&parse(body)?)),
            "GetQueueAttributes" => self.get_queue_attributes(&parse(body)?),
            "SetQueueAttributes" => self.set_queue_attributes(&parse(body)?).await,
            "DeleteQueue" => self.delete_queue(&parse(body)?).await,
            "PurgeQueue" => self.purge_queue(&parse(body)?),
            "StartMessageMoveTask" => self.start_message_move_task(&parse(body)?).await,
            other => {
                let refusal = Refusal::sender("UnsupportedOperation", format!("{other} is not offered here"));
                Err(refusal)
            }
        }
    }

    /// A queue's URL, the same on every port: the SDKs send it in the body and never dial it.
    pub(super) fn url(name: &str) -> String {
        format!("https://sqs.{}.amazonaws.com/{}/{name}", crate::REGION, crate::ACCOUNT)
    }

    pub(super) fn settings(&self, name: &str) -> Result<super::change::Settings, Refusal> {
        let now = self.now();
        let mut engine = crate::error::lock(&self.shared.engine);
        engine.queue(name, now).map(|queue| queue.settings.clone()).ok_or_else(unknown_queue)
    }

    pub(super) fn nothing() -> Value {
        json!({})
    }
}
