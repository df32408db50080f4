//! An e-mail address we may put into a header and hand to SES.

use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};

use crate::limits::NAME_BYTES;

/// A valid address, domain in lower case. SES takes 7-bit local parts only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// A text that is not an address we can mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a valid e-mail address")]
pub struct EmailError;

impl Email {
    /// Reads an address from outside.
    ///
    /// # Errors
    /// When it is not a valid address, is 255 bytes or longer, or its local part is not 7-bit.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
        let parsed = EmailAddress::parse_with_options(text, options).map_err(|_| EmailError)?;
        let (local, domain) = (parsed.local_part(), parsed.domain());
        if text.len() > NAME_BYTES || !local.is_ascii() || text.chars().any(char::is_control) {
            return Err(EmailError);
        }
        Ok(Self(format!("{local}@{}", domain.to_lowercase())))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Email {
    type Err = EmailError;
    fn from_str(text: &str) -> Result<Self, EmailError> {
        Self::parse(text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl TryFrom<String> for Email {
    type Error = EmailError;
    fn try_from(text: String) -> Result<Self, EmailError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::Email;

    #[test]
    fn only_an_address_that_ses_would_take_is_an_address() {
        for good in ["ann@example.com", "a.b+c@Example.CO.uk", "o'hara@example.ie", " ann@example.com "] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ann",
            "ann@",
            "@example.com",
            "a b@example.com",
            "ann@example",
            "ann@example.com\r\nBcc: x@y.z",
            "jürgen@example.com",
            "Ann <ann@example.com>",
        ] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_domain_has_no_case() {
        assert_eq!(Email::parse("Ann@EXAMPLE.com").map(|e| e.to_string()), Ok("Ann@example.com".into()));
    }
}
