//! The data layer's one error: what failed, and of which kind. The kind alone decides what is tried again.

use std::error::Error as StdError;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing there.
    NotFound,
    /// Somebody else was faster: load again and decide again.
    Conflict,
    /// Over a limit that passes.
    Throttled,
    /// Not reached, or no answer; the effect may have happened.
    Unavailable,
    /// Will never work as it is: poison.
    Invalid,
    /// A fault of ours or of the service.
    Internal,
}

impl Kind {
    /// Whether the same request can work later.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        match self {
            Self::Conflict | Self::Throttled | Self::Unavailable | Self::Internal => true,
            Self::NotFound | Self::Invalid => false,
        }
    }

    /// Whether the service, rather than this request, may be the reason: others would fail as well.
    #[must_use]
    pub fn is_outage(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable)
    }
}

/// A failed operation of the data layer.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {kind:?}")]
pub struct Error {
    /// What a caller can do about it.
    pub kind: Kind,
    /// The operation, for logs.
    pub operation: &'static str,
    /// The cause, kept.
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error with its cause.
    pub fn new(kind: Kind, operation: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind, operation, source: Some(source.into()) }
    }

    /// An error that has no deeper cause.
    #[must_use]
    pub fn bare(kind: Kind, operation: &'static str) -> Self {
        Self { kind, operation, source: None }
    }

    /// Reads the kind off an SDK error; for `map_err(Error::of("…"))`.
    pub fn of<E, R>(operation: &'static str) -> impl Fn(SdkError<E, R>) -> Self
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        move |error| Self { kind: kind_of(&error), operation, source: Some(Box::new(error)) }
    }
}

/// The result of the data layer.
pub type Result<T> = std::result::Result<T, Error>;

/// The kind of a transaction's failure: what any of its writes would fail of for ever weighs more than a conflict.
pub(crate) fn kind_of_transaction<R>(error: &SdkError<TransactWriteItemsError, R>) -> Kind {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return kind_of(error);
    };
    let any = |codes: &[&str]| {
        cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).any(|code| codes.contains(&code))
    };
    if any(&["ValidationError", "ItemCollectionSizeLimitExceeded"]) {
        Kind::Invalid
    } else if any(&["ThrottlingError", "ProvisionedThroughputExceeded"]) {
        Kind::Throttled
    } else {
        Kind::Conflict
    }
}

/// The kind of an SDK error. Codes: DynamoDB "Error handling", SQS and S3 "Common errors".
pub(crate) fn kind_of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Kind {
    match error {
        SdkError::ConstructionFailure(_) => Kind::Invalid,
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => Kind::Unavailable,
        SdkError::ServiceError(service) => match service.err().code().unwrap_or_default() {
            "ConditionalCheckFailedException"
            | "TransactionConflictException"
            | "TransactionCanceledException"
            | "TransactionInProgressException" => Kind::Conflict,
            "ResourceNotFoundException"
            | "NoSuchKey"
            | "QueueDoesNotExist"
            | "AWS.SimpleQueueService.NonExistentQueue" => Kind::NotFound,
            "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "Throttling"
            | "TooManyRequestsException"
            | "SlowDown" => Kind::Throttled,
            "ValidationException"
            | "InvalidMessageContents"
            | "InvalidParameterValue"
            | "ItemCollectionSizeLimitExceededException" => Kind::Invalid,
            "ServiceUnavailable" | "InternalServerError" | "InternalFailure" | "InternalError" => Kind::Unavailable,
            _ => Kind::Internal,
        },
        _ => Kind::Internal,
    }
}
