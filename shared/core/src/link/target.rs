//! Where a click may lead.

use std::fmt;

use url::Url;

use crate::limits::TARGET_BYTES;

/// An absolute `http` or `https` URL in ASCII, as the WHATWG parser writes it: it has no white space, no
/// control character and no second reading, so it can stand in a `Location` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(String);

/// A text that is not a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Relative, or not a URL.
    #[error("is not an absolute url")]
    NotAbsolute,
    /// `javascript:`, `mailto:` and the like.
    #[error("is not an http or https url")]
    Scheme,
    /// Longer than [`TARGET_BYTES`].
    #[error("is longer than {TARGET_BYTES} bytes")]
    TooLong,
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// When it is not absolute, not `http` or `https`, or too long.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let url = Url::parse(text.trim()).map_err(|_| TargetError::NotAbsolute)?;
        Self::of(&url)
    }

    /// The target with these parameters added to its query, except those it has already.
    ///
    /// # Errors
    /// When it becomes too long.
    pub fn with_parameters(&self, parameters: &[(&str, &str)]) -> Result<Self, TargetError> {
        let mut url = Url::parse(&self.0).map_err(|_| TargetError::NotAbsolute)?;
        for (name, value) in parameters {
            if !url.query_pairs().any(|(known, _)| known == *name) {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        Self::of(&url)
    }

    fn of(url: &Url) -> Result<Self, TargetError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(TargetError::Scheme);
        }
        let text = url.as_str();
        if text.len() > TARGET_BYTES {
            return Err(TargetError::TooLong);
        }
        if !url.has_host() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TargetError::NotAbsolute);
        }
        Ok(Self(text.to_owned()))
    }

    /// The URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
