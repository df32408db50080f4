//! Typed, prefixed ids. Those that name an effect are derived from its cause, so that a duplicate
//! of the cause meets the same key.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A text that is not an id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind} id: it must be `{prefix}` and 1 to 64 letters, digits or dashes")]
pub struct IdError {
    kind: &'static str,
    prefix: &'static str,
    text: String,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The prefix of every such id.
            pub const PREFIX: &'static str = $prefix;

            /// Reads an id from outside.
            ///
            /// # Errors
            /// When the prefix or a character is wrong.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let body = text.strip_prefix($prefix).unwrap_or_default();
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
                if (1..=64).contains(&body.len()) && body.chars().all(plain) {
                    return Ok(Self(text.to_owned()));
                }
                Err(IdError { kind: $kind, prefix: $prefix, text: text.chars().take(80).collect() })
            }

            /// The id that these parts, in this order, always give.
            #[must_use]
            pub fn derive(parts: &[&str]) -> Self {
                Self(format!("{}{}", $prefix, digest(parts)))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }
    };
}

id!(
    /// A tenant.
    ProjectId, "prj_", "project"
);
id!(
    /// One accepted call; a duplicate of the call has the same id.
    EventId, "evt_", "event"
);
id!(
    /// A campaign: the name its file gives it.
    CampaignId, "cmp_", "campaign"
);
id!(
    /// One person's passage through a workflow.
    RunId, "run_", "run"
);
id!(
    /// One mail to one person.
    DeliveryId, "dlv_", "delivery"
);
id!(
    /// A parked task.
    ParkedId, "prk_", "parked task"
);

impl DeliveryId {
    /// The id of a mail to a person; it says whose, so that a delivery is found by its id alone.
    #[must_use]
    pub fn to(project: &ProjectId, user: &UserId, parts: &[&str]) -> Self {
        let mail: String = digest(parts).chars().take(24).collect();
        Self(format!("{}{}-{mail}", Self::PREFIX, person(project, user)))
    }

    /// The person it went to (see [`person`]); empty for an id that is none of ours.
    #[must_use]
    pub fn person(&self) -> &str {
        self.0.strip_prefix(Self::PREFIX).and_then(|body| body.split_once('-')).map_or("", |(person, _)| person)
    }
}

/// A person in keys and links: a digest, since a user id may be an address.
#[must_use]
pub fn person(project: &ProjectId, user: &UserId) -> String {
    digest(&[project.as_str(), user.as_str()])
}

/// 128 bits of SHA-256 over the parts, each behind its length, as 32 hexadecimal digits.
#[must_use]
pub fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let nibbles = hash.finalize().into_iter().take(16).flat_map(|byte| [byte >> 4, byte & 0x0f]);
    nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16)).collect()
}

/// The key of a person: what the client calls them. 1 to 254 bytes of any text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(String);

impl UserId {
    /// Reads an id from outside; white space around it does not count.
    ///
    /// # Errors
    /// When it is empty or too long; the text says which.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        match text.len() {
            0 => Err("must not be empty"),
            length if length > crate::limits::NAME_BYTES => Err("must be shorter than 255 bytes"),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_cause_always_gives_the_same_id() {
        assert_eq!(RunId::derive(&["a", "bc"]), RunId::derive(&["a", "bc"]));
        assert_ne!(RunId::derive(&["a", "bc"]), RunId::derive(&["ab", "c"]));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        assert!(ProjectId::parse("run_1").is_err());
        assert!(ProjectId::parse("prj_").is_err());
        assert!(ProjectId::parse("prj_a#b").is_err());
        assert!(ProjectId::parse("prj_demo-1").is_ok());
    }
}
