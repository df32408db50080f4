//! Where a request may go.

use std::net::IpAddr;

use url::{Host, Url};

use super::is_public;
use crate::limits::HOOK_URL_BYTES;

/// Ports of mail servers: a request there would be an attempt to mail past us.
const MAIL_PORTS: [u16; 3] = [25, 465, 587];
/// Names, and the ends of names, that mean this machine or a private network whatever they resolve to: RFC 6761, RFC 6762,
/// RFC 8375, what ICANN set aside for it in 2024, and what routers use.
const PRIVATE_NAMES: [&str; 5] = ["localhost", "local", "home.arpa", "internal", "lan"];

/// How far requests reach. Whoever builds the function decides, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The public internet and nothing else: everywhere in AWS.
    Public,
    /// Any address: tests and `dunlin dev`, whose receivers are on this machine.
    Anywhere,
}

/// Where a request goes: a URL whose form was looked at. What its name resolves to is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Url);

/// Why a URL is none that requests are made to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no URL, or one without a host.
    #[error("it is not a whole URL: write it like https://example.com/path")]
    NotUrl,
    /// It is longer than [`HOOK_URL_BYTES`].
    #[error("it is longer than {HOOK_URL_BYTES} bytes")]
    TooLong,
    /// Another scheme than `https` and `http`.
    #[error("it is neither https nor http")]
    Scheme,
    /// A user or a password in the URL: they would be in logs of others.
    #[error("it holds a user or a password: put them into a header")]
    UserInfo,
    /// A port of mail servers.
    #[error("its port is one of mail servers")]
    Port,
    /// An address, or a name, of this machine or of a private network.
    #[error("its address is not on the public internet")]
    Address,
}

/// Looks at a URL, for requests that reach the public internet and nothing else.
///
/// # Errors
/// Why no request is made there. A name that resolves to a private address is found out only when it is resolved.
pub fn target(url: &str) -> Result<Target, Refused> {
    Reach::Public.target(url)
}

impl Reach {
    /// Looks at a URL.
    ///
    /// # Errors
    /// Why no request is made there.
    pub fn target(self, url: &str) -> Result<Target, Refused> {
        if url.len() > HOOK_URL_BYTES {
            return Err(Refused::TooLong);
        }
        let url = Url::parse(url).map_err(|_| Refused::NotUrl)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(Refused::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::UserInfo);
        }
        if url.port().is_some_and(|port| MAIL_PORTS.contains(&port)) {
            return Err(Refused::Port);
        }
        match url.host().ok_or(Refused::NotUrl)? {
            Host::Ipv4(address) => self.allow(is_public(IpAddr::V4(address)))?,
            Host::Ipv6(address) => self.allow(is_public(IpAddr::V6(address)))?,
            Host::Domain(name) => self.allow(!is_private(name))?,
        }
        Ok(Target(url))
    }

    /// Whether a request may go to an address.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        self == Self::Anywhere || is_public(address)
    }

    fn allow(self, public: bool) -> Result<(), Refused> {
        if public || self == Self::Anywhere { Ok(()) } else { Err(Refused::Address) }
    }
}

impl Target {
    /// The URL as it is asked for, its name in the letters of DNS.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Whether a name is one of this machine or of a private network. One without a dot is looked for there first.
fn is_private(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let ends = |end: &&str| name.strip_suffix(*end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    !name.contains('.') || PRIVATE_NAMES.iter().any(ends)
}
