//! SES, with every outcome told apart: sent, certainly not sent, or unknown.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, MessageTag, RawMessage};
use dunlin_core::email::Email;

use crate::clients::Clients;
use crate::resources::CONFIGURATION_SET;

/// What became of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// SES has it, under this message id.
    Sent(String),
    /// SES certainly does not have it, and may take it soon: over a limit.
    Later(String),
    /// SES certainly does not have it, and takes nothing of this account until somebody mends that.
    Paused(String),
    /// SES certainly does not have it and never will.
    Refused(String),
    /// The request left, and no answer came that says which.
    Unknown(String),
}

/// The mailer. Its client never retries (`clients`).
#[derive(Clone, Debug)]
pub struct Mailer {
    ses: Client,
    configuration_set: String,
}

impl Mailer {
    /// The mailer with the configuration set behind `prefix`.
    #[must_use]
    pub fn new(clients: &Clients, prefix: &str) -> Self {
        Self { ses: clients.ses.clone(), configuration_set: format!("{prefix}{CONFIGURATION_SET}") }
    }

    /// Sends one raw message, with tags that come back with every event about it.
    pub async fn send(&self, to: &Email, mime: Vec<u8>, tags: &[(String, String)]) -> Outcome {
        let Ok(raw) = RawMessage::builder().data(Blob::new(mime)).build() else {
            return Outcome::Refused("empty message".into());
        };
        let tags = tags.iter().filter_map(|(name, value)| MessageTag::builder().name(name).value(value).build().ok());
        let request = self
            .ses
            .send_email()
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().raw(raw).build())
            .configuration_set_name(&self.configuration_set)
            .set_email_tags(Some(tags.collect()));
        match request.send().await {
            Ok(sent) => Outcome::Sent(sent.message_id.unwrap_or_default()),
            Err(error) => classify(&error),
        }
    }
}

/// Which outcome an error means. `SendEmail`'s documented errors are all raised before a message is taken; whatever
/// else happens once the request has left leaves it open.
fn classify<R: std::fmt::Debug>(error: &SdkError<SendEmailError, R>) -> Outcome {
    let service = match error {
        SdkError::ConstructionFailure(_) => return Outcome::Refused("the request could not be built".into()),
        SdkError::DispatchFailure(failure) if failure.is_user() => {
            return Outcome::Refused("the request could not be built".into());
        }
        SdkError::ServiceError(service) => service.err(),
        SdkError::TimeoutError(_) => return Outcome::Unknown("no answer in time".into()),
        _ => return Outcome::Unknown("no answer".into()),
    };
    match service {
        SendEmailError::TooManyRequestsException(_) => Outcome::Later("too many requests".into()),
        SendEmailError::LimitExceededException(_) => Outcome::Later("limit exceeded".into()),
        SendEmailError::SendingPausedException(_) => Outcome::Paused("sending is paused".into()),
        SendEmailError::AccountSuspendedException(_) => Outcome::Paused("the account is suspended".into()),
        SendEmailError::MailFromDomainNotVerifiedException(_) => {
            Outcome::Refused("the MAIL FROM domain is not verified".into())
        }
        SendEmailError::MessageRejected(rejected) => {
            Outcome::Refused(format!("rejected: {}", rejected.message().unwrap_or("no reason given")))
        }
        SendEmailError::BadRequestException(bad) => {
            Outcome::Refused(format!("bad request: {}", bad.message().unwrap_or("no reason given")))
        }
        SendEmailError::NotFoundException(missing) => {
            Outcome::Refused(format!("not found: {}", missing.message().unwrap_or("no reason given")))
        }
        other => match other.meta().code() {
            Some("ThrottlingException" | "Throttling") => Outcome::Later("throttled".into()),
            Some("AccessDeniedException" | "UnrecognizedClientException" | "ExpiredTokenException") => {
                Outcome::Paused("not permitted".into())
            }
            code => Outcome::Unknown(code.unwrap_or("unreadable answer").to_owned()),
        },
    }
}
