//! Why AWS did not say what it was asked, and what to do about that.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::report::Finding;

/// Parts of the codes by which services refuse credentials (IAM user guide, "common errors").
const DENIALS: [&str; 6] = ["AccessDenied", "Token", "Signature", "AccessKey", "UnrecognizedClient", "NotAuthorized"];

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such thing.
    Missing,
    /// The credentials may not look.
    Denied(String),
    /// Nobody answered.
    Unreached(String),
    /// Anything else, in the service's words.
    Other(String),
}

impl Refusal {
    /// Reads it off an SDK error.
    pub(crate) fn of<E, R>(error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        let SdkError::ServiceError(service) = error else { return Self::Unreached(words(error)) };
        let code = service.err().code().unwrap_or_default();
        let said = || format!("{code}: {}", service.err().message().unwrap_or_default());
        match code {
            "ResourceNotFoundException"
            | "TableNotFoundException"
            | "NotFoundException"
            | "NoSuchBucket"
            | "NotFound"
            | "QueueDoesNotExist"
            | "AWS.SimpleQueueService.NonExistentQueue" => Self::Missing,
            _ if DENIALS.iter().any(|denial| code.contains(denial)) => Self::Denied(said()),
            _ => Self::Other(said()),
        }
    }

    /// The finding of a check that failed by it; `remake` makes what is missing.
    pub(crate) fn finding(&self, check: &str, remake: &str) -> Finding {
        let check = Finding::of(check);
        let finding = match self {
            Self::Missing => check.wrong("is not there", remake),
            Self::Denied(said) => check.wrong(said, "use credentials that may read this stage (--profile)"),
            Self::Unreached(why) => {
                check.wrong(why, "see whether the network and the region are right, then look again")
            }
            Self::Other(said) => check.wrong(said, "look again; if it stays, the service's status page may know more"),
        };
        Finding { is_refused: true, is_unreached: matches!(self, Self::Unreached(_)), ..finding }
    }
}

fn words<E, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::TimeoutError(_) => "did not answer in time".to_owned(),
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(cause) => format!("cannot be reached: {}", chain(cause)),
            None => "cannot be reached".to_owned(),
        },
        _ => "answered what nobody understands".to_owned(),
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
