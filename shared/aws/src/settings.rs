//! What a function is told from outside, read once at cold start; everything that is missing or wrong is named at once,
//! with where to set it.

use std::fmt;

use dunlin_core::token::Keyring;

use crate::resources;

/// One setting: a variable of the function's environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// `AWS_REGION`: set by Lambda itself.
    Region,
    /// `DUNLIN_PREFIX`: what stands before every name of the stage.
    Prefix,
    /// `DUNLIN_QUEUES`: where the queues are.
    Queues,
    /// `DUNLIN_BUCKET`: the bucket; its name is unique in the world, so it is not made of the prefix alone.
    Bucket,
    /// `DUNLIN_PUBLIC`: where recipients reach `link`.
    Public,
    /// `DUNLIN_SIGNING_KEYS`: what signs tokens and links.
    SigningKeys,
    /// `DUNLIN_ADMIN_KEY`: what opens `manage`.
    AdminKey,
}

impl Setting {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Region, Self::Prefix, Self::Queues, Self::Bucket, Self::Public, Self::SigningKeys, Self::AdminKey];

    /// The variable's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Region => "AWS_REGION",
            Self::Prefix => "DUNLIN_PREFIX",
            Self::Queues => "DUNLIN_QUEUES",
            Self::Bucket => "DUNLIN_BUCKET",
            Self::Public => "DUNLIN_PUBLIC",
            Self::SigningKeys => "DUNLIN_SIGNING_KEYS",
            Self::AdminKey => "DUNLIN_ADMIN_KEY",
        }
    }

    /// What is wrong with a value, and how it should look; nothing when it is right.
    fn fault(self, value: &str) -> Option<String> {
        let is_url = value.starts_with("https://") || value.starts_with("http://");
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        match self {
            Self::Region | Self::Bucket if !value.chars().all(|c| plain(c) || c == '.') => {
                Some("has other characters than lower-case letters, digits, `-` and `.`".to_owned())
            }
            Self::Prefix if value.len() > PREFIX_BYTES || !value.chars().all(plain) || !value.ends_with('-') => {
                Some(format!("is not up to {PREFIX_BYTES} lower-case letters, digits and `-` that end in `-`"))
            }
            Self::Queues | Self::Public if !is_url => Some("is not an http URL".to_owned()),
            Self::SigningKeys => Keyring::parse(value).err().map(|error| format!("is wrong: {error}")),
            Self::AdminKey if value.len() < ADMIN_KEY_BYTES => {
                Some(format!("is shorter than {ADMIN_KEY_BYTES} characters"))
            }
            _ => None,
        }
    }
}

/// Settings of a stage. What a function did not ask for is empty there: it has no key that it does not need.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The AWS region.
    pub region: String,
    /// Where AWS's services answer instead of AWS's own addresses (`AWS_ENDPOINT_URL`): the local AWS.
    pub endpoint: Option<String>,
    /// What stands before every name of ours: `dunlin-dev-`.
    pub prefix: String,
    /// Where the queues are: a queue's URL is this and its name.
    pub queues: String,
    /// The name of the bucket.
    pub bucket: String,
    /// Where recipients reach `link`, without a slash at the end.
    pub public: String,
    /// The keys that sign tokens and links, newest first.
    pub keyring: Keyring,
    /// What an operator shows to `manage`, 32 characters or more.
    pub admin_key: Option<String>,
}

/// The shortest admin key: 128 bits in hexadecimal.
const ADMIN_KEY_BYTES: usize = 32;
/// The longest prefix: with the longest name of ours, an account and a region, a bucket's 63 characters are kept.
const PREFIX_BYTES: usize = 28;

/// Settings that are missing, wrong or at odds, all of them.
#[derive(thiserror::Error)]
#[error(
    "settings: {}; in AWS infra/template.yaml sets them (Globals and each function's Environment), on one machine \
     `dunlin aws` writes them to .dunlin/lambda.env",
    .0.join("; ")
)]
pub struct SettingsError(Vec<String>);

/// As its text: `main` prints an error that ends it with `Debug`.
impl fmt::Debug for SettingsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Settings {
    /// Reads the settings a function needs from its environment.
    ///
    /// # Errors
    /// Names every one that is missing, wrong or at odds with another.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_environment(needs: &[Setting]) -> Result<Self, SettingsError> {
        Self::read(needs, |name| std::env::var(name).ok())
    }

    /// Reads settings from wherever `get` finds them.
    ///
    /// # Errors
    /// Names every one that is missing, wrong or at odds with another.
    pub fn read(needs: &[Setting], get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let get = |name: &str| get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let mut wrong: Vec<String> = Vec::new();
        let mut value = |setting: Setting| {
            if !needs.contains(&setting) {
                return None;
            }
            let (name, value) = (setting.name(), get(setting.name()));
            match value.as_deref().map(|value| setting.fault(value)) {
                None => wrong.push(format!("{name} is missing")),
                Some(Some(fault)) => wrong.push(format!("{name} {fault}")),
                Some(None) => {}
            }
            value
        };
        let url = |url: String| url.trim_end_matches('/').to_owned();
        let settings = Self {
            region: value(Setting::Region).unwrap_or_default(),
            endpoint: get("AWS_ENDPOINT_URL").map(url),
            prefix: value(Setting::Prefix).unwrap_or_default(),
            queues: value(Setting::Queues).map(url).unwrap_or_default(),
            bucket: value(Setting::Bucket).unwrap_or_default(),
            public: value(Setting::Public).map(url).unwrap_or_default(),
            keyring: value(Setting::SigningKeys).and_then(|keys| Keyring::parse(&keys).ok()).unwrap_or_default(),
            admin_key: value(Setting::AdminKey),
        };
        wrong.extend(settings.contradiction());
        if wrong.is_empty() { Ok(settings) } else { Err(SettingsError(wrong)) }
    }

    /// Settings that are right by themselves and cannot both be: queues of another region would be signed for this one,
    /// and every request refused.
    fn contradiction(&self) -> Option<String> {
        let host = self.queues.split('/').nth(2)?;
        let region = host.strip_prefix("sqs.")?.split('.').next()?;
        let differs = !self.region.is_empty() && region != self.region;
        differs.then(|| format!("DUNLIN_QUEUES is in {region}, but AWS_REGION is {}", self.region))
    }

    /// The URL of a queue.
    #[must_use]
    pub fn queue_url(&self, queue: resources::Queue) -> String {
        format!("{}/{}{}", self.queues, self.prefix, queue.name())
    }

    /// The URL of the queue that takes what a queue gives up.
    #[must_use]
    pub fn dead_letter_url(&self, queue: resources::Queue) -> String {
        format!("{}/{}{}", self.queues, self.prefix, queue.dead_letter_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(name: &str) -> Option<String> {
        Some(match name {
            "AWS_REGION" => "eu-west-1".into(),
            "DUNLIN_PREFIX" => "dunlin-dev-".into(),
            "DUNLIN_QUEUES" => "https://sqs.eu-west-1.amazonaws.com/123456789012/".into(),
            "DUNLIN_BUCKET" => "dunlin-dev-store-123456789012-eu-west-1".into(),
            "DUNLIN_PUBLIC" => "https://mail.example.com".into(),
            "DUNLIN_SIGNING_KEYS" => format!("k1:{}", "x".repeat(32)),
            "DUNLIN_ADMIN_KEY" => "a".repeat(32),
            _ => return None,
        })
    }

    fn error(get: impl Fn(&str) -> Option<String>) -> String {
        format!("{:?}", Settings::read(&Setting::ALL, get).expect_err("refused"))
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once_with_where_to_set_it() {
        let error = error(|_| None);
        for setting in Setting::ALL {
            assert!(error.contains(&format!("{} is missing", setting.name())), "{error}");
        }
        assert!(error.contains("infra/template.yaml"), "{error}");
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let error = error(|name| (name != "AWS_ENDPOINT_URL").then(|| "Wrong!".into()));
        for setting in Setting::ALL {
            assert!(error.contains(&format!("{} ", setting.name())), "{setting:?}: {error}");
        }
        assert!(!error.contains("missing") && !error.contains("Wrong!"), "{error}");
    }

    #[test]
    fn queues_of_another_region_are_a_contradiction() {
        let error = error(|name| if name == "AWS_REGION" { Some("us-east-1".into()) } else { complete(name) });
        assert!(error.contains("DUNLIN_QUEUES is in eu-west-1, but AWS_REGION is us-east-1"), "{error}");
    }

    #[test]
    fn a_function_has_no_key_that_it_did_not_ask_for() {
        let settings = Settings::read(&[Setting::Region, Setting::Prefix], complete).expect("complete");
        assert_eq!((settings.keyring.newest(), settings.admin_key, settings.public.as_str()), ("", None, ""));
        assert_eq!(settings.prefix, "dunlin-dev-");
    }

    #[test]
    fn a_queue_url_is_made_of_the_account_the_stage_and_the_name() {
        let settings = Settings::read(&Setting::ALL, complete).expect("complete");
        let url = settings.queue_url(resources::EVENTS);
        assert_eq!(url, "https://sqs.eu-west-1.amazonaws.com/123456789012/dunlin-dev-events.fifo");
    }
}
