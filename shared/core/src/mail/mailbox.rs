//! A sender: an address and the name shown for it.

use std::fmt;

use crate::email::Email;
use crate::limits::DISPLAY_NAME_BYTES;

/// An address with the name shown for it; neither has a character that could begin another header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    name: Option<String>,
    email: Email,
}

/// A text that is not a sender. The text itself is not in it: it may be personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// The address does not parse.
    #[error("is not `name <address>` or a valid address")]
    Address,
    /// The name has a line break or another control character.
    #[error("has a control character in its name")]
    Control,
    /// The name is too long.
    #[error("has a name of more than {DISPLAY_NAME_BYTES} bytes")]
    TooLong,
}

impl Mailbox {
    /// Reads `Name <address>`, `"Name" <address>` or an address.
    ///
    /// # Errors
    /// When the address is not valid, or the name has a control character or is too long.
    pub fn parse(text: &str) -> Result<Self, MailboxError> {
        let text = text.trim();
        let Some((name, rest)) = text.rsplit_once('<') else {
            let email = Email::parse(text).map_err(|_| MailboxError::Address)?;
            return Ok(Self { name: None, email });
        };
        let address = rest.strip_suffix('>').ok_or(MailboxError::Address)?;
        let email = Email::parse(address).map_err(|_| MailboxError::Address)?;
        let name = unquoted(name.trim());
        if name.chars().any(breaks_lines) {
            return Err(MailboxError::Control);
        }
        if name.len() > DISPLAY_NAME_BYTES {
            return Err(MailboxError::TooLong);
        }
        let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
        Ok(Self { name, email })
    }

    /// The name shown, where there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address.
    #[must_use]
    pub fn email(&self) -> &Email {
        &self.email
    }

    /// What stands behind the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.email.as_str().rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "\"{}\" <{}>", name.replace('\\', "\\\\").replace('"', "\\\""), self.email),
            None => write!(f, "{}", self.email),
        }
    }
}

/// A name without the quotes around it; inside them a backslash protects the next character.
fn unquoted(name: &str) -> String {
    let Some(inner) = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return name.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    plain
}

/// Control characters, and the separators that some programs take for line breaks.
pub(super) fn breaks_lines(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        let table = [
            ("ann@example.com", None),
            ("Ann <ann@example.com>", Some("Ann")),
            ("\"Ann, \\\"the\\\" Boss\" <ann@example.com>", Some("Ann, \"the\" Boss")),
            ("Müller & Söhne <ann@example.com>", Some("Müller & Söhne")),
            ("A <b> <ann@example.com>", Some("A <b>")),
            (" <ann@example.com> ", None),
        ];
        for (text, name) in table {
            let mailbox = Mailbox::parse(text).expect(text);
            assert_eq!((mailbox.name(), mailbox.email().as_str()), (name, "ann@example.com"), "{text}");
            assert_eq!(Mailbox::parse(&mailbox.to_string()), Ok(mailbox), "{text}");
        }
    }

    #[test]
    fn a_sender_that_could_become_a_second_header_is_refused() {
        let bad = [
            "",
            "Ann",
            "Ann <ann@example.com",
            "Ann <ann@example.com> x",
            "a@b.co, c@d.co",
            "Ann\r\nBcc: x@y.zz <ann@example.com>",
            "An\u{2028}n <ann@example.com>",
            "\"Ann\\\n\" <ann@example.com>",
            "Ann <ann@example.com\r\nBcc: x@y.zz>",
            "Ann <ann@exam\0ple.com>",
        ];
        for bad in bad {
            assert!(Mailbox::parse(bad).is_err(), "{bad:?}");
        }
        let long = format!("{} <ann@example.com>", "x".repeat(DISPLAY_NAME_BYTES + 1));
        assert_eq!(Mailbox::parse(&long), Err(MailboxError::TooLong));
    }
}
