//! Why a mail cannot be sent to this person. No value of theirs is in it: it is logged and shown.

use std::fmt;

use super::mailbox::MailboxError;

/// The field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// The sender.
    From,
    /// Where answers go.
    ReplyTo,
    /// The subject.
    Subject,
    /// The preview line.
    Preheader,
    /// The HTML body.
    Html,
    /// The text body.
    Text,
    /// A partial, by its name.
    Partial(String),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From => f.write_str("from"),
            Self::ReplyTo => f.write_str("reply-to"),
            Self::Subject => f.write_str("subject"),
            Self::Preheader => f.write_str("preheader"),
            Self::Html => f.write_str("html"),
            Self::Text => f.write_str("text"),
            Self::Partial(name) => write!(f, "partial `{name}`"),
        }
    }
}

/// Why a mail cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The field is empty after personalisation; the mail is discarded.
    #[error("{0} is empty")]
    Empty(Field),
    /// The field is not an address we may send from.
    #[error("{field} {source}")]
    Address {
        /// The field.
        field: Field,
        /// What is wrong with it.
        source: MailboxError,
    },
    /// The text is not a template.
    #[error("{field}, {source}")]
    Parse {
        /// The field.
        field: Field,
        /// What is wrong, with line and column.
        source: dunlin_liquid::ParseError,
    },
    /// The template does not work for this person.
    #[error("{field}, {source}")]
    Render {
        /// The field.
        field: Field,
        /// What is wrong, with line and column.
        source: dunlin_liquid::RenderError,
    },
    /// Longer than a mail or a subject may be.
    #[error("{field} is longer than {limit} bytes")]
    TooLarge {
        /// The field.
        field: Field,
        /// In bytes.
        limit: usize,
    },
    /// The HTML cannot be read, so its links cannot be tracked.
    #[error("html cannot be read")]
    Html,
}

impl Unsendable {
    /// Whether the mail is discarded (nothing to say) rather than failed (something is broken).
    #[must_use]
    pub fn is_discard(&self) -> bool {
        matches!(self, Self::Empty(_))
    }

    /// The reason's code, for logs and counters.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty(Field::From) => "empty_from",
            Self::Empty(Field::ReplyTo) => "empty_reply_to",
            Self::Empty(Field::Subject) => "empty_subject",
            Self::Empty(_) => "empty_body",
            Self::Address { .. } => "bad_sender_address",
            Self::Parse { .. } | Self::Render { .. } => "template_error",
            Self::TooLarge { .. } => "mail_too_large",
            Self::Html => "unreadable_html",
        }
    }
}
