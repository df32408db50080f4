//! Arms of a choice that run into each other: a step without `next` goes on with the one below, be it another arm.

use std::collections::BTreeSet;

use super::problem::Problem;
use super::{Action, Campaign, Step, Target};

/// A warning for each step at which one arm of a split or of a branch runs into another. An arm that only ends the run is
/// a place where ways meet, and so is what the `else` of a branch names: to skip a step, one writes it like that.
pub(super) fn check(campaign: &Campaign) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (place, choice) in campaign.steps.iter().enumerate() {
        let arms = arms(campaign, choice);
        for arm in &arms {
            let Some((index, from, into)) = runs_into(campaign, *arm, &arms, place) else { continue };
            let what = format!("after `{}` comes `{}`, another arm of `{}`", from.name, into.name, choice.name);
            let mend = format!(
                "add `next:` with the step where the arms meet, like a last step `{{name: over, exit: done}}`, or `next: {}` if that is meant",
                into.name
            );
            problems.push(Problem::warning(format!("steps[{index}]"), what, mend));
        }
    }
    problems
}

/// The first steps of the arms that are meant to be taken one or the other.
fn arms(campaign: &Campaign, choice: &Step) -> BTreeSet<usize> {
    let (names, otherwise): (Vec<&str>, Option<&str>) = match &choice.action {
        Action::Split { split, .. } => (split.iter().map(|share| share.to.as_str()).collect(), None),
        Action::Branch { branch, otherwise } => {
            (branch.iter().map(|arm| arm.to.as_str()).collect(), otherwise.as_deref())
        }
        _ => return BTreeSet::new(),
    };
    let first = |name: &str| match campaign.target(name) {
        Target::Step(index) => Some(index),
        Target::End | Target::Missing(_) => None,
    };
    let ends =
        |index: &usize| campaign.steps.get(*index).is_some_and(|step| matches!(step.action, Action::Exit { .. }));
    names.into_iter().filter(|name| Some(*name) != otherwise).filter_map(first).filter(|index| !ends(index)).collect()
}

/// The step from which an arm goes on into another one without saying so, with its place, and that one's first step. Who
/// comes back to the `choice` is asked anew.
fn runs_into<'c>(
    campaign: &'c Campaign,
    arm: usize,
    arms: &BTreeSet<usize>,
    choice: usize,
) -> Option<(usize, &'c Step, &'c Step)> {
    let below = campaign.steps.iter().skip(1);
    let from_arm = campaign.steps.iter().zip(below).enumerate().skip(arm);
    let run_on = from_arm.take_while(|(index, (step, _))| *index != choice && step.runs_on());
    let mut into = run_on.filter(|(index, _)| arms.contains(&(index + 1)));
    into.next().map(|(index, (from, into))| (index, from, into))
}

impl Step {
    /// Whether a run may go on from it with the step below, and nothing in it says so.
    fn runs_on(&self) -> bool {
        let chosen = matches!(
            self.action,
            Action::Exit { .. } | Action::Split { .. } | Action::Branch { otherwise: Some(_), .. }
        );
        self.next.is_none() && !chosen && self.action.exits().iter().any(|(_, name)| name.is_none())
    }
}
