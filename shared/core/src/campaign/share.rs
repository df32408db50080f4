//! Shares of the people, and the lot that says who is in which.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::ids::{CampaignId, ProjectId, UserId, digest};

/// Lots there are: hundredths of a percent.
const LOTS: u32 = 10_000;

/// One share of a split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// How many of the people.
    pub percent: Percent,
    /// The step they go to.
    pub to: String,
}

/// More than 0 and at most 100 percent, with two decimals at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Percent {
    hundredths: u32,
}

/// A number that is no such part of the people.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0} is not a part of a hundred; write a number from 0.01 to 100 with two decimals at most")]
pub struct PercentError(f64);

impl Percent {
    /// In hundredths of a percent: 1 to 10,000.
    #[must_use]
    pub fn hundredths(self) -> u32 {
        self.hundredths
    }
}

/// All of the people, in hundredths of a percent.
pub const ALL: u32 = LOTS;

impl TryFrom<f64> for Percent {
    type Error = PercentError;
    fn try_from(number: f64) -> Result<Self, PercentError> {
        let hundredths = (number * 100.0).round();
        let written = (hundredths / 100.0 - number).abs() < 1e-9;
        if !written || !(1.0..=f64::from(LOTS)).contains(&hundredths) {
            return Err(PercentError(number));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 10,000")]
        Ok(Self { hundredths: hundredths as u32 })
    }
}

impl From<Percent> for f64 {
    fn from(percent: Percent) -> Self {
        Self::from(percent.hundredths) / 100.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", f64::from(*self))
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A part of the people, in percent, with two decimals at most.",
            "type": "number",
            "format": "percent",
            "minimum": 0.01,
            "maximum": 100,
        })
    }
}

/// A person's lot, 0 to 9,999: the first eight bytes of the SHA-256 of project, campaign, seed and user (`ids::digest`),
/// modulo 10,000. So it is the same each time the person comes by, in every version of the campaign; another seed draws
/// another lot. It goes by the id that the run has: who is called differently later keeps the lot within a run.
#[must_use]
pub fn lot(project: &ProjectId, campaign: &CampaignId, seed: &str, user: &UserId) -> u32 {
    let hex = digest(&["lot", project.as_str(), campaign.as_str(), seed, user.as_str()]);
    let number = hex.get(..16).and_then(|start| u64::from_str_radix(start, 16).ok()).unwrap_or_default();
    u32::try_from(number % u64::from(LOTS)).unwrap_or_default()
}

/// The share that a lot is in: the shares lie one behind the other. The last one, where they do not add up to all.
#[must_use]
pub fn drawn(shares: &[Share], lot: u32) -> Option<&Share> {
    let mut upto = 0;
    let within = |share: &&Share| {
        upto += share.percent.hundredths;
        lot < upto
    };
    shares.iter().find(within).or(shares.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(number: f64) -> Percent {
        Percent::try_from(number).expect("a percentage")
    }

    #[test]
    fn a_part_of_the_people_has_two_decimals_and_is_written_as_it_is_read() {
        for number in [0.01, 0.1, 12.5, 33.33, 99.99, 100.0] {
            assert!((f64::from(percent(number)) - number).abs() < f64::EPSILON, "{number}");
        }
        for number in [0.0, -1.0, 100.01, 33.333, 0.001, f64::NAN, f64::INFINITY] {
            assert!(Percent::try_from(number).is_err(), "{number}");
        }
    }

    #[test]
    fn lots_are_spread_evenly_and_each_share_gets_its_part() {
        let shares = [(10.0, "a"), (30.0, "b"), (60.0, "c")]
            .map(|(number, to)| Share { percent: percent(number), to: to.to_owned() });
        let (project, campaign) = (ProjectId::derive(&["p"]), CampaignId::parse("cmp_x").expect("an id"));
        let mut counts = [0_u32; 3];
        for n in 0..20_000 {
            let user = UserId::parse(&format!("user-{n}")).expect("a user");
            let share = drawn(&shares, lot(&project, &campaign, "s", &user)).expect("a share");
            counts[share.to.as_bytes()[0] as usize - usize::from(b'a')] += 1;
        }
        // Five standard deviations of the binomial distribution: 2000 ± 212, 6000 ± 324, 12000 ± 346.
        for (count, expected, most) in [(counts[0], 2_000, 212), (counts[1], 6_000, 324), (counts[2], 12_000, 346)] {
            assert!(count.abs_diff(expected) < most, "{counts:?}");
        }
    }

    #[test]
    fn a_lot_does_not_change_from_one_release_to_the_next() {
        let (project, campaign) = (ProjectId::derive(&["p"]), CampaignId::parse("cmp_x").expect("an id"));
        let user = UserId::parse("ann@example.com").expect("a user");
        assert_eq!([lot(&project, &campaign, "s", &user), lot(&project, &campaign, "t", &user)], [4_419, 5_362]);
    }
}
