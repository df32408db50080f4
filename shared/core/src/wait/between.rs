//! A random wait: its length is drawn once, from a seed.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ends, Start, intent};
use crate::ids::digest;
use crate::span::Span;

/// A random time between two spans: `{between: [1 hour, 3 hours]}`. Every whole second between the end of the first and
/// the end of the second, both included, is as likely as any other. It is drawn once for each passage through the step
/// and stays: the draw is a digest of the run, the step and how often the run has moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Between {
    /// The shortest and the longest wait.
    pub between: [Span; 2],
}

impl Between {
    /// When it ends: after the shorter span, and `digest(seed) mod (seconds between the two ends + 1)` seconds, where the
    /// digest ([`digest`]) is read as a hexadecimal number of 128 bits. The instant stands.
    pub(super) fn ends(&self, start: &Start<'_>) -> Ends {
        let [first, second] = self.between.map(|span| span.after_in(start.at, start.zone));
        let (low, high) = (first.min(second), first.max(second));
        Ends { at: draw(low, high, start.seed), intent: None }
    }
}

fn draw(low: Timestamp, high: Timestamp, seed: &[&str]) -> Timestamp {
    let number = u128::from_str_radix(&digest(seed), 16).unwrap_or_default();
    let seconds = u128::try_from(high.duration_since(low).as_secs()).unwrap_or_default();
    let drawn = i64::try_from(number % (seconds + 1)).unwrap_or_default();
    intent::shift(low, SignedDuration::from_secs(drawn))
}
