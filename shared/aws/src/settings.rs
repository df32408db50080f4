//! What a function is told from outside, read once at cold start; everything that is missing is named at once.

use dunlin_core::token::Keyring;

use crate::resources::{self, BUCKET, DEFAULT_PREFIX};

/// Settings of a stage.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What stands before every name of ours: `dunlin-dev-`.
    pub prefix: String,
    /// Where the queues are: a queue's URL is this and its name.
    pub queues: String,
    /// Where recipients reach `link`, without a slash at the end.
    pub public: String,
    /// The keys that sign tokens and links, newest first.
    pub keyring: Keyring,
    /// What an operator shows to `manage`, 32 characters or more; only `manage` is given it.
    pub admin_key: Option<String>,
}

/// The shortest admin key: 128 bits in hexadecimal.
const ADMIN_KEY_BYTES: usize = 32;

/// Settings that are missing or wrong, all of them.
#[derive(Debug, thiserror::Error)]
#[error("settings: {}; set them in the environment (infra/template.yaml does)", .0.join("; "))]
pub struct SettingsError(Vec<String>);

impl Settings {
    /// Reads `DUNLIN_PREFIX`, `DUNLIN_QUEUES`, `DUNLIN_PUBLIC`, `DUNLIN_SIGNING_KEYS` and `DUNLIN_ADMIN_KEY`.
    ///
    /// # Errors
    /// Names every one that is missing or wrong.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_environment() -> Result<Self, SettingsError> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads settings from wherever `get` finds them.
    ///
    /// # Errors
    /// Names every one that is missing or wrong.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut wrong = Vec::new();
        let mut required = |name: &str| {
            let value = get(name).filter(|value| !value.trim().is_empty());
            if value.is_none() {
                wrong.push(format!("{name} is missing"));
            }
            value.unwrap_or_default()
        };
        let (queues, public) = (required("DUNLIN_QUEUES"), required("DUNLIN_PUBLIC"));
        let keys = required("DUNLIN_SIGNING_KEYS");
        let admin_key = get("DUNLIN_ADMIN_KEY").filter(|key| !key.trim().is_empty());
        for (name, url) in [("DUNLIN_QUEUES", &queues), ("DUNLIN_PUBLIC", &public)] {
            if !url.is_empty() && !url.starts_with("https://") && !url.starts_with("http://") {
                wrong.push(format!("{name} is not an http URL"));
            }
        }
        if admin_key.as_ref().is_some_and(|key| key.len() < ADMIN_KEY_BYTES) {
            wrong.push("DUNLIN_ADMIN_KEY is shorter than 32 characters".to_owned());
        }
        let keyring = match Keyring::parse(&keys) {
            Ok(keyring) => Some(keyring),
            Err(error) if !keys.is_empty() => {
                wrong.push(format!("DUNLIN_SIGNING_KEYS: {error}"));
                None
            }
            Err(_) => None,
        };
        let trimmed = |url: String| url.trim_end_matches('/').to_owned();
        match keyring {
            Some(keyring) if wrong.is_empty() => Ok(Self {
                prefix: get("DUNLIN_PREFIX").unwrap_or_else(|| DEFAULT_PREFIX.to_owned()),
                queues: trimmed(queues),
                public: trimmed(public),
                keyring,
                admin_key,
            }),
            _ => Err(SettingsError(wrong)),
        }
    }

    /// The settings of `manage`, which alone needs the admin key.
    ///
    /// # Errors
    /// When there is none.
    pub fn with_admin_key(self) -> Result<Self, SettingsError> {
        if self.admin_key.is_none() {
            return Err(SettingsError(vec!["DUNLIN_ADMIN_KEY is missing".to_owned()]));
        }
        Ok(self)
    }

    /// The URL of a queue.
    #[must_use]
    pub fn queue_url(&self, queue: resources::Queue) -> String {
        format!("{}/{}{}", self.queues, self.prefix, queue.name())
    }

    /// The name of the bucket.
    #[must_use]
    pub fn bucket(&self) -> String {
        format!("{}{BUCKET}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_missing_or_wrong_is_named_at_once() {
        let error =
            Settings::read(|name| (name == "DUNLIN_QUEUES").then(|| "sqs".into())).expect_err("incomplete").to_string();
        for part in ["DUNLIN_QUEUES is not", "DUNLIN_PUBLIC is missing", "DUNLIN_SIGNING_KEYS is missing"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_queue_url_is_made_of_the_account_the_stage_and_the_name() {
        let settings = Settings::read(|name| {
            Some(match name {
                "DUNLIN_PREFIX" => "dunlin-dev-".into(),
                "DUNLIN_QUEUES" => "https://sqs.eu-west-1.amazonaws.com/123456789012/".into(),
                "DUNLIN_PUBLIC" => "https://mail.example.com".into(),
                "DUNLIN_SIGNING_KEYS" => format!("k1:{}", "x".repeat(32)),
                _ => "a".repeat(32),
            })
        });
        let url = settings.expect("complete").queue_url(resources::EVENTS);
        assert_eq!(url, "https://sqs.eu-west-1.amazonaws.com/123456789012/dunlin-dev-events.fifo");
    }
}
