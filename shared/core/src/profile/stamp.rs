//! When an update happened, totally ordered: what decides between two updates of one thing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::ids::{EventId, digest};

/// A call's own time in milliseconds, and 48 bits of its id to break ties. Stored as 16 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Stamp {
    millis: u64,
    tie: u64,
}

/// Twelve bytes hold six of time (to the year 10889) and six of id.
const BYTES: usize = 12;

impl Stamp {
    /// The stamp of a call's updates.
    #[must_use]
    pub fn of(call: &Call) -> Self {
        Self { millis: millis(call.at), tie: short(&call.id) }
    }

    /// Whether it is the stamp of the call with this id.
    pub(super) fn is_of(self, id: &EventId) -> bool {
        self.tie == short(id)
    }

    /// The instant it stands for.
    #[must_use]
    pub fn at(self) -> Timestamp {
        i64::try_from(self.millis).ok().and_then(|m| Timestamp::from_millisecond(m).ok()).unwrap_or(Timestamp::MAX)
    }
}

/// Milliseconds since 1970; what lies before counts as 1970.
pub(super) fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}

/// 48 bits of a call's id: enough to tell the calls of one person apart.
fn short(id: &EventId) -> u64 {
    let hex = digest(&[id.as_str()]);
    hex.get(..BYTES).and_then(|start| u64::from_str_radix(start, 16).ok()).unwrap_or(0)
}

impl From<Stamp> for String {
    fn from(stamp: Stamp) -> Self {
        let whole = (u128::from(stamp.millis) << 48) | u128::from(stamp.tie);
        URL_SAFE_NO_PAD.encode(whole.to_be_bytes().into_iter().skip(16 - BYTES).collect::<Vec<_>>())
    }
}

/// A stored stamp that does not parse.
#[derive(Debug, thiserror::Error)]
#[error("not a stamp")]
pub struct StampError;

impl TryFrom<String> for Stamp {
    type Error = StampError;
    fn try_from(text: String) -> Result<Self, StampError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| StampError)?;
        if bytes.len() != BYTES {
            return Err(StampError);
        }
        let whole = bytes.iter().fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
        let low = whole & 0xffff_ffff_ffff;
        Ok(Self {
            millis: u64::try_from(whole >> 48).map_err(|_| StampError)?,
            tie: u64::try_from(low).map_err(|_| StampError)?,
        })
    }
}

/// A value and the stamp of the update that set it; the later stamp wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Register<T>(pub T, pub Stamp);

impl<T> Register<T> {
    /// Takes `other` when its stamp is later.
    pub(super) fn merge(&mut self, other: Self) {
        if other.1 > self.1 {
            *self = other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_stamp_reads_back_as_itself() {
        for (millis, tie) in [(0, 0), (1_795_000_000_123, 0xffff_ffff_ffff), (0xffff_ffff_ffff, 1)] {
            let stamp = Stamp { millis, tie };
            let text = String::from(stamp);
            assert_eq!(text.len(), 16);
            assert_eq!(Stamp::try_from(text).expect("a stamp"), stamp);
        }
    }
}
