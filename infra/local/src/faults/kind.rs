//! What may go wrong, service by service, each as AWS documents it.

use jiff::SignedDuration;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The service refuses, with its own code for too many requests. A throttle of one table or key range
    /// ([`Fault::of_table`](super::Fault::of_table), [`Fault::of_keys`](super::Fault::of_keys)) cancels a transaction with
    /// the reason `ThrottlingError` (API reference, `TransactWriteItems`).
    Throttle,
    /// The request has its effect, and the answer never comes.
    TimeoutApplied,
    /// The request never has its effect, and no answer comes.
    TimeoutNotApplied,
    /// The connection is reset after the request had its effect, in place of the answer.
    ResetApplied,
    /// The connection is reset before the request had its effect.
    ResetNotApplied,
    /// No connection.
    Unreachable,
    /// The service answers 500 without an effect.
    ServerError,

    /// SQS: a received message of a standard queue stays visible, so that it is delivered again at once (developer guide,
    /// "at-least-once delivery").
    DuplicateDelivery,
    /// SQS: a message of a standard queue was deleted, and a copy of it comes again once, with the same id and a receive
    /// count of its own, up to the extent later (API reference, `DeleteMessage`: "it is possible to receive a message even
    /// after you delete it"; two minutes unless the rule says else).
    DuplicateAfterDelete,
    /// SQS: a standard queue hands out the newest message of a group in place of the oldest (developer guide, "best-effort
    /// ordering").
    Reorder,
    /// SQS: a receive takes from any group that can give in place of the one whose turn it is. Fair queues promise less
    /// dwell time for quiet groups, no order among them (developer guide, "Amazon SQS fair queues"), and a FIFO queue
    /// promises none among groups either.
    AnyGroup,
    /// SQS: messages are counted as received and hidden, but do not arrive.
    LostReceive,
    /// SQS: the deletion of one message gets lost, on either kind of queue: the message comes again when its
    /// visibility time-out ends (Lambda developer guide, "using Lambda with Amazon SQS": at least once).
    LostDelete,
    /// SQS: `SendMessageBatch` answers 200 with some entries, or all, under `Failed` as `InternalError` with
    /// `SenderFault: false`; those are not on the queue (API reference, `SendMessageBatch`, `BatchResultErrorEntry`).
    PartialBatch,
    /// SQS: a message with `DelaySeconds` becomes visible up to the extent after its delay has passed, and never before
    /// (API reference, `SendMessage`: "become available for processing after the delay period is finished"; thirty seconds
    /// unless the rule says else).
    DelayJitter,

    /// DynamoDB: an eventually consistent `GetItem`, `Query` or `BatchGetItem` answers as of up to the extent ago, for items
    /// that were written while the rule was set (developer guide, "DynamoDB read consistency": "might not reflect the results
    /// of a recently completed write operation"; a minute unless the rule says else). In memory only.
    StaleRead,
    /// DynamoDB: another transaction is at an item. `TransactWriteItems` is cancelled with the reason `TransactionConflict`;
    /// `PutItem`, `UpdateItem` and `DeleteItem` are refused with `TransactionConflictException`; nothing is written
    /// (developer guide, "transaction conflict handling in DynamoDB").
    TransactionConflict,
    /// DynamoDB: `BatchGetItem` and `BatchWriteItem` do a part and return the rest as `UnprocessedKeys` and
    /// `UnprocessedItems`; of one entry nothing can be left, so it is refused (API reference of both).
    Unprocessed,
    /// DynamoDB: a `Query` answers fewer items than it could, or none, with `LastEvaluatedKey` (developer guide, "paginating
    /// table query results": only its absence says that there is no more).
    ShortPage,

    /// SES: its events about a mail never arrive (`SendEmail`).
    LostFeedback,
    /// SES: its events about a mail arrive twice (`SendEmail`).
    DuplicateFeedback,
    /// SES: its events about a mail arrive up to the extent later (`SendEmail`; six hours unless the rule says else).
    LateFeedback,
    /// SES: its events about a mail arrive in reverse order (`SendEmail`; standard topics and queues keep none: SNS developer
    /// guide, "message ordering").
    ReorderedFeedback,
    /// SES: `SendEmail` is refused with `SendingPausedException`, as while sending is paused for the account or the
    /// configuration set (API reference v2, `SendEmail`).
    SendingPaused,
}

impl Kind {
    /// Whether it happens in the connection or at the service's door, for every operation.
    pub(super) fn is_at_the_door(self) -> bool {
        matches!(
            self,
            Self::Throttle
                | Self::TimeoutApplied
                | Self::TimeoutNotApplied
                | Self::ResetApplied
                | Self::ResetNotApplied
                | Self::Unreachable
                | Self::ServerError
        )
    }

    /// The longest by which something is late, for kinds that are about time; a rule may say else.
    pub(super) fn extent(self) -> Option<SignedDuration> {
        match self {
            Self::DuplicateAfterDelete => Some(SignedDuration::from_mins(2)),
            Self::DelayJitter => Some(SignedDuration::from_secs(30)),
            Self::StaleRead => Some(SignedDuration::from_mins(1)),
            Self::LateFeedback => Some(SignedDuration::from_hours(6)),
            _ => None,
        }
    }
}
