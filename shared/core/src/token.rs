//! Tokens that verify themselves: an HMAC over the project and a serial, so that `intake` needs no store.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::ids::ProjectId;

/// Why a token was not taken. The client only hears "401"; the reason is for our own tests and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not of the form `dl.<project>.<serial>.<key>.<signature>`.
    #[error("not a token")]
    Malformed,
    /// Signed with a key that is not, or no longer, in the ring.
    #[error("signed with an unknown key")]
    UnknownKey,
    /// The signature does not fit.
    #[error("forged")]
    Forged,
    /// On the revocation list.
    #[error("revoked")]
    Revoked,
}

/// A verified token's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The one project the token belongs to.
    pub project: ProjectId,
    /// The token's number within the project; what a revocation names.
    pub serial: u32,
}

/// The signing keys: the first signs, all of them verify. Two live keys make a rotation. A ring without keys verifies
/// nothing.
#[derive(Clone, Default)]
pub struct Keyring {
    keys: Vec<(String, Hmac<Sha256>)>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

/// A keyring text that does not parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "signing keys must be `id:secret` pairs with commas between, ids of 1 to 16 letters and digits, secrets of 32 bytes or more"
)]
pub struct KeyringError;

impl Keyring {
    /// Reads `id:secret,id:secret`, newest first.
    ///
    /// # Errors
    /// When a pair is malformed, an id is not 1–16 letters and digits, a secret is shorter than 32 bytes, or there is none.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let keys = text
            .split(',')
            .map(|pair| {
                let (id, secret) = pair.trim().split_once(':').ok_or(KeyringError)?;
                let plain = (1..=16).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric());
                if !plain || secret.len() < 32 {
                    return Err(KeyringError);
                }
                let mac = Hmac::new_from_slice(secret.as_bytes()).map_err(|_| KeyringError)?;
                Ok((id.to_owned(), mac))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { keys })
    }

    /// Makes the token of `claim` with the newest key.
    #[must_use]
    pub fn issue(&self, claim: &Claim) -> String {
        let Some((id, _)) = self.keys.first() else { return String::new() };
        let body = format!("dl.{}.{}.{id}", claim.project, claim.serial);
        let signature = self.sign("token", &body);
        format!("{body}.{signature}")
    }

    /// Checks a token.
    ///
    /// # Errors
    /// When it is malformed, forged, signed with an unknown key, or revoked.
    pub fn verify(&self, token: &str, revoked: &Revocations) -> Result<Claim, TokenError> {
        let (body, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let mut parts = body.split('.');
        let (Some("dl"), Some(project), Some(serial), Some(key), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenError::Malformed);
        };
        let project = ProjectId::parse(project).map_err(|_| TokenError::Malformed)?;
        let serial = serial.parse().map_err(|_| TokenError::Malformed)?;
        self.check(key, "token", body, signature)?;
        let claim = Claim { project, serial };
        if revoked.contains(&claim) { Err(TokenError::Revoked) } else { Ok(claim) }
    }

    /// Signs `text` for `purpose` with the newest key: 16 bytes of HMAC-SHA-256 in URL-safe base64 (128 bits
    /// against forgery, short enough for a link).
    #[must_use]
    pub fn sign(&self, purpose: &str, text: &str) -> String {
        self.keys.first().map(|(_, mac)| signature(mac, purpose, text)).unwrap_or_default()
    }

    /// The id of the key that signs.
    #[must_use]
    pub fn newest(&self) -> &str {
        self.keys.first().map_or("", |(id, _)| id)
    }

    /// Checks a signature that the key `id` made, in constant time.
    ///
    /// # Errors
    /// When the key is unknown or the signature does not fit.
    pub fn check(&self, id: &str, purpose: &str, text: &str, given: &str) -> Result<(), TokenError> {
        let (_, mac) = self.keys.iter().find(|(known, _)| known == id).ok_or(TokenError::UnknownKey)?;
        let given = URL_SAFE_NO_PAD.decode(given).map_err(|_| TokenError::Malformed)?;
        if given.len() != SIGNATURE_BYTES {
            return Err(TokenError::Malformed);
        }
        authenticated(mac, purpose, text).verify_truncated_left(&given).map_err(|_| TokenError::Forged)
    }
}

/// Bytes of a signature.
const SIGNATURE_BYTES: usize = 16;

fn authenticated(mac: &Hmac<Sha256>, purpose: &str, text: &str) -> Hmac<Sha256> {
    let mut mac = mac.clone();
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(text.as_bytes());
    mac
}

fn signature(mac: &Hmac<Sha256>, purpose: &str, text: &str) -> String {
    let full = authenticated(mac, purpose, text).finalize().into_bytes();
    let short: Vec<u8> = full.into_iter().take(SIGNATURE_BYTES).collect();
    URL_SAFE_NO_PAD.encode(short)
}

/// Tokens that were revoked. Refreshed in the background; an empty or old list only takes longer to refuse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocations(BTreeSet<(ProjectId, u32)>);

impl Revocations {
    /// Adds a token.
    pub fn revoke(&mut self, project: ProjectId, serial: u32) {
        self.0.insert((project, serial));
    }

    fn contains(&self, claim: &Claim) -> bool {
        self.0.contains(&(claim.project.clone(), claim.serial))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "k1:0123456789abcdef0123456789abcdef";
    const NEW: &str = "k2:fedcba9876543210fedcba9876543210";

    fn ring(text: &str) -> Keyring {
        Keyring::parse(text).expect("a keyring")
    }

    fn claim() -> Claim {
        Claim { project: ProjectId::derive(&["p"]), serial: 7 }
    }

    #[test]
    fn a_token_belongs_to_exactly_one_project() {
        let token = ring(OLD).issue(&claim());
        assert_eq!(ring(OLD).verify(&token, &Revocations::default()), Ok(claim()));
        let other = token.replace(claim().project.as_str(), ProjectId::derive(&["q"]).as_str());
        assert_eq!(ring(OLD).verify(&other, &Revocations::default()), Err(TokenError::Forged));
    }

    #[test]
    fn during_a_rotation_both_keys_are_live_and_afterwards_only_the_new_one() {
        let before = ring(OLD).issue(&claim());
        let during = ring(&format!("{NEW},{OLD}"));
        assert!(during.verify(&before, &Revocations::default()).is_ok());
        assert!(during.issue(&claim()).contains(".k2."));
        assert_eq!(ring(NEW).verify(&before, &Revocations::default()), Err(TokenError::UnknownKey));
    }

    #[test]
    fn a_revoked_token_is_refused_and_its_neighbour_is_not() {
        let mut revoked = Revocations::default();
        revoked.revoke(claim().project, 7);
        let (ring, neighbour) = (ring(OLD), Claim { serial: 8, ..claim() });
        assert_eq!(ring.verify(&ring.issue(&claim()), &revoked), Err(TokenError::Revoked));
        assert!(ring.verify(&ring.issue(&neighbour), &revoked).is_ok());
    }

    #[test]
    fn a_forged_truncated_or_mislabelled_token_is_refused() {
        let (ring, none) = (ring(OLD), Revocations::default());
        let token = ring.issue(&claim());
        for cut in 0..token.len() {
            assert!(ring.verify(&token[..cut], &none).is_err(), "{cut}");
        }
        let link = ring.sign("link", "dl.prj_x.7.k1");
        assert_eq!(ring.verify(&format!("dl.prj_x.7.k1.{link}"), &none), Err(TokenError::Forged));
    }

    #[test]
    fn a_weak_or_malformed_key_is_refused() {
        for bad in ["", "k1", "k1:short", "k-1:0123456789abcdef0123456789abcdef", ":0123456789abcdef0123456789abcdef"] {
            assert!(Keyring::parse(bad).is_err(), "{bad}");
        }
    }
}
