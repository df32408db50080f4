//! What runs are held against: each only goes forward, and nobody who has moved on is woken.

use super::{LATE, Violation};
use crate::observed::Seen;

/// What is wrong with the rows of runs, and with the hints of sweeps. A sweep that stands still, or reads what is stale, may
/// wake somebody who moves on in between; one that `is_healthy` may not.
pub(super) fn check(seen: &Seen, is_healthy: bool) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (run, written) in &seen.runs {
        for pair in written.windows(2) {
            if let [before, after] = pair
                && after.moves < before.moves
            {
                let what = format!("{run}: {before:?}, then {after:?}");
                violations.push(Violation { rule: "a run only goes forward", what });
            }
        }
    }
    for hint in seen.hinted.iter().filter(|_| is_healthy) {
        let written = seen.runs.get(&hint.step.run).map_or(&[][..], Vec::as_slice);
        if written.iter().any(|one| one.moves > hint.step.moves && one.at < hint.at - LATE) {
            violations.push(Violation { rule: "nobody who has moved on is woken", what: format!("{hint:?}") });
        }
    }
    violations
}
