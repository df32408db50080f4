//! A rule: what AWS documents, where, and a check that an answer keeps it.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::aws::Aws;

/// A documented rule that dunlin relies on.
pub(crate) struct Rule {
    /// The check's name: a sentence.
    pub(crate) id: &'static str,
    /// The rule in one sentence.
    pub(crate) says: &'static str,
    /// The page that documents it.
    pub(crate) source: &'static str,
    /// Asks for it.
    pub(crate) check: fn(&Aws) -> Checking<'_>,
    /// Whether it needs the machine's clock also where time could be virtual.
    pub(crate) live: bool,
}

/// Rules that belong together.
pub(crate) struct Section {
    pub(crate) service: Service,
    pub(crate) title: &'static str,
    pub(crate) rules: &'static [Rule],
}

/// Whose rule it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    DynamoDb,
    Sqs,
    Ses,
    S3,
    Sns,
}

/// A check under way.
pub(crate) type Checking<'a> = Pin<Box<dyn Future<Output = Checked> + Send + 'a>>;
/// What a check found.
pub(crate) type Checked = Result<(), Wrong>;

/// What happened instead, in few words, the same at every run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// This is not there at all, or cannot be asked here.
    NotOffered(String),
    /// It is there, and does this.
    Otherwise(String),
}

/// A rule, named after its check.
macro_rules! rule {
    ($check:ident, $says:literal, $source:expr) => {
        rule!($check, $says, $source, live: false)
    };
    ($check:ident, $says:literal, $source:expr, live: $live:literal) => {
        crate::rule::Rule {
            id: stringify!($check),
            says: $says,
            source: $source,
            check: |aws| Box::pin($check(aws)),
            live: $live,
        }
    };
}
pub(crate) use rule;

/// What a client's call came to.
pub(crate) type Answer<T, E> = Result<T, SdkError<E, HttpResponse>>;

/// Codes by which an implementation says that it does not have an operation.
const UNKNOWN: [&str; 3] = ["UnknownOperationException", "NotImplemented", "InvalidAction"];

impl<E: ProvideErrorMetadata> From<SdkError<E, HttpResponse>> for Wrong {
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let (code, raw) = (code(&error), error.raw_response());
        if UNKNOWN.contains(&code.as_str()) || code == "status 404" {
            Self::NotOffered(String::new())
        } else if raw.is_some_and(|raw| raw.status().is_server_error()) {
            Self::Otherwise(format!("fails: {code}"))
        } else {
            Self::Otherwise(format!("refused: {code}"))
        }
    }
}

/// The code of a refusal, or what came instead of one.
fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> String {
    match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            let code = service.err().code().map(|code| code.rsplit('.').next().unwrap_or(code).to_owned());
            code.unwrap_or_else(|| format!("status {status}"))
        }
        SdkError::ResponseError(_) => "an answer that the SDK cannot read".to_owned(),
        SdkError::ConstructionFailure(_) => "the SDK does not ask this".to_owned(),
        _ => "no answer".to_owned(),
    }
}

/// The call must be refused by one of these codes; if there is none, by any that blames the sender.
pub(crate) fn refused<T, E: ProvideErrorMetadata>(answer: Answer<T, E>, codes: &[&str]) -> Checked {
    let Err(error) = answer else { return Err(Wrong::Otherwise("accepted".to_owned())) };
    let found = code(&error);
    let blames_sender = error.raw_response().is_some_and(|raw| (400..500).contains(&raw.status().as_u16()));
    match Wrong::from(error) {
        Wrong::NotOffered(why) => Err(Wrong::NotOffered(why)),
        Wrong::Otherwise(_) if codes.contains(&found.as_str()) || (codes.is_empty() && blames_sender) => Ok(()),
        otherwise => Err(otherwise),
    }
}

/// Something must hold; else these words say what does.
pub(crate) fn holds(it_does: bool, otherwise: impl Into<String>) -> Checked {
    if it_does { Ok(()) } else { Err(Wrong::Otherwise(otherwise.into())) }
}

/// What was found must be what was expected.
pub(crate) fn same<T: PartialEq<U> + Debug, U: Debug>(what: &str, found: T, expected: U) -> Checked {
    holds(found == expected, format!("{what} {found:?}, not {expected:?}"))
}

/// Something that must be there.
pub(crate) fn some<T>(what: &str, value: Option<T>) -> Result<T, Wrong> {
    value.ok_or_else(|| Wrong::Otherwise(format!("no {what}")))
}
