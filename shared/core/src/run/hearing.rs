//! How a run hears: of the event or the condition that a step waits for, and of what ends it early.
//!
//! A run that listens is told of its topics from the moment on that its commands are carried out, and looks at the
//! person's past then: so it misses nothing that came before, beside or after. What it hears is decided by the past alone
//! (of several events the earliest), never by the order of hints.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::steps::{Passage, Taken, Way};
use super::waiting::{Meant, person_zone};
use super::{Command, EndReason, Last, Reached, Run, RunState, Transition};
use crate::campaign::{Action, Awaited, Step, Target, WaitFor};
use crate::condition::{Decision, Facts, decide};
use crate::hook::Answer;
use crate::span::Span;
use crate::task::TriggerEvent;
use crate::wait::Wait;

/// How much later a run that begins late looks at what came beside its trigger.
const LOOK: SignedDuration = SignedDuration::from_secs(6);

/// What a step that listens has heard.
struct Heard<'f> {
    /// When it happened.
    at: Timestamp,
    /// The event, where it was one.
    event: Option<&'f TriggerEvent>,
}

impl Run {
    /// What a step has heard by `until`, if anything.
    fn heard<'f>(&self, facts: &Facts<'f>, step: &Step, until: Timestamp) -> Option<Heard<'f>> {
        match &step.action {
            Action::WaitFor(wait) => {
                let last = self.heard.get(&step.name);
                let counts = |event: &TriggerEvent| {
                    event.at <= until && last.map_or(event.at >= self.event.at, |last| last.is_before(event))
                };
                let event = wait.wait_for.find(facts, counts)?;
                Some(Heard { at: event.at, event: Some(event) })
            }
            Action::WaitUntil(wait) => {
                decide(&wait.wait_until, facts).passed().then_some(Heard { at: facts.now, event: None })
            }
            _ => None,
        }
    }

    /// Takes a step that listens.
    pub(super) fn listen<'c>(
        &mut self,
        way: &Way<'c>,
        facts: &Facts<'_>,
        (index, step): (usize, &'c Step),
        due_at: Timestamp,
        passage: &mut Passage,
    ) -> Taken<'c> {
        let Some(within) = step.action.listens() else { return Taken::On(way.campaign.after(index), due_at) };
        let (since, ends) = listens(way, within, due_at, passage);
        // Nobody is moved into the past.
        let ends = if passage.is_placed() { ends.max(facts.now) } else { ends };
        let soon = facts.now.checked_add(LOOK).unwrap_or(Timestamp::MAX);
        if let Some(heard) = self.heard(facts, step, ends) {
            // What a mail says of the journey and how a deed is known are those of the move: what would make them others
            // is heard in the next.
            if passage.is_spent(&step.name) || passage.has_acted() && self.keeps_again(step) {
                passage.note(step, "has heard more, and goes on with it in a moment");
                return Taken::Stop(self.pause(facts, step, (since, ends), Some(soon), passage));
            }
            return self.go_on(way, (index, step), since, heard, passage);
        }
        if ends <= facts.now && !passage.is_catching_up() {
            return self.give_up(way, (index, step), ends, passage);
        }
        // Of a run that begins late, what came beside its trigger may not be there yet: it looks a little later.
        let look_at = (ends <= facts.now).then_some(soon);
        passage.note(step, format!("waits at most {within}, that is until {ends}"));
        Taken::Stop(self.pause(facts, step, (since, ends), look_at, passage))
    }

    /// Stops at a step that has heard so much already that the next move is to go on with it; none where it is another step.
    pub(super) fn catch_breath(
        &self,
        way: &Way<'_>,
        target: Target<'_>,
        due_at: Timestamp,
        passage: &mut Passage,
    ) -> Option<RunState> {
        let Target::Step(index) = target else { return None };
        let step = way.campaign.steps.get(index).filter(|step| matches!(step.action, Action::WaitFor(_)))?;
        let spell = listens(way, step.action.listens()?, due_at, passage);
        let look_at = way.facts.now.checked_add(LOOK).unwrap_or(Timestamp::MAX);
        let facts = &Facts { journey: &self.journey, ..*way.facts };
        Some(self.pause(facts, step, spell, Some(look_at), passage))
    }

    /// Whether hearing at a step would write over what an earlier one kept.
    fn keeps_again(&self, step: &Step) -> bool {
        matches!(&step.action, Action::WaitFor(WaitFor { name: Some(name), .. }) if self.journey.contains_key(name))
    }

    fn pause(
        &self,
        facts: &Facts<'_>,
        step: &Step,
        (since, ends): (Timestamp, Timestamp),
        look_at: Option<Timestamp>,
        passage: &mut Passage,
    ) -> RunState {
        let topics = step.action.topics(facts);
        if !topics.is_empty() {
            passage.command(Command::Listen { topics, moves: self.moves, until: ends });
        }
        passage.command(Command::Wake { due_at: look_at.unwrap_or(ends), moves: self.moves });
        let meant = Some(Box::new(Meant { since, intent: None, look_at }));
        RunState::Waiting { step: step.name.clone(), due_at: ends, meant }
    }

    /// Goes on where a step that has listened since `since` has heard.
    pub(super) fn hears(
        mut self,
        way: &Way<'_>,
        (index, step): (usize, &Step),
        since: Timestamp,
        until: Timestamp,
    ) -> Option<Transition> {
        let heard = self.heard(way.facts, step, until)?;
        let mut passage = Passage::default();
        self.stop_listening(way.facts, step, &mut passage);
        Some(match self.go_on(way, (index, step), since, heard, &mut passage) {
            Taken::On(target, due_at) => self.go(way, target, due_at, passage),
            Taken::Stop(state) => passage.stop(self, state),
        })
    }

    /// Goes on listening where a step that had more to hear, for all it knew, has not.
    pub(super) fn listens_on(self, way: &Way<'_>, step: &Step, spell: (Timestamp, Timestamp)) -> Transition {
        let mut passage = Passage::default();
        let state = self.pause(way.facts, step, spell, None, &mut passage);
        passage.stop(self, state)
    }

    /// Goes on where a step has heard nothing in time.
    pub(super) fn times_out(self, way: &Way<'_>, (index, step): (usize, &Step), ends: Timestamp) -> Transition {
        let mut passage = Passage::default();
        self.stop_listening(way.facts, step, &mut passage);
        match self.give_up(way, (index, step), ends, &mut passage) {
            Taken::On(target, due_at) => self.go(way, target, due_at, passage),
            Taken::Stop(state) => passage.stop(self, state),
        }
    }

    fn stop_listening(&self, facts: &Facts<'_>, step: &Step, passage: &mut Passage) {
        let topics = step.action.topics(facts);
        if !topics.is_empty() {
            passage.command(Command::StopListening { topics });
        }
    }

    fn go_on<'c>(
        &mut self,
        way: &Way<'c>,
        (index, step): (usize, &'c Step),
        since: Timestamp,
        heard: Heard<'_>,
        passage: &mut Passage,
    ) -> Taken<'c> {
        if let (Some(event), Action::WaitFor(wait)) = (heard.event, &step.action) {
            let last = Last::heard(self.heard.remove(&step.name), event);
            self.heard.insert(step.name.clone(), last);
            passage.hears(step);
            if let Some(name) = &wait.name {
                self.journey.insert(name.clone(), Value::Object(event.data.clone()));
            }
            passage.note(step, format!("`{}` happened at {}", event.name, heard.at));
        } else {
            passage.note(step, "holds");
        }
        let [(_, happened), _] = step.action.exits();
        let target = happened.map_or_else(|| way.campaign.after(index), |name| way.campaign.target(name));
        // What happened before the step was reached did not make it any earlier.
        Taken::On(target, heard.at.max(since))
    }

    /// What happened in time and is seen too late is heard when the run comes to the step again: nothing is marked here.
    fn give_up<'c>(
        &self,
        way: &Way<'c>,
        (index, step): (usize, &'c Step),
        ends: Timestamp,
        passage: &mut Passage,
    ) -> Taken<'c> {
        passage.note(step, format!("timed out at {ends}"));
        let [_, (_, timed_out)] = step.action.exits();
        Taken::On(timed_out.map_or_else(|| way.campaign.after(index), |name| way.campaign.target(name)), ends)
    }

    /// Goes on where a webhook was answered, or was not in time.
    pub(super) fn answered(mut self, way: &Way<'_>, (index, step): (usize, &Step), answer: &Answer) -> Transition {
        let mut passage = Passage::default();
        let is_good = answer.is_good();
        passage.note(
            step,
            if is_good {
                "was answered".to_owned()
            } else {
                format!("failed: {}", answer.error.as_deref().unwrap_or_default())
            },
        );
        if let Action::Webhook { name: Some(name), .. } = &step.action {
            self.journey.insert(name.clone(), answer.seen());
        }
        let [_, (_, failed)] = step.action.exits();
        let elsewhere = failed.filter(|_| !is_good).map(|name| way.campaign.target(name));
        self.go(way, elsewhere.unwrap_or_else(|| way.campaign.after(index)), way.facts.now, passage)
    }

    /// A goal that is an event's name alone, by the person's counts: they know the latest one however long ago, and the past
    /// goes back 30 days (`limits::ACTIVITY_DAYS`).
    fn counted(&self, goal: &Awaited, facts: &Facts<'_>) -> Option<Reached> {
        let is_plain = goal.matching.is_empty() && goal.filters.is_empty();
        let known = facts.profile.events().find(|known| is_plain && known.name.key() == goal.event.key())?;
        let at = known.last_at();
        // The trigger itself may bear the name.
        (self.event.at < at && at <= facts.now).then_some(Reached { event: None, at })
    }

    /// Why the run ends before its next step, if it does; remembers a goal that was reached.
    pub(super) fn exit(&mut self, way: &Way<'_>, passage: &mut Passage) -> Option<EndReason> {
        let Way { campaign, facts, .. } = *way;
        let facts = &Facts { journey: &self.journey, ..*facts };
        passage.ask(campaign.goal.is_some() || !campaign.exits.is_empty());
        if let (Some(goal), None) = (&campaign.goal, &self.goal) {
            let counts = |event: &TriggerEvent| event.at >= self.event.at && event.at <= facts.now;
            let found = goal.find(facts, counts).map(|event| Reached { event: Some(event.id.clone()), at: event.at });
            let reached = found.or_else(|| self.counted(goal, facts));
            if reached.is_some() {
                passage.reach();
            }
            self.goal = reached;
        }
        if campaign.exits.goal && self.goal.is_some() {
            return Some(EndReason::Goal);
        }
        if campaign.exits.unsubscribed && !facts.profile.subscribed() {
            return Some(EndReason::Unsubscribed);
        }
        match decide(&campaign.exits.unless, facts) {
            Decision::Pass => None,
            Decision::Fail(why) => Some(EndReason::NoLonger { why }),
        }
    }
}

/// From when to when a step listens.
fn listens(way: &Way<'_>, within: Span, due_at: Timestamp, passage: &Passage) -> (Timestamp, Timestamp) {
    let since = passage.since(&Wait::Span(within), way.facts.now, due_at);
    (since, crate::wait::span_ends(within, since, &person_zone(way.facts, way.zone).zone).at)
}
