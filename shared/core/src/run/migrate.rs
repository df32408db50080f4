//! Moving runs to another version of their campaign, or ending them, because an operator says so.
//!
//! A run that waits in the same way there goes on waiting to the same instant. Any other is *placed* before its new step,
//! and takes it at once, by what is true of the person then: `schedule` does, as it does every step. A step that waits for
//! a length of time (a plain or a random delay, a time-out) counts from when the run began to wait where it was; what the
//! clock on the wall decides, and every other step, from now. So nobody goes on earlier than now, and what follows counts
//! from then.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::steps::{Passage, Taken, Way};
use super::{Command, EndReason, Run, RunState, Transition, wakes_at};
use crate::campaign::problem::did_you_mean;
use crate::campaign::{Action, Campaign, Problem, Step};
use crate::wait::Wait;

/// What an operator wants of the runs of a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The version they go to; runs that are there are not meant.
    pub to_version: u32,
    /// Where the runs at a step go, by the step's name; none ends them. Runs at other steps stay.
    pub moves: BTreeMap<String, Option<String>>,
    /// The versions they come from; every other where none is said.
    pub from_versions: Option<BTreeSet<u32>>,
}

impl Migration {
    /// What is wrong with it: steps that the version it leads to does not have.
    #[must_use]
    pub fn problems(&self, to: &Campaign) -> Vec<Problem> {
        if self.moves.is_empty() {
            return vec![Problem::error("moves", "no step is named", "say from which step the runs go, and where to")];
        }
        let names = to.steps.iter().map(|step| step.name.as_str());
        let unknown = self.moves.iter().filter_map(|(from, name)| Some((from, name.as_deref()?)));
        unknown
            .filter(|(_, name)| to.step(name).is_none())
            .map(|(from, name)| {
                let what = format!("there is no step `{name}` in version {}", self.to_version);
                Problem::error(format!("moves.{from}"), what, did_you_mean(name, names.clone(), "there are"))
            })
            .collect()
    }

    /// Where it sends a run: to a step, or nowhere (`Some(None)`); none where it does not mean the run.
    #[must_use]
    pub fn sends<'m>(&'m self, run: &Run) -> Option<Option<&'m str>> {
        let is_meant = run.version != self.to_version
            && self.from_versions.as_ref().is_none_or(|versions| versions.contains(&run.version));
        let to = is_meant.then(|| self.moves.get(run.at_step()?))?;
        to.map(Option::as_deref)
    }

    /// The move that takes a run there; none where it does not mean the run. `from` is the run's version of the campaign
    /// and `to` the one it goes to.
    #[must_use]
    pub fn carry(&self, run: &Run, from: &Campaign, to: &Campaign, now: Timestamp) -> Option<Transition> {
        let (name, target) = (run.at_step()?, self.sends(run)?);
        let mut passage = Passage::default();
        run.hear_no_more(&mut passage);
        let next = Run { moves: run.moves.saturating_add(1), ..run.clone() };
        let Some(target) = target else {
            let reason = EndReason::Migrated { step: name.to_owned(), to_version: self.to_version };
            return Some(passage.stop(next, RunState::Ended { at: now, reason }));
        };
        let here = from.step(name).map(|(_, step)| step);
        let (_, there) = to.step(target)?;
        let state = match &run.state {
            RunState::Waiting { due_at, meant, .. } if here.is_some_and(|here| waits_alike(here, there)) => {
                RunState::Waiting { step: target.to_owned(), due_at: *due_at, meant: meant.clone() }
            }
            _ => RunState::Placed { step: target.to_owned(), since: run.waits_since(here, there, now), at: now },
        };
        passage.command(Command::Wake { due_at: wakes_at(&state).unwrap_or(now), moves: next.moves });
        Some(passage.stop(Run { version: self.to_version, ..next }, state))
    }
}

/// Whether two steps are the same wait: what a run has computed for the one stands for the other.
fn waits_alike(here: &Step, there: &Step) -> bool {
    matches!((&here.action, &there.action), (Action::Wait { wait: one }, Action::Wait { wait: other }) if one == other)
}

impl Run {
    /// The step at which it waits, or before which an operator has placed it; none once it is over.
    #[must_use]
    pub fn at_step(&self) -> Option<&str> {
        match &self.state {
            RunState::Waiting { step, .. } | RunState::Placed { step, .. } => Some(step),
            RunState::Expected { .. } | RunState::Ended { .. } => None,
        }
    }

    /// Lets go of what it listens for: the move that began to listen has the topics.
    fn hear_no_more(&self, passage: &mut Passage) {
        for command in &self.last_commands {
            if let Command::Listen { topics, .. } = command {
                passage.command(Command::StopListening { topics: topics.clone() });
            }
        }
    }

    /// From when on a step counts to which the run is moved from where it is. The length of a random delay is not kept:
    /// that counts from now.
    fn waits_since(&self, here: Option<&Step>, there: &Step, now: Timestamp) -> Timestamp {
        let has_length = matches!(there.action, Action::Wait { wait: Wait::Span(_) | Wait::Between(_) });
        if !has_length && there.action.listens().is_none() {
            return now;
        }
        let began = match &self.state {
            RunState::Waiting { meant: Some(meant), .. } => Some(meant.since),
            RunState::Waiting { due_at, .. } => match here.map(|step| &step.action) {
                Some(Action::Wait { wait: Wait::Span(span) }) => due_at.checked_sub(span.length()).ok(),
                _ => None,
            },
            RunState::Placed { since, .. } => Some(*since),
            RunState::Expected { .. } | RunState::Ended { .. } => None,
        };
        began.unwrap_or(now).min(now)
    }

    /// Takes the step before which an operator has placed it, counting from `since`, and goes on from now.
    pub(super) fn placed(mut self, way: &Way<'_>, step: &str, since: Timestamp) -> Transition {
        let mut passage = Passage::placed();
        if let Some(reason) = self.exit(way, &mut passage) {
            return passage.stop(self, RunState::Ended { at: way.facts.now, reason });
        }
        match self.take(way, way.campaign.target(step), since, &mut passage) {
            Taken::On(target, due_at) => {
                passage.is_caught_up();
                self.go(way, target, due_at.max(way.facts.now), passage)
            }
            Taken::Stop(state) => passage.stop(self, state),
        }
    }
}
