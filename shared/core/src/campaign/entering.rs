//! Who enters: triggers that start nothing, rules that nobody passes.

use jiff::Timestamp;

use super::problem::Problem;
use super::{Action, Again, Campaign, On, Step};
use crate::call::Properties;
use crate::condition::{Condition, Facts, decide};
use crate::event_name::EventName;
use crate::ids::{EventId, UserId};
use crate::profile::Profile;
use crate::property::{Owner, Property};
use crate::task::TriggerEvent;
use crate::trigger::CONDITION;
use crate::wait::Wait;

/// What is wrong with what starts a campaign, and with how often.
pub(super) fn check(campaign: &Campaign) -> Vec<Problem> {
    let mut problems = trigger(campaign);
    problems.extend(campaign.entry.key.as_ref().and_then(|key| told_by(campaign, key)));
    problems.extend(followed(campaign));
    problems.extend(absent(campaign));
    problems
}

/// What asks the trigger event for a property where no event starts the campaign, but a condition.
fn absent(campaign: &Campaign) -> Vec<Problem> {
    fn asked<'c>(condition: &'c Condition, found: &mut Vec<&'c Property>) {
        if let Condition::Property(of) = condition {
            found.push(&of.property);
        }
        condition.children().for_each(|inner| asked(inner, found));
    }
    if !matches!(campaign.trigger.on, On::Enters { .. } | On::Leaves { .. }) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (index, filter) in campaign.trigger.filters.iter().enumerate() {
        let mut properties = Vec::new();
        asked(filter, &mut properties);
        found.extend(properties.into_iter().map(|property| (format!("trigger.filters[{index}]"), property)));
    }
    for (index, step) in campaign.steps.iter().enumerate() {
        if let Action::WaitFor(wait) = &step.action {
            let matched = wait.wait_for.matching.iter();
            found.extend(matched.map(|(name, value)| (format!("steps[{index}].wait_for.match.{name}"), value)));
        }
    }
    let is_absent = |(_, property): &(String, &Property)| property.owner() == Owner::Event;
    let told = found.into_iter().filter(is_absent).map(|(path, property)| {
        let what = format!("`{property}` is never there: a condition starts this campaign, and no event");
        Problem::warning(path, what, "ask for a property of the person, or start the campaign with an event")
    });
    told.collect()
}

/// Waits for the date that starts the campaign, too: a run that has begun follows the date as the next one does.
fn followed(campaign: &Campaign) -> Option<Problem> {
    let On::Date(date) = &campaign.trigger.on else { return None };
    let follows = |step: &Step| matches!(&step.action, Action::Wait { wait } if wait.property() == Some(&date.date));
    let index = campaign.steps.iter().position(follows)?;
    let what =
        format!("when `{}` moves, this run follows it, and another begins: both send what comes after", date.date);
    let mend = "make a campaign of each reminder, with its own `trigger: {date, before}`, or wait for `event.date`";
    Some(Problem::warning(format!("steps[{index}].wait.date"), what, mend))
}

fn trigger(campaign: &Campaign) -> Vec<Problem> {
    let mut problems = Vec::new();
    let empty = |path: &str| Problem::error(path, "there are no conditions", "add one");
    match &campaign.trigger.on {
        On::Enters { enters } if enters.is_empty() => problems.push(empty("trigger.enters")),
        On::Enters { enters } if is_in_who_is_new(enters) => {
            let what = "holds for everybody who is new, and they enter with their first call";
            let mend =
                "where that is not meant, add what they have or have done, or name what they come out of: `leaves`";
            problems.push(Problem::warning("trigger.enters", what, mend));
        }
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

/// Whether somebody of whom nothing is known is in a condition.
fn is_in_who_is_new(enters: &[Condition]) -> bool {
    let Ok(user) = UserId::parse("new") else { return false };
    let (now, profile) = (Timestamp::UNIX_EPOCH, Profile::new(user));
    let (id, name) = (EventId::derive(&["new"]), EventName::known(CONDITION));
    let event = TriggerEvent { id, name, at: now, data: Properties::new() };
    decide(enters, &Facts::new(&profile, &event, now)).passed()
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
