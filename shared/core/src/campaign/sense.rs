//! What never holds: conditions that contradict each other, or that ask a property for what it is not.
//!
//! It speaks only where the rules of [`crate::filter`] make it certain, nulls included. What it overlooks is asked in vain,
//! and nothing worse comes of it.

mod claim;
mod clash;
mod quiet;

use claim::{Claim, Source};

use super::problem::{Problem, Severity};
use super::{Action, Arm, Campaign, On, templates};
use crate::condition::{Condition, History, PropertyCondition};
use crate::limits::CONDITIONS_COMPARED;
use crate::property::Owner;

/// All lists of conditions that nothing passes. An error, where that keeps the campaign or one of its mails from ever
/// going out; a warning, where there is another way on, or only a part is in vain.
pub(super) fn check(campaign: &Campaign) -> Vec<Problem> {
    let once =
        |triggered| History { triggered, at_least: Some(1), at_most: None, exactly: None, within: None, since: None };
    let trigger = campaign.trigger.event().cloned().map(|triggered| Condition::Triggered(once(triggered)));
    let mut asked = Asked::about(trigger.as_ref());
    awaited(campaign, &mut asked);
    match &campaign.trigger.on {
        On::Enters { enters } => asked.crossing("trigger.enters", enters, true),
        On::Leaves { leaves } => asked.crossing("trigger.leaves", leaves, false),
        _ => {}
    }
    asked.list("trigger.filters", &campaign.trigger.filters, Severity::Error);
    asked.keep_what_stays();
    asked.aside("exits.unless", &campaign.exits.unless, Severity::Error);
    mails(campaign, &mut asked);
    steps(campaign, &mut asked);
    asked.problems
}

/// In the filters of an event that is waited for, `event` is that one, so that they know nothing of the trigger's.
fn awaited<'c>(campaign: &'c Campaign, asked: &mut Asked<'c>) {
    for (index, step) in campaign.steps.iter().enumerate() {
        if let Action::WaitFor(wait) = &step.action {
            let path = format!("steps[{index}].wait_for.filters");
            asked.aside(&path, &wait.wait_for.filters, Severity::Warning);
        }
    }
    if let Some(goal) = &campaign.goal {
        asked.aside("goal.filters", &goal.filters, Severity::Warning);
    }
}

/// The conditions of the campaign, of a message and of a step that sends it are asked together.
fn mails<'c>(campaign: &'c Campaign, asked: &mut Asked<'c>) {
    let before = asked.known.len();
    asked.list("conditions", &campaign.conditions, Severity::Error);
    let common = asked.known.len();
    for (name, message) in &campaign.messages {
        let path = format!("{}.conditions", templates::message_path(campaign, name));
        asked.list(&path, &message.conditions, Severity::Error);
        for (index, step) in campaign.steps.iter().enumerate() {
            if let Action::Send { send, conditions, .. } = &step.action
                && send == name
            {
                asked.aside(&format!("steps[{index}].conditions"), conditions, Severity::Error);
            }
        }
        asked.known.truncate(common);
    }
    asked.known.truncate(before);
}

fn steps<'c>(campaign: &'c Campaign, asked: &mut Asked<'c>) {
    for (index, step) in campaign.steps.iter().enumerate() {
        match &step.action {
            Action::Filter { filter, otherwise } => {
                let severity = if otherwise.is_some() { Severity::Warning } else { Severity::Error };
                asked.aside(&format!("steps[{index}].filter"), filter, severity);
            }
            Action::WaitUntil(wait) => {
                asked.aside(&format!("steps[{index}].wait_until"), &wait.wait_until, Severity::Warning);
            }
            Action::Branch { branch, .. } => {
                for (arm, Arm { when, .. }) in branch.iter().enumerate() {
                    let path = format!("steps[{index}].branch[{arm}].when");
                    if !when.is_empty()
                        && let Some(first) = branch.iter().take(arm).position(|earlier| earlier.when == *when)
                    {
                        let what = format!("is never asked: `branch[{first}]` has the same conditions");
                        asked.problems.push(Problem::warning(&path, what, "change one of them, or remove this arm"));
                    }
                    asked.aside(&path, when, Severity::Warning);
                }
            }
            _ => {}
        }
    }
}

/// What is asked together, so far.
struct Asked<'c> {
    /// Claims that all hold where the next list is asked.
    known: Vec<Claim<'c>>,
    /// Whether it is asked of a person alone: no event is there, and no run.
    person_alone: bool,
    problems: Vec<Problem>,
}

impl<'c> Asked<'c> {
    fn about(trigger: Option<&'c Condition>) -> Self {
        let path = || "trigger.event".to_owned();
        let event = |condition| Claim { path: path(), condition, holds: true, source: Source::Event };
        Self { known: trigger.map(event).into_iter().collect(), person_alone: false, problems: Vec::new() }
    }

    /// Asks a list beside what is known, which it adds to.
    fn list(&mut self, path: &str, conditions: &'c [Condition], severity: Severity) {
        let list = conditions.iter().enumerate().map(|(index, condition)| Claim {
            path: format!("{path}[{index}]"),
            condition,
            holds: true,
            source: Source::Asked,
        });
        let found = self.look(list.collect());
        self.problems.extend(found.into_iter().map(|problem| soften(severity, problem)));
    }

    /// Asks a list beside what is known, and forgets it.
    fn aside(&mut self, path: &str, conditions: &'c [Condition], severity: Severity) {
        let known = self.known.len();
        self.list(path, conditions, severity);
        self.known.truncate(known);
    }

    /// Asks the conditions that start a campaign when a person comes into them, or (`into` false) out of them.
    fn crossing(&mut self, path: &str, conditions: &'c [Condition], into: bool) {
        self.problems.extend(quiet::check(path, conditions, into));
        self.person_alone = true;
        self.aside(path, conditions, Severity::Error);
        self.person_alone = false;
    }

    /// What is wrong with claims that must all hold beside what is known; an error among it says that they never do.
    fn look(&mut self, claims: Vec<Claim<'c>>) -> Vec<Problem> {
        let (own, mut choices) = (self.known.len(), Vec::new());
        for claim in claims {
            claim.unfold(&mut self.known, &mut choices);
        }
        let mut problems = Vec::new();
        for (index, later) in self.known.iter().enumerate().skip(own) {
            let mut near = self.known.iter().take(index).rev().take(CONDITIONS_COMPARED);
            let beside = near.find_map(|earlier| later.beside(earlier));
            let missing = || later.missing().filter(|_| self.person_alone);
            problems.extend(beside.or_else(missing).or_else(|| later.alone()));
        }
        for choice in choices {
            let known = self.known.len();
            let mut found = Vec::new();
            for claim in choice {
                found.push(self.look(vec![claim]));
                self.known.truncate(known);
            }
            let all = found.iter().all(|problems| problems.iter().any(Problem::is_error));
            let severity = if all { Severity::Error } else { Severity::Warning };
            problems.extend(found.into_iter().flatten().map(|problem| soften(severity, problem)));
        }
        problems
    }

    /// Forgets what may be otherwise later: all but the trigger event and its properties.
    fn keep_what_stays(&mut self) {
        self.known.retain_mut(|claim| match claim.condition {
            Condition::Property(PropertyCondition { property, .. }) if property.owner() == Owner::Event => {
                claim.source = Source::Filters;
                true
            }
            _ => claim.source == Source::Event,
        });
    }
}

fn soften(severity: Severity, problem: Problem) -> Problem {
    Problem { severity: problem.severity.max(severity), ..problem }
}

#[cfg(test)]
mod tests;
