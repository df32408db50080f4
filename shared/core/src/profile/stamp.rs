//! When an update happened, totally ordered: what decides between two updates of one thing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::ids::{EventId, digest};

/// A call's own time; where two are equal, when they were accepted; where that is equal too, 40 bits of their ids.
/// Times are in microseconds since 1970.
///
/// Stored as 16 characters (seven bytes of own time, five of id), and ten more (seven bytes) where the call was
/// accepted at another time than its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Stamp {
    micros: u64,
    accepted: u64,
    tie: u64,
}

/// Bytes of a time: enough until the year 4253.
const TIME: usize = 7;
/// Bytes of an id.
const TIE: usize = 5;

impl Stamp {
    /// The stamp of a call's updates.
    #[must_use]
    pub fn of(call: &Call) -> Self {
        Self { micros: micros(call.at), accepted: micros(call.accepted_at), tie: short(&call.id) }
    }

    /// Whether it is the stamp of the call with this id.
    pub(super) fn is_of(self, id: &EventId) -> bool {
        self.tie == short(id)
    }

    /// The instant it stands for.
    #[must_use]
    pub fn at(self) -> Timestamp {
        instant(self.micros)
    }

    /// When its call was accepted.
    #[must_use]
    pub fn accepted_at(self) -> Timestamp {
        instant(self.accepted)
    }

    /// What puts stamps in the order of their acceptance.
    pub(super) fn key(self) -> (u64, Self) {
        (self.accepted, self)
    }

    /// When its call was accepted, in microseconds.
    pub(super) fn accepted(self) -> u64 {
        self.accepted
    }
}

fn instant(micros: u64) -> Timestamp {
    i64::try_from(micros).ok().and_then(|m| Timestamp::from_microsecond(m).ok()).unwrap_or(Timestamp::MAX)
}

/// Microseconds since 1970; what lies before counts as 1970.
pub(super) fn micros(at: Timestamp) -> u64 {
    u64::try_from(at.as_microsecond()).unwrap_or(0)
}

/// 40 bits of a call's id: enough to tell the calls of one person apart.
fn short(id: &EventId) -> u64 {
    let hex = digest(&[id.as_str()]);
    hex.get(..2 * TIE).and_then(|start| u64::from_str_radix(start, 16).ok()).unwrap_or(0)
}

impl From<Stamp> for String {
    fn from(stamp: Stamp) -> Self {
        let last = |value: u64, bytes: usize| value.to_be_bytes().into_iter().skip(8 - bytes);
        let mut bytes: Vec<u8> = last(stamp.micros, TIME).chain(last(stamp.tie, TIE)).collect();
        if stamp.accepted != stamp.micros {
            bytes.extend(last(stamp.accepted, TIME));
        }
        URL_SAFE_NO_PAD.encode(bytes)
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
        let (own, rest) = bytes.split_at_checked(TIME).ok_or(StampError)?;
        let (tie, accepted) = rest.split_at_checked(TIE).ok_or(StampError)?;
        let whole = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        let micros = whole(own);
        match accepted.len() {
            0 => Ok(Self { micros, accepted: micros, tie: whole(tie) }),
            TIME => Ok(Self { micros, accepted: whole(accepted), tie: whole(tie) }),
            _ => Err(StampError),
        }
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
        let top = (1 << 56) - 1;
        for (micros, accepted, tie) in [(0, 0, 0), (1_795_000_000_123_456, 1_795_000_000_123_457, 1 << 39), (top, 0, 1)]
        {
            let stamp = Stamp { micros, accepted, tie };
            let text = String::from(stamp);
            assert_eq!(text.len(), if micros == accepted { 16 } else { 26 });
            assert_eq!(Stamp::try_from(text).expect("a stamp"), stamp);
        }
    }

    #[test]
    fn of_two_updates_of_one_moment_the_one_accepted_later_wins() {
        let first = Stamp { micros: 5, accepted: 7, tie: 9 };
        assert!(Stamp { micros: 5, accepted: 8, tie: 1 } > first);
        assert!(Stamp { micros: 6, accepted: 1, tie: 1 } > first);
    }
}
