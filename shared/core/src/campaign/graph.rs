//! The graph of a campaign's steps: targets that are not there, loops, steps that no run reaches, arms that run into each
//! other.

use std::collections::BTreeSet;

use super::problem::{Problem, did_you_mean};
use super::share::ALL;
use super::{Action, Campaign, Step, Target, arms};
use crate::limits::{NAME_BYTES, STEPS};

/// What is wrong with the graph.
pub(super) fn check(campaign: &Campaign) -> Vec<Problem> {
    if campaign.steps.len() > STEPS {
        let what = format!("there are {} steps, more than {STEPS}", campaign.steps.len());
        return vec![Problem::error("steps", what, "split the workflow in two, the second with a trigger of its own")];
    }
    let mut problems = names(campaign);
    problems.extend(targets(campaign));
    if problems.iter().any(Problem::is_error) {
        return problems;
    }
    let tight = tight_loops(campaign);
    let reached = reached(campaign);
    // What ends a run early is asked in every move.
    if tight.is_empty() && campaign.exits.is_empty() {
        problems.extend(endless(campaign, &reached));
    }
    problems.extend(tight);
    for (index, step) in campaign.steps.iter().enumerate().filter(|(index, _)| !reached.contains(index)) {
        let what = format!("no run ever reaches the step `{}`", step.name);
        problems.push(Problem::warning(
            format!("steps[{index}]"),
            what,
            "lead a `next` or an `else` to it, or remove it",
        ));
    }
    problems.extend(arms::check(campaign));
    problems
}

/// A name that cannot be shown or is too long to be one.
pub(super) fn name_problem(name: &str, path: &str) -> Option<Problem> {
    let good = !name.trim().is_empty() && name.len() <= NAME_BYTES && !name.chars().any(char::is_control);
    let what = format!("the name is empty, longer than {NAME_BYTES} bytes, or has a control character");
    (!good).then(|| Problem::error(path, what, "write a short name like `welcome-2`"))
}

fn names(campaign: &Campaign) -> Vec<Problem> {
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for (index, step) in campaign.steps.iter().enumerate() {
        let path = format!("steps[{index}].name");
        problems.extend(name_problem(&step.name, &path));
        if !seen.insert(step.name.as_str()) {
            let what = format!("another step is called `{}`, too", step.name);
            problems.push(Problem::error(path, what, "give each step a name of its own"));
        }
    }
    problems
}

fn targets(campaign: &Campaign) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, step) in campaign.steps.iter().enumerate() {
        for (key, name) in named(step) {
            if matches!(campaign.target(name), Target::Missing(_)) {
                let mend = did_you_mean(name, campaign.steps.iter().map(|step| step.name.as_str()), "the steps are");
                problems.push(Problem::error(
                    format!("steps[{index}].{key}"),
                    format!("there is no step `{name}`"),
                    mend,
                ));
            }
        }
        if matches!(step.action, Action::Exit { .. } | Action::Split { .. }) && step.next.is_some() {
            let article = if matches!(step.action, Action::Exit { .. }) { "an" } else { "a" };
            let what = format!("nothing comes after {article} `{}`", step.action.word());
            problems.push(Problem::error(format!("steps[{index}].next"), what, "remove `next`"));
        }
        problems.extend(choice(step, index));
    }
    problems
}

/// The steps that a step names, each with the key that names it.
fn named(step: &Step) -> Vec<(String, &str)> {
    let mut named: Vec<(String, &str)> = step.next.iter().map(|name| ("next".to_owned(), name.as_str())).collect();
    match &step.action {
        Action::Branch { branch, .. } => {
            named.extend(branch.iter().enumerate().map(|(arm, to)| (format!("branch[{arm}].to"), to.to.as_str())));
        }
        Action::Split { split, .. } => {
            named.extend(split.iter().enumerate().map(|(share, to)| (format!("split[{share}].to"), to.to.as_str())));
        }
        _ => {}
    }
    named.extend(step.action.exits().into_iter().filter_map(|(key, name)| Some((key.to_owned(), name?))));
    if let Action::Wait { wait } = &step.action {
        named.extend(wait.otherwise().map(|name| ("wait.else".to_owned(), name)));
    }
    if let Action::Filter { otherwise, .. } | Action::Branch { otherwise, .. } = &step.action {
        named.extend(otherwise.iter().map(|name| ("else".to_owned(), name.as_str())));
    }
    named
}

/// A choice that is none, or does not add up.
fn choice(step: &Step, index: usize) -> Option<Problem> {
    match &step.action {
        Action::Branch { branch, .. } if branch.is_empty() => {
            let mend = "add one like `{when: [{tag: vip}], to: STEP}`, or remove the step";
            Some(Problem::error(format!("steps[{index}].branch"), "the branch has no arms", mend))
        }
        Action::Split { split, .. } => {
            let sum: u32 = split.iter().map(|share| share.percent.hundredths()).sum();
            let what = format!("the shares add up to {} percent", f64::from(sum) / 100.0);
            (sum != ALL).then(|| Problem::error(format!("steps[{index}].split"), what, "make them 100"))
        }
        _ => None,
    }
}

fn following(campaign: &Campaign, index: usize) -> Vec<usize> {
    let step = |target| match target {
        Target::Step(index) => Some(index),
        Target::End | Target::Missing(_) => None,
    };
    campaign.targets(index).into_iter().filter_map(step).collect()
}

/// The steps to which a run may go without waiting: where a `wait_until` has timed out, it has waited.
fn at_once(campaign: &Campaign, index: usize) -> Vec<usize> {
    let step = campaign.steps.get(index).filter(|step| matches!(step.action, Action::WaitUntil(_)));
    let Some(step) = step else { return following(campaign, index) };
    let [(_, happened), _] = step.action.exits();
    let target = happened.map_or_else(|| campaign.after(index), |name| campaign.target(name));
    if let Target::Step(index) = target { vec![index] } else { vec![] }
}

fn reached(campaign: &Campaign) -> BTreeSet<usize> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![0]);
    while let Some(index) = open.pop() {
        if reached.insert(index) {
            open.extend(following(campaign, index));
        }
    }
    reached
}

/// Loops without a wait.
fn tight_loops(campaign: &Campaign) -> Vec<Problem> {
    let mut search = Search { campaign, path: Vec::new(), done: BTreeSet::new(), problems: Vec::new() };
    for index in 0..campaign.steps.len() {
        search.visit(index);
    }
    search.problems
}

struct Search<'c> {
    campaign: &'c Campaign,
    path: Vec<usize>,
    done: BTreeSet<usize>,
    problems: Vec<Problem>,
}

impl Search<'_> {
    /// Goes down from a step, never past a wait. As deep as there are steps, at most [`STEPS`].
    fn visit(&mut self, index: usize) {
        if let Some(start) = self.path.iter().position(|step| *step == index) {
            let turn = self.path.iter().skip(start).chain([&index]);
            let names: Vec<&str> =
                turn.filter_map(|index| self.campaign.steps.get(*index)).map(|step| step.name.as_str()).collect();
            let last = self.path.last().copied().unwrap_or(index);
            let what = format!("loops for ever without waiting: {}", names.join(" → "));
            let waits = |index: &usize| {
                let step = self.campaign.steps.get(*index);
                step.is_some_and(|step| matches!(step.action, Action::Wait { .. } | Action::WaitUntil(_)))
            };
            let mend = if self.path.iter().skip(start).any(waits) {
                "its wait may be over at once: put one of some length into the loop, like `wait: 1 hour`, or give `until` a `for`"
            } else {
                "put a `wait` into the loop, or lead it on"
            };
            self.problems.push(Problem::error(format!("steps[{last}]"), what, mend));
            return;
        }
        let waits = self.campaign.steps.get(index).is_none_or(|step| step.passes_time());
        if waits || !self.done.insert(index) {
            return;
        }
        self.path.push(index);
        for next in at_once(self.campaign, index) {
            self.visit(next);
        }
        self.path.pop();
    }
}

/// Steps from which no run ever ends, although it waits.
fn endless(campaign: &Campaign, reached: &BTreeSet<usize>) -> Option<Problem> {
    let mut ending: BTreeSet<usize> = BTreeSet::new();
    loop {
        let ends = |index: usize| {
            campaign.targets(index).iter().any(|target| match target {
                Target::Step(index) => ending.contains(index),
                Target::End | Target::Missing(_) => true,
            })
        };
        let more: Vec<usize> =
            (0..campaign.steps.len()).filter(|index| !ending.contains(index) && ends(*index)).collect();
        if more.is_empty() {
            break;
        }
        ending.extend(more);
    }
    let caught: Vec<usize> = reached.difference(&ending).copied().collect();
    let index = caught.first()?;
    let names: Vec<&str> =
        caught.iter().filter_map(|index| campaign.steps.get(*index)).map(|step| step.name.as_str()).collect();
    let what = format!("loops for ever: no run leaves {}", names.join(", "));
    Some(Problem::error(format!("steps[{index}]"), what, "put a `filter` into the loop that ends it"))
}
