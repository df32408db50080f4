//! Taking steps: from where a run goes on to its next wait, or its end.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::state::wakes_at;
use super::waiting::{Stands, person_zone, why_over};
use super::{Command, EndReason, Passed, Run, RunState, Transition};
use crate::campaign::{Action, Campaign, Step, Target};
use crate::condition::Facts;
use crate::hook::{Answer, Fault};
use crate::ids::DeliveryId;
use crate::limits::{CALL_BYTES, STEPS_WITHOUT_WAIT};
use crate::wait::Wait;
use crate::wait::zone::{Misread, Zone};

/// What a run goes by: the campaign, what is true of the person, and the project's zone.
#[derive(Clone, Copy)]
pub(super) struct Way<'c> {
    pub(super) campaign: &'c Campaign,
    pub(super) facts: &'c Facts<'c>,
    pub(super) zone: &'c Zone,
}

impl<'c> Way<'c> {
    /// The step at which a run is that goes to `target`, for people to read.
    pub(super) fn named(&self, target: Target<'c>) -> String {
        match target {
            Target::Step(index) => self.campaign.steps.get(index).map(|step| step.name.clone()).unwrap_or_default(),
            Target::Missing(name) => name.to_owned(),
            Target::End => String::new(),
        }
    }
}

/// What one move gathers on its way.
#[derive(Default)]
pub(super) struct Passage {
    /// Whether the run has just begun: then waits count from the event's own time, however late it came.
    catching_up: bool,
    /// Whether an operator placed the run before the step that it takes.
    placed: bool,
    commands: Vec<Command>,
    /// The steps that did something, each once in a move: its name and the move are the deed's id.
    acted: BTreeSet<String>,
    /// The steps that heard, and of those the ones behind which another acted.
    heard: BTreeSet<String>,
    spent: BTreeSet<String>,
    /// Bytes of the calls among them.
    bytes: usize,
    asked: bool,
    reached: bool,
    misread: Vec<Misread>,
    passed: Vec<Passed>,
}

/// One step taken.
pub(super) enum Taken<'c> {
    /// Go on there; it was due then.
    On(Target<'c>, Timestamp),
    /// The run waits or is over.
    Stop(RunState),
}

impl Passage {
    /// The passage of a run that begins.
    pub(super) fn catching_up() -> Self {
        Self { catching_up: true, ..Self::default() }
    }

    /// The passage of a run that an operator placed before a step: what that waits for counts from earlier, too.
    pub(super) fn placed() -> Self {
        Self { placed: true, ..Self::catching_up() }
    }

    /// Notes that waits count from now again, whatever was due before.
    pub(super) fn is_caught_up(&mut self) {
        (self.catching_up, self.placed) = (false, false);
    }

    /// Whether an operator placed the run before the step that it takes.
    pub(super) fn is_placed(&self) -> bool {
        self.placed
    }

    /// Notes that what is true just now has a say in the way.
    pub(super) fn ask(&mut self, asked: bool) {
        self.asked |= asked;
    }

    /// Notes that the goal is reached.
    pub(super) fn reach(&mut self) {
        self.reached = true;
    }

    /// From when on a wait counts whose step was due at `due_at`.
    pub(super) fn since(&self, wait: &Wait, now: Timestamp, due_at: Timestamp) -> Timestamp {
        if self.catching_up { due_at } else { Run::punctual(wait, now, due_at) }
    }

    /// Whether the run begins in this move, maybe long after its trigger.
    pub(super) fn is_catching_up(&self) -> bool {
        self.catching_up
    }

    /// Notes that a step has heard.
    pub(super) fn hears(&mut self, step: &Step) {
        self.heard.insert(step.name.clone());
    }

    /// Whether a step has heard in this move, and another has acted on it.
    pub(super) fn is_spent(&self, step: &str) -> bool {
        self.spent.contains(step)
    }

    /// Whether a step has done something in this move.
    pub(super) fn has_acted(&self) -> bool {
        !self.acted.is_empty()
    }

    /// Whether a step may do what it does. Of the rounds of a loop that are over, since its event came late, only one does.
    fn acts(&mut self, step: &Step) -> bool {
        self.spent.append(&mut self.heard);
        let is_first = self.acted.insert(step.name.clone());
        if !is_first {
            self.note(step, "does nothing: it makes up for rounds that are over once, not for each");
        }
        is_first
    }

    /// How many calls of our own the move makes so far.
    pub(super) fn calls(&self) -> usize {
        self.commands.iter().filter(|command| matches!(command, Command::Call { .. })).count()
    }

    /// Whether a call of so many bytes still fits the move: its commands are kept in the run's row.
    pub(super) fn has_room(&mut self, bytes: usize) -> bool {
        let fits = self.bytes + bytes <= CALL_BYTES;
        self.bytes += if fits { bytes } else { 0 };
        fits
    }

    /// Does this once the run is stored.
    pub(super) fn command(&mut self, command: Command) {
        self.commands.push(command);
    }

    pub(super) fn note(&mut self, step: &Step, what: impl Into<String>) {
        self.passed.push(Passed { step: step.name.clone(), what: what.into() });
    }

    /// The move of a run that does not go on.
    pub(super) fn over(self, run: Run) -> Transition {
        let Self { commands, asked, reached, misread, passed, .. } = self;
        Transition { run, commands, asked, reached, misread, passed }
    }

    /// The move of a run that stops like this.
    pub(super) fn stop(self, run: Run, state: RunState) -> Transition {
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

    pub(super) fn go<'c>(
        mut self,
        way: &Way<'c>,
        mut target: Target<'c>,
        mut due_at: Timestamp,
        mut passage: Passage,
    ) -> Transition {
        if let Some(reason) = self.exit(way, &mut passage) {
            return passage.stop(self, RunState::Ended { at: way.facts.now, reason });
        }
        for _ in 0..STEPS_WITHOUT_WAIT {
            match self.take(way, target, due_at, &mut passage) {
                Taken::On(next, due) => (target, due_at) = (next, due),
                Taken::Stop(state) => return passage.stop(self, state),
            }
        }
        if let Some(state) = self.catch_breath(way, target, due_at, &mut passage) {
            return passage.stop(self, state);
        }
        let step = way.named(target);
        let reason = EndReason::Looping { step };
        // Nothing of such a move is sent.
        let passage = Passage { commands: Vec::new(), passed: Vec::new(), ..passage };
        passage.stop(self, RunState::Ended { at: way.facts.now, reason })
    }

    pub(super) fn take<'c>(
        &mut self,
        way: &Way<'c>,
        target: Target<'c>,
        due_at: Timestamp,
        passage: &mut Passage,
    ) -> Taken<'c> {
        let Way { campaign, facts, .. } = *way;
        let journey = self.journey.clone();
        let facts = &Facts { journey: &journey, ..*facts };
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
        let acts = matches!(
            step.action,
            Action::Send { .. } | Action::Update { .. } | Action::Track { .. } | Action::Start { .. }
        );
        if acts && !passage.acts(step) {
            return Taken::On(below(), due_at);
        }
        passage.asked |= matches!(step.action, Action::Wait { .. } | Action::Filter { .. } | Action::Branch { .. })
            || step.action.listens().is_some();
        let next = match &step.action {
            Action::Wait { wait } => return self.begin_wait(way, facts, (index, step, wait), due_at, passage),
            Action::WaitFor(_) | Action::WaitUntil(_) => {
                return self.listen(way, facts, (index, step), due_at, passage);
            }
            Action::Send { send, expire_after, .. } => {
                self.send((step, send), expire_after.map(|span| span.after(due_at)), passage);
                below()
            }
            Action::Filter { .. } | Action::Branch { .. } | Action::Split { .. } | Action::HoldOut { .. } => {
                match self.choose(campaign, facts, (index, step), passage) {
                    Ok(target) => target,
                    Err(reason) => return ended(reason),
                }
            }
            Action::Update { .. } | Action::Track { .. } | Action::Start { .. } => {
                self.act(facts, step, passage);
                below()
            }
            Action::Webhook { webhook, name, failed } => match self.ask(facts, (step, webhook), passage) {
                Some(taken) => return taken,
                None => {
                    if let Some(name) = name {
                        self.journey.insert(name.clone(), Answer::from(Fault::BadRequest).seen());
                    }
                    failed.as_deref().map_or_else(below, |name| campaign.target(name))
                }
            },
            Action::Exit { exit } => {
                passage.note(step, format!("ends: {exit}"));
                return ended(EndReason::Exited { step: step.name.clone(), why: exit.clone() });
            }
        };
        Taken::On(next, due_at)
    }

    /// Takes a step that waits.
    fn begin_wait<'c>(
        &self,
        way: &Way<'c>,
        facts: &Facts<'_>,
        (index, step, wait): (usize, &'c Step, &Wait),
        due_at: Timestamp,
        passage: &mut Passage,
    ) -> Taken<'c> {
        let found = person_zone(facts, way.zone);
        let stands = self.from((&step.name, wait), facts, &found.zone, passage.since(wait, facts.now, due_at));
        if wait.is_local() {
            passage.misread = found.misread;
        }
        let what = match &stands {
            Stands::Until(due_at, _) => format!("waits: {wait}, that is {due_at}"),
            Stands::Over(since) => format!("does not wait ({wait}): {}", why_over(wait, facts, way.zone, *since)),
            Stands::NotADate(not) => not.to_string(),
        };
        passage.note(step, what);
        self.take_wait(way, (index, step), stands, passage)
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

    fn send(&self, (step, message): (&Step, &str), expires_at: Option<Timestamp>, passage: &mut Passage) {
        let cause = [self.id.as_str(), &step.name, &self.moves.to_string()];
        let delivery = DeliveryId::to(&self.project, &self.user, &cause);
        let (step_name, message_name) = (step.name.clone(), message.to_owned());
        passage.command(Command::Send { delivery, step: step_name, message: message_name, expires_at });
        let by = expires_at.map_or_else(String::new, |at| format!(", by {at:.0} or not at all"));
        passage.note(step, format!("sends `{message}`{by}"));
    }
}
