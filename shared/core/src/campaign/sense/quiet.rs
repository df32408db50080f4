//! What becomes true by time: no call comes then, and nothing is asked.

use super::super::problem::Problem;
use super::clash;
use crate::condition::{Condition, PropertyCondition};
use crate::filter::Test;

/// Whether a person comes into the conditions, or out of them (`holds` says which), by time and not by what they do.
pub(super) fn check(path: &str, conditions: &[Condition], holds: bool) -> Option<Problem> {
    let quiet = !conditions.is_empty() && conditions.iter().all(|condition| comes_by_time(condition, holds));
    let what = "becomes so by time, and time alone enters nobody";
    let mend = "start the campaign with an event and `wait`, or with the `date` itself";
    quiet.then(|| Problem::warning(path, what, mend))
}

/// Whether a condition comes to hold, or not to hold any more, when time passes.
fn comes_by_time(condition: &Condition, holds: bool) -> bool {
    match condition {
        // A count within a time grows with a call, and falls with time.
        Condition::Triggered(history) => {
            history.within.is_some()
                && clash::counts(history, holds).is_some_and(|(least, most)| least == 0 && most < u64::MAX)
        }
        Condition::Property(PropertyCondition { test, .. }) => {
            matches!((test, holds), (Test::InTheNext(_), true) | (Test::InTheLast(_), false))
        }
        Condition::Not { not } => comes_by_time(not, !holds),
        Condition::All { .. } | Condition::Any { .. } => {
            condition.children().all(|condition| comes_by_time(condition, holds))
        }
        Condition::Tag { .. } | Condition::NoTag { .. } => false,
    }
}
