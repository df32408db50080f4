//! Taking steps: from where a run goes on to its next wait, or its end.

use jiff::Timestamp;

use super::waiting::{Stands, person_zone};
use super::{Command, EndReason, Passed, Run, RunState, Transition, wakes_at};
use crate::campaign::share::{drawn, lot};
use crate::campaign::{Action, Campaign, Step, Target};
use crate::condition::{Decision, Facts, decide};
use crate::ids::DeliveryId;
use crate::limits::STEPS_WITHOUT_WAIT;
use crate::wait::Wait;
use crate::wait::zone::{Misread, Zone};

/// What a run goes by: the campaign, what is true of the person, and the project's zone.
#[derive(Clone, Copy)]
pub(super) struct Way<'c> {
    pub(super) campaign: &'c Campaign,
    pub(super) facts: &'c Facts<'c>,
    pub(super) zone: &'c Zone,
}

/// What one move gathers on its way.
#[derive(Default)]
pub(super) struct Passage {
    commands: Vec<Command>,
    asked: bool,
    misread: Vec<Misread>,
    passed: Vec<Passed>,
}

/// One step taken.
enum Taken<'c> {
    /// Go on there; it was due then.
    On(Target<'c>, Timestamp),
    /// The run waits or is over.
    Stop(RunState),
}

impl Passage {
    fn note(&mut self, step: &Step, what: impl Into<String>) {
        self.passed.push(Passed { step: step.name.clone(), what: what.into() });
    }

    /// The move of a run that does not go on.
    pub(super) fn over(self, run: Run) -> Transition {
        let Self { commands, asked, misread, passed } = self;
        Transition { run, commands, asked, misread, passed }
    }

    /// The move of a run that stops like this.
    fn stop(self, run: Run, state: RunState) -> Transition {
        let run = Run { state, last_commands: self.commands.clone(), ..run };
        self.over(run)
    }
}

impl Run {
    /// Goes on where a wait that was looked at again is over, and waits on where it is not.
    pub(super) fn stand(
        self,
        way: &Way<'_>,
        (index, step): (usize, &Step),
        stands: Stands,
        misread: Vec<Misread>,
    ) -> Transition {
        let mut passage = Passage { misread, ..Passage::default() };
        match self.take_wait(way, (index, step), stands, &mut passage) {
            Taken::On(target, due_at) => self.go(way, target, due_at, passage),
            Taken::Stop(state) => passage.stop(self, state),
        }
    }

    /// Takes steps from `target` until the run waits or ends. `due_at` is when the first of them was due.
    pub(super) fn walk(self, way: &Way<'_>, target: Target<'_>, due_at: Timestamp) -> Transition {
        self.go(way, target, due_at, Passage::default())
    }

    fn go<'c>(self, way: &Way<'c>, mut target: Target<'c>, mut due_at: Timestamp, mut passage: Passage) -> Transition {
        for _ in 0..STEPS_WITHOUT_WAIT {
            match self.take(way, target, due_at, &mut passage) {
                Taken::On(next, due) => (target, due_at) = (next, due),
                Taken::Stop(state) => return passage.stop(self, state),
            }
        }
        let step = match target {
            Target::Step(index) => way.campaign.steps.get(index).map(|step| step.name.clone()).unwrap_or_default(),
            Target::Missing(name) => name.to_owned(),
            Target::End => String::new(),
        };
        let reason = EndReason::Looping { step };
        // Nothing of such a move is sent.
        let passage = Passage { commands: Vec::new(), passed: Vec::new(), ..passage };
        passage.stop(self, RunState::Ended { at: way.facts.now, reason })
    }

    fn take<'c>(&self, way: &Way<'c>, target: Target<'c>, due_at: Timestamp, passage: &mut Passage) -> Taken<'c> {
        let Way { campaign, facts, zone } = *way;
        let ended = |reason| Taken::Stop(RunState::Ended { at: facts.now, reason });
        let (index, step) = match target {
            Target::End => return ended(EndReason::Completed),
            Target::Missing(name) => return ended(EndReason::Lost { step: name.to_owned() }),
            Target::Step(index) => match campaign.steps.get(index) {
                Some(step) => (index, step),
                None => return ended(EndReason::Completed),
            },
        };
        let below = || campaign.after(index);
        passage.asked |= matches!(step.action, Action::Wait { .. } | Action::Filter { .. } | Action::Branch { .. });
        let next = match &step.action {
            Action::Wait { wait } => {
                let found = person_zone(facts, zone);
                let stands = self.begin((&step.name, wait), facts, &found.zone, due_at);
                if wait.is_local() {
                    passage.misread = found.misread;
                }
                passage.note(
                    step,
                    match &stands {
                        Stands::Until(due_at, _) => format!("waits: {wait}, that is {due_at}"),
                        Stands::Over(since) => format!("does not wait ({wait}): that was {since}"),
                        Stands::NotADate(not) => not.to_string(),
                    },
                );
                return self.take_wait(way, (index, step), stands, passage);
            }
            Action::Send { send, .. } => {
                passage.commands.push(self.send(step, send));
                passage.note(step, format!("sends `{send}`"));
                below()
            }
            Action::Filter { filter, otherwise } => match (decide(filter, facts), otherwise) {
                (Decision::Pass, _) => {
                    passage.note(step, "holds");
                    below()
                }
                (Decision::Fail(why), Some(name)) => {
                    passage.note(step, format!("{why}: goes to `{name}`"));
                    campaign.target(name)
                }
                (Decision::Fail(why), None) => {
                    passage.note(step, why.as_str());
                    return ended(EndReason::Filtered { step: step.name.clone(), why });
                }
            },
            Action::Branch { branch, otherwise } => {
                let arm = branch.iter().position(|arm| decide(&arm.when, facts).passed());
                let named = arm.and_then(|arm| branch.get(arm)).map(|arm| arm.to.as_str()).or(otherwise.as_deref());
                let which = arm.map_or_else(|| "no arm holds".to_owned(), |arm| format!("arm {} holds", arm + 1));
                passage
                    .note(step, format!("{which}{}", named.map_or_else(String::new, |to| format!(": goes to `{to}`"))));
                named.map_or_else(below, |name| campaign.target(name))
            }
            Action::Split { .. } | Action::HoldOut { .. } => match self.draw(campaign, (index, step), passage) {
                Ok(target) => target,
                Err(reason) => return ended(reason),
            },
            Action::Exit { exit } => {
                passage.note(step, format!("ends: {exit}"));
                return ended(EndReason::Exited { step: step.name.clone(), why: exit.clone() });
            }
        };
        Taken::On(next, due_at)
    }

    /// Where the person's lot leads, or why it ends the run.
    fn draw<'c>(
        &self,
        campaign: &'c Campaign,
        (index, step): (usize, &'c Step),
        passage: &mut Passage,
    ) -> Result<Target<'c>, EndReason> {
        match &step.action {
            Action::Split { split, seed } => {
                let lot = self.lot(seed.as_deref().unwrap_or(&step.name));
                let share = drawn(split, lot).ok_or(EndReason::Completed)?;
                passage.note(step, format!("draws {lot} of 10000: goes to `{}` with {}", share.to, share.percent));
                Ok(campaign.target(&share.to))
            }
            Action::HoldOut { hold_out } => {
                let lot = self.lot(&step.name);
                if lot < hold_out.hundredths() {
                    passage.note(step, format!("draws {lot} of 10000: held out with {hold_out}"));
                    return Err(EndReason::HeldOut { step: step.name.clone() });
                }
                passage.note(step, format!("draws {lot} of 10000: goes on, {hold_out} are held out"));
                Ok(campaign.after(index))
            }
            _ => Ok(campaign.after(index)),
        }
    }

    /// What follows from how a wait stands.
    fn take_wait<'c>(
        &self,
        way: &Way<'c>,
        (index, step): (usize, &'c Step),
        stands: Stands,
        passage: &mut Passage,
    ) -> Taken<'c> {
        let wait = match &step.action {
            Action::Wait { wait } => Some(wait),
            _ => None,
        };
        match stands {
            Stands::Over(since) => Taken::On(way.campaign.after(index), since),
            Stands::Until(due_at, meant) => {
                let state = RunState::Waiting { step: step.name.clone(), due_at, meant: meant.map(Box::new) };
                let wake = wakes_at(&state).unwrap_or(due_at);
                passage.commands.push(Command::Wake { due_at: wake, moves: self.moves });
                Taken::Stop(state)
            }
            Stands::NotADate(not) => match wait.and_then(Wait::otherwise) {
                Some(name) => Taken::On(way.campaign.target(name), way.facts.now),
                None => {
                    let reason = EndReason::NotADate { step: step.name.clone(), why: not.to_string() };
                    Taken::Stop(RunState::Ended { at: way.facts.now, reason })
                }
            },
        }
    }

    /// The person's lot for a seed in this campaign.
    fn lot(&self, seed: &str) -> u32 {
        lot(&self.project, &self.campaign, seed, &self.user)
    }

    fn send(&self, step: &Step, message: &str) -> Command {
        let cause = [self.id.as_str(), &step.name, &self.moves.to_string()];
        let delivery = DeliveryId::to(&self.project, &self.user, &cause);
        Command::Send { delivery, step: step.name.clone(), message: message.to_owned() }
    }
}
