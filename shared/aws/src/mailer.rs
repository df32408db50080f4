//! SES, with every outcome told apart: sent, certainly not sent, or unknown.

mod doubt;

use std::error::Error as StdError;
use std::io;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, MessageTag, RawMessage};
use dunlin_core::email::Email;
use hyper_util::client::legacy;

use crate::clients::Clients;
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use crate::resources::CONFIGURATION_SET;
use doubt::Doubt;

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
    /// SES certainly does not have it: no connection to SES was made.
    Unreached,
    /// The request left, and no answer came that says which.
    Unknown(String),
}

/// The mailer. Its client never retries (`clients`).
#[derive(Clone, Debug)]
pub struct Mailer {
    ses: Client,
    configuration_set: String,
    clock: Clock,
    doubt: Doubt,
}

impl Mailer {
    /// The mailer with the configuration set behind `prefix`.
    #[must_use]
    pub fn new(clients: &Clients, prefix: &str) -> Self {
        let configuration_set = format!("{prefix}{CONFIGURATION_SET}");
        Self { ses: clients.ses.clone(), configuration_set, clock: clients.clock.clone(), doubt: Doubt::default() }
    }

    /// Asks whether a mail may be claimed now.
    ///
    /// # Errors
    ///
    /// [`Kind::Unavailable`] while one mail after the other is of unknown outcome: this one had better wait.
    pub fn ready(&self) -> Result<()> {
        if self.doubt.admits(self.clock.now()) {
            return Ok(());
        }
        Err(Error::bare(Kind::Unavailable, "wait for a clear answer of ses"))
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
        let outcome = match request.send().await {
            Ok(sent) => Outcome::Sent(sent.message_id.unwrap_or_default()),
            Err(error) => classify(&error),
        };
        self.doubt.hear(&outcome, self.clock.now());
        outcome
    }
}

/// Whether no connection was made, so that not a byte of the request left: the name was not resolved, or nobody listened,
/// or the hand-shake failed. A connection that broke later says nothing.
fn never_left(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let connecting = error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect);
        let refused = error.downcast_ref::<io::Error>().map(io::Error::kind) == Some(io::ErrorKind::ConnectionRefused);
        if connecting || refused {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Which outcome an error means. `SendEmail`'s documented errors are all raised before a message is taken; whatever
/// else happens once the request has left leaves it open.
fn classify<R: std::fmt::Debug + Send + Sync + 'static>(error: &SdkError<SendEmailError, R>) -> Outcome {
    let service = match error {
        SdkError::ConstructionFailure(_) => return Outcome::Refused("the request could not be built".into()),
        SdkError::DispatchFailure(failure) if failure.is_user() => {
            return Outcome::Refused("the request could not be built".into());
        }
        SdkError::DispatchFailure(_) if never_left(error) => return Outcome::Unreached,
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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use aws_sdk_sesv2::config::retry::RetryConfig;
    use aws_sdk_sesv2::config::{BehaviorVersion, Credentials, Region};
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    /// What becomes of a mail to a server at `port`.
    async fn send(port: u16) -> Outcome {
        let config = aws_sdk_sesv2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "local"))
            .http_client(crate::clients::https())
            .retry_config(RetryConfig::disabled())
            .endpoint_url(format!("http://127.0.0.1:{port}"));
        let (ses, clock) = (Client::from_conf(config.build()), Clock::virtual_at(jiff::Timestamp::UNIX_EPOCH));
        let mailer = Mailer { ses, configuration_set: "mail".to_owned(), clock, doubt: Doubt::default() };
        mailer.send(&Email::parse("ann@example.com").expect("an address"), b"hello".to_vec(), &[]).await
    }

    #[tokio::test]
    async fn a_mail_that_found_no_connection_was_certainly_not_sent() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        assert_eq!(send(port).await, Outcome::Unreached);
    }

    #[tokio::test]
    async fn a_mail_whose_connection_broke_is_of_unknown_outcome() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let hang_up = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut some = [0; 64];
            stream.read_exact(&mut some).await.expect("a request");
        };
        let (outcome, ()) = tokio::join!(send(port), hang_up);
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    }
}
