//! Signed links: the open pixel, the click redirect, unsubscribe, view online.
//!
//! A link is `/l/<kind>/<payload>.<key>.<signature>`. The payload is base64url over three lines: project,
//! delivery, and what the kind needs besides (a click's target, an unsubscribe's user). The signature is
//! bound to the kind, so that an open pixel never unsubscribes; a click goes only where we signed it to go,
//! so there is no open redirect. Keys rotate as tokens' keys do: a link works while its key is in the ring.

mod target;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ids::{DeliveryId, ProjectId, UserId};
use crate::limits::LINK_BYTES;
use crate::token::{Keyring, TokenError};

pub use target::{Target, TargetError};

/// The path in front of every link.
pub const PREFIX: &str = "/l/";

/// What a signed link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whose mail it stands in.
    pub project: ProjectId,
    /// The mail it stands in.
    pub delivery: DeliveryId,
    /// What following it means.
    pub purpose: Purpose,
}

/// What following a link means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The mail was shown: one transparent pixel.
    Open,
    /// Go to the target.
    Click(Target),
    /// This user wants no more marketing mail. The user is in the link, so that it works without a table.
    Unsubscribe(UserId),
    /// Show the mail in the browser.
    View,
}

/// The kinds of links, as the letter in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `o`
    Open,
    /// `c`
    Click,
    /// `u`
    Unsubscribe,
    /// `v`
    View,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Open, Self::Click, Self::Unsubscribe, Self::View];

    /// The letter in the path.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Open => "o",
            Self::Click => "c",
            Self::Unsubscribe => "u",
            Self::View => "v",
        }
    }

    /// What the signature is bound to.
    const fn purpose(self) -> &'static str {
        match self {
            Self::Open => "link/open",
            Self::Click => "link/click",
            Self::Unsubscribe => "link/unsubscribe",
            Self::View => "link/view",
        }
    }
}

/// Why a link was not taken. Whoever followed it only sees "this link does not work".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not of the form, or too long.
    #[error("not a link of ours")]
    Malformed,
    /// The signature does not fit, or its key is not in the ring.
    #[error("the signature does not fit")]
    Signature(#[source] TokenError),
    /// Signed, but the content does not parse.
    #[error("the content does not parse")]
    Content,
}

impl Link {
    /// The link's kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.purpose {
            Purpose::Open => Kind::Open,
            Purpose::Click(_) => Kind::Click,
            Purpose::Unsubscribe(_) => Kind::Unsubscribe,
            Purpose::View => Kind::View,
        }
    }

    /// The link's path, signed with the newest key.
    #[must_use]
    pub fn path(&self, ring: &Keyring) -> String {
        let rest = match &self.purpose {
            Purpose::Open | Purpose::View => "",
            Purpose::Click(target) => target.as_str(),
            Purpose::Unsubscribe(user) => user.as_str(),
        };
        let payload = URL_SAFE_NO_PAD.encode(format!("{}\n{}\n{rest}", self.project, self.delivery));
        let body = format!("{payload}.{}", ring.newest());
        let signature = ring.sign(self.kind().purpose(), &body);
        format!("{PREFIX}{}/{body}.{signature}", self.kind().letter())
    }

    /// Reads and verifies the part of a path behind the kind's letter.
    ///
    /// # Errors
    /// When it is malformed, too long, signed for another kind, or not signed by a key of the ring.
    pub fn parse(kind: Kind, text: &str, ring: &Keyring) -> Result<Self, LinkError> {
        if text.len() > LINK_BYTES {
            return Err(LinkError::Malformed);
        }
        let (body, signature) = text.rsplit_once('.').ok_or(LinkError::Malformed)?;
        let (payload, key) = body.split_once('.').ok_or(LinkError::Malformed)?;
        ring.check(key, kind.purpose(), body, signature).map_err(LinkError::Signature)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| LinkError::Content)?;
        let payload = String::from_utf8(payload).map_err(|_| LinkError::Content)?;
        Self::from_payload(kind, &payload).ok_or(LinkError::Content)
    }

    fn from_payload(kind: Kind, payload: &str) -> Option<Self> {
        let mut lines = payload.splitn(3, '\n');
        let project = ProjectId::parse(lines.next()?).ok()?;
        let delivery = DeliveryId::parse(lines.next()?).ok()?;
        let rest = lines.next()?;
        let purpose = match kind {
            Kind::Open => Purpose::Open,
            Kind::View => Purpose::View,
            Kind::Click => Purpose::Click(Target::parse(rest).ok()?),
            Kind::Unsubscribe => Purpose::Unsubscribe(UserId::parse(rest).ok()?),
        };
        Some(Self { project, delivery, purpose })
    }
}

/// Where the links of one deployment live, and the keys that sign them.
#[derive(Clone, Copy, Debug)]
pub struct Links<'a> {
    base: &'a str,
    ring: &'a Keyring,
}

impl<'a> Links<'a> {
    /// Links below `base`, such as `https://links.example.com`; a slash at its end does not count.
    ///
    /// # Errors
    /// When the base is not an absolute `http` or `https` URL, or has a query or fragment.
    pub fn new(base: &'a str, ring: &'a Keyring) -> Result<Self, TargetError> {
        let parsed = Target::parse(base)?;
        if parsed.as_str().contains(['?', '#']) || base.contains(char::is_whitespace) {
            return Err(TargetError::NotAbsolute);
        }
        Ok(Self { base: base.trim_end_matches('/'), ring })
    }

    /// The whole URL of a link.
    #[must_use]
    pub fn url(&self, link: &Link) -> String {
        format!("{}{}", self.base, link.path(self.ring))
    }

    /// Whether a URL is one of these links (so that it is not tracked again).
    #[must_use]
    pub fn contains(&self, url: &str) -> bool {
        url.strip_prefix(self.base).is_some_and(|path| path.starts_with(PREFIX))
    }
}

#[cfg(test)]
mod tests;
