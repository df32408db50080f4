//! What a run gathers on its way: the names that steps give it, and who asks for a name that none gives.

use std::collections::BTreeSet;

use super::problem::{Problem, did_you_mean};
use super::{Action, Campaign, WaitFor, values};
use crate::limits::{JOURNEY_NAMES, NAME_BYTES};
use crate::property::{Owner, Property};

/// The names under which its runs keep something (`as`).
pub(super) fn names(campaign: &Campaign) -> BTreeSet<&str> {
    named(campaign).map(|(_, name)| name).collect()
}

fn named(campaign: &Campaign) -> impl Iterator<Item = (usize, &str)> {
    campaign.steps.iter().enumerate().filter_map(|(index, step)| match &step.action {
        Action::WaitFor(WaitFor { name: Some(name), .. }) | Action::Webhook { name: Some(name), .. } => {
            Some((index, name.as_str()))
        }
        _ => None,
    })
}

/// Names under which nothing can be kept; and values of steps that are nothing but what no step keeps.
pub(super) fn check(campaign: &Campaign) -> Vec<Problem> {
    let (mut problems, names) = (Vec::new(), names(campaign));
    if names.len() > JOURNEY_NAMES {
        let what = format!("there are {} names, more than {JOURNEY_NAMES}", names.len());
        problems.push(Problem::error("steps", what, "give steps of which only one is taken the same name"));
    }
    for (index, name) in named(campaign) {
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || name.len() > NAME_BYTES {
            let what = "the name has other characters than letters, digits and underscores";
            let mend = "write a name like `order`, for `journey.order`";
            problems.push(Problem::error(format!("steps[{index}].as"), what, mend));
        }
    }
    problems.extend(values::alone(campaign).filter_map(|(path, property)| {
        let name = missing(&property, &names)?;
        Some(empty(&names, name, &path))
    }));
    problems
}

/// The name that a property asks for, if no step gives it.
fn missing<'p>(property: &'p Property, names: &BTreeSet<&str>) -> Option<&'p str> {
    let name = property.path().split('.').next().unwrap_or_default();
    (property.owner() == Owner::Journey && !names.contains(name)).then_some(name)
}

/// A condition or a match that asks for what no step keeps.
pub(super) fn unheard(property: &Property, names: &BTreeSet<&str>, path: &str) -> Option<Problem> {
    let name = missing(property, names)?;
    Some(Problem::error(
        path,
        format!("no step has `as: {name}`, so that `{property}` is never there"),
        mend(names, name),
    ))
}

/// A text that prints what no step keeps.
pub(super) fn empty(names: &BTreeSet<&str>, name: &str, path: &str) -> Problem {
    let what = format!("`journey.{name}` is always empty: no step has `as: {name}`");
    Problem::warning(path, what, mend(names, name))
}

fn mend(names: &BTreeSet<&str>, name: &str) -> String {
    let otherwise = format!("add `as: {name}` to the step that hears it; there are");
    did_you_mean(name, names.iter().copied(), &otherwise)
}
