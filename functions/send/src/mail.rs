//! A mail that is ready: rendered for one person, not yet claimed.

use dunlin_core::email::Email;
use dunlin_core::ids::UserId;

/// What the claim and SES need.
#[derive(Debug)]
pub(crate) struct Mail {
    /// The profile it is for, under its present id.
    pub(crate) profile: UserId,
    /// The address.
    pub(crate) to: Email,
    /// The subject, for the ledger.
    pub(crate) subject: String,
    /// Whether an unsubscribe forbids it.
    pub(crate) marketing: bool,
    /// The message.
    pub(crate) mime: Vec<u8>,
    /// What comes back with every event about it.
    pub(crate) tags: Vec<(String, String)>,
    /// The HTML to keep, when the mail has a link to its own copy.
    pub(crate) copy: Option<String>,
}
