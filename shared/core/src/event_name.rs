//! Event names: shown as the client wrote them, compared without case, spaces, underscores and dashes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::NAME_BYTES;

/// The name of an event. Equality is the API's: `Purchased Item` is `purchased_item`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventName {
    shown: String,
    key: String,
}

impl EventName {
    /// Reads a name from outside.
    ///
    /// # Errors
    /// When it is empty (or only separators) or 255 bytes or longer; the text says which.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let shown = text.trim();
        let separator = |c: &char| c.is_whitespace() || *c == '_' || *c == '-';
        let key: String = shown.chars().filter(|c| !separator(c)).flat_map(char::to_lowercase).collect();
        if key.is_empty() {
            return Err("must not be empty");
        }
        if shown.len() > NAME_BYTES {
            return Err("must be shorter than 255 bytes");
        }
        Ok(Self { shown: shown.to_owned(), key })
    }

    /// A name of our own.
    pub(crate) fn known(text: &'static str) -> Self {
        Self { shown: text.to_owned(), key: text.to_lowercase() }
    }

    /// What two spellings of one name have in common.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The name as the client wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }
}

impl PartialEq for EventName {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for EventName {}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl From<EventName> for String {
    fn from(name: EventName) -> Self {
        name.shown
    }
}

impl TryFrom<String> for EventName {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::EventName;

    #[test]
    fn spellings_of_one_event_are_one_event() {
        let names = ["Purchased Item", "purchased_item", "purchased-item", "PURCHASEDITEM"];
        for name in names {
            assert_eq!(EventName::parse(name), EventName::parse("Purchased Item"), "{name}");
        }
        assert_ne!(EventName::parse("Purchased Items"), EventName::parse("Purchased Item"));
        assert!(EventName::parse(" _- ").is_err());
    }
}
