//! Who enters: triggers that start nothing, rules that nobody passes.

use super::problem::Problem;
use super::{Again, Campaign, On};
use crate::property::{Owner, Property};
use crate::wait::Wait;

/// What is wrong with what starts a campaign, and with how often.
pub(super) fn check(campaign: &Campaign) -> Vec<Problem> {
    let mut problems = trigger(campaign);
    problems.extend(campaign.entry.key.as_ref().and_then(|key| told_by(campaign, key)));
    problems
}

fn trigger(campaign: &Campaign) -> Vec<Problem> {
    let mut problems = Vec::new();
    let empty = |path: &str| Problem::error(path, "there are no conditions", "add one");
    match &campaign.trigger.on {
        On::Enters { enters } if enters.is_empty() => problems.push(empty("trigger.enters")),
        On::Leaves { leaves } if leaves.is_empty() => problems.push(empty("trigger.leaves")),
        On::Api { api: false } => {
            problems.push(Problem::error(
                "trigger.api",
                "`false` starts nothing",
                "write `api: true`, or name an event",
            ));
        }
        On::Date(date) => {
            problems.extend(Wait::Date(date.clone()).problems().into_iter().map(|problem| problem.below("trigger")));
            if date.date.owner() != Owner::User {
                let what = format!("`{}` is no property of a person", date.date);
                problems.push(Problem::error("trigger.date", what, "write `user.…`"));
            }
            if date.otherwise.is_some() {
                problems.push(Problem::error("trigger.else", "who has no date does not enter", "remove the line"));
            }
        }
        _ => {}
    }
    problems
}

/// What is wrong with the property that tells one matter from another.
fn told_by(campaign: &Campaign, key: &Property) -> Option<Problem> {
    let error = |what, mend| Some(Problem::error("entry.key", what, mend));
    if key.owner() != Owner::Event {
        let what = format!("`{key}` is no property of the trigger event");
        return error(what, "write `event.…`; without a key, it is asked for each person");
    }
    // What the API and other campaigns start is given data like an event's.
    let is_there = match campaign.trigger.on {
        On::Event { .. } | On::Api { .. } => true,
        On::Date(_) => key.path() == "date",
        On::Enters { .. } | On::Leaves { .. } => false,
    };
    if !is_there {
        let what = format!("no event starts the campaign, and without `{key}` nobody enters");
        return error(what, "remove the key, or start the campaign with an event");
    }
    let what = "nothing is asked for each key: `again` is `always`";
    let mend = "add `again: never` or `again: when_over`, or remove the key";
    (campaign.entry.again == Again::Always).then(|| Problem::warning("entry.key", what, mend))
}
