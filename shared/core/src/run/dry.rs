//! A dry run: what a campaign would do for one person, if nothing happened to the person on the way but what is said. It is
//! the run itself, without a queue or a row.

mod entering;
mod misfits;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Advance, Command, EndReason, Passed, Run, RunState, Transition, person_zone, start};
use crate::call::{Action, Call};
use crate::campaign::Campaign;
use crate::condition::{Decision, Facts};
use crate::hook::Answer;
use crate::ids::{EventId, ProjectId};
use crate::profile::{Activity, Profile};
use crate::span::Span;
use crate::task::{Lane, TriggerEvent};
use crate::topic::{Topic, touched};
use crate::trigger::Published;
use crate::wait::zone::{Found, Zone};

/// Moves at most: a loop that goes on longer is cut.
pub const MOVES: usize = 100;
/// In place of a step's name: what comes before the steps.
pub const TRIGGER: &str = "(trigger)";
/// In place of a step's name: what happens to the person.
pub const LATER: &str = "(later)";
/// In place of a step's name: the goal.
pub const GOAL: &str = "(goal)";

/// What is played.
#[derive(Clone, Copy, Debug)]
pub struct Play<'a> {
    /// Whose campaign it is.
    pub project: &'a ProjectId,
    /// The person, without the event.
    pub profile: &'a Profile,
    /// What happens, and when. Of a campaign that a date or a condition starts, only the instant counts.
    pub event: &'a TriggerEvent,
    /// What happens to the person after they have entered.
    pub later: &'a [Later],
    /// What webhooks are answered, one after the other; where there are no more, none comes.
    pub answers: &'a [Answer],
    /// The project's zone.
    pub zone: &'a Zone,
}

/// Something that happens to the person.
#[derive(Clone, Debug)]
pub struct Later {
    /// How long after the trigger; a day is 24 hours.
    pub after: Span,
    /// What the calls do, in order.
    pub actions: Vec<Action>,
}

/// What would happen.
#[derive(Clone, Debug)]
pub struct DryRun {
    /// The person's zone, and what was not understood of it.
    pub zone: Found,
    /// Whether the person enters the campaign, but for what a dry run cannot know: the stops name it.
    pub entry: Decision,
    /// The steps, each with its instant, and what comes before and between them.
    pub stops: Vec<Stop>,
    /// How it ends; none where it was cut after [`MOVES`], and where nobody enters.
    pub end: Option<EndReason>,
}

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// When it is taken.
    pub at: Timestamp,
    /// The step, and what comes of it; what is no step is [`TRIGGER`], [`LATER`] or [`GOAL`].
    pub passed: Passed,
    /// Of a step that sends: why the mail would not leave.
    pub held_back: Option<String>,
}

/// Plays what happens to a person through a campaign, as of the event's own time.
#[must_use]
pub fn dry_run(campaign: Campaign, play: &Play<'_>) -> DryRun {
    let now = play.event.at;
    let published = Published { campaign: Arc::new(campaign), version: 1, published_at: now, paused: false };
    let zone = person_zone(&Facts::new(play.profile, play.event, now), play.zone);
    let mut under_way = UnderWay {
        play,
        profile: play.profile.clone(),
        now,
        coming: Vec::new(),
        answers: play.answers.iter().cloned().collect(),
        stops: Vec::new(),
        misfits: BTreeSet::new(),
    };
    let entered = under_way.enter(&published);
    let (entry, end) = match entered {
        Ok(event) => (Decision::Pass, under_way.go(&published, event)),
        Err(why) => (Decision::Fail(why), None),
    };
    DryRun { zone, entry, stops: under_way.stops, end }
}

/// A call that is still to come.
struct Coming {
    call: Call,
    /// Whether a step of the campaign makes it.
    is_ours: bool,
}

/// A dry run that goes on.
struct UnderWay<'a> {
    play: &'a Play<'a>,
    profile: Profile,
    now: Timestamp,
    /// What is still to come, the earliest first.
    coming: Vec<Coming>,
    answers: VecDeque<Answer>,
    stops: Vec<Stop>,
    /// Of which events it was said why they are not the ones, each with the step or the goal.
    misfits: BTreeSet<(String, EventId)>,
}

impl UnderWay<'_> {
    /// Takes all steps; how it ends.
    fn go(&mut self, published: &Published, event: TriggerEvent) -> Option<EndReason> {
        let campaign = &published.campaign;
        self.foresee(event.at);
        let past = self.past(event.at);
        let facts = Facts { past: &past, ..Facts::new(&self.profile, &event, self.now) };
        let (project, user) = (self.play.project.clone(), self.profile.id.clone());
        let lane = Lane::of(campaign, false);
        let mut moved = start(published, project, user, event.clone(), lane, &facts, self.play.zone);
        for _ in 0..MOVES {
            self.tell(campaign, &moved);
            let Transition { run, commands, .. } = moved;
            if let RunState::Ended { reason, .. } = run.state {
                if self.coming.iter().any(|coming| !coming.is_ours) {
                    self.note(LATER, "what is said to happen after that finds the run over");
                }
                return Some(reason);
            }
            self.coming.extend(commands.into_iter().filter_map(|command| match command {
                Command::Call { call } => Some(Coming { call: *call, is_ours: true }),
                _ => None,
            }));
            self.coming.sort_by_key(|coming| coming.call.at);
            self.look_back(campaign, &run);
            moved = self.next(campaign, &run)?;
        }
        None
    }

    /// The calls of what is said to happen to the person who enters at `entered`.
    fn foresee(&mut self, entered: Timestamp) {
        for (number, later) in self.play.later.iter().enumerate() {
            for (place, action) in later.actions.iter().enumerate() {
                let id = EventId::derive(&[LATER, &number.to_string(), &place.to_string()]);
                let micros = SignedDuration::from_micros(i64::try_from(place).unwrap_or(0));
                let at = later.after.after(entered).checked_add(micros).unwrap_or(Timestamp::MAX);
                self.coming.push(Coming { call: self.call(id, at, action.clone()), is_ours: false });
            }
        }
    }

    fn call(&self, id: EventId, at: Timestamp, action: Action) -> Call {
        Call { id, project: self.play.project.clone(), user: self.profile.id.clone(), at, accepted_at: at, action }
    }

    /// The run's next move: by an answer, by what happens to the person, or by time.
    fn next(&mut self, campaign: &Campaign, run: &Run) -> Option<Transition> {
        if run.last_commands.iter().any(|command| matches!(command, Command::Hook { .. }))
            && let Some(answer) = self.answers.pop_front()
        {
            return self.advance(campaign, run, Some(&answer));
        }
        let due_at = run.due_at()?;
        let topics: Vec<&Topic> = run.last_commands.iter().flat_map(listened).collect();
        while self.coming.first().is_some_and(|coming| coming.call.at <= due_at) {
            let Coming { call, is_ours } = self.coming.remove(0);
            self.happen(&call, is_ours);
            self.overhear(campaign, run, &call.id);
            let is_told = touched(&call, &campaign.subjects()).iter().any(|topic| topics.contains(&topic));
            if let Some(moved) = is_told.then(|| self.advance(campaign, run, None)).flatten() {
                return Some(moved);
            }
        }
        self.now = self.now.max(due_at);
        self.advance(campaign, run, None)
    }

    /// A call comes.
    fn happen(&mut self, call: &Call, is_ours: bool) {
        self.now = self.now.max(call.at);
        self.profile.apply(call);
        // What the campaign does itself is told where its step is taken.
        if let Some(activity) = Activity::of(call).filter(|_| !is_ours) {
            let what = activity.event().map(|event| format!("`{}` happens", event.name));
            self.note(LATER, what.unwrap_or_else(|| format!("the person is {}", activity.what)));
        }
    }

    fn advance(&self, campaign: &Campaign, run: &Run, answer: Option<&Answer>) -> Option<Transition> {
        let past = self.past(run.event.at);
        let facts = Facts { past: &past, answer, ..Facts::new(&self.profile, &run.event, self.now) };
        match run.advance(campaign, &facts, self.play.zone) {
            Advance::Moved(moved) => Some(*moved),
            Advance::NotDue { .. } | Advance::Ended => None,
        }
    }

    /// What has happened to the person, from the trigger on.
    fn past(&self, since: Timestamp) -> Vec<TriggerEvent> {
        Activity::events(self.profile.riding(), since)
    }

    fn note(&mut self, place: &str, what: impl Into<String>) {
        let passed = Passed { step: place.to_owned(), what: what.into() };
        self.stops.push(Stop { at: self.now, passed, held_back: None });
    }

    /// What was done in a move.
    fn tell(&mut self, campaign: &Campaign, moved: &Transition) {
        if let Some(goal) = moved.run.goal.as_ref().filter(|_| moved.reached) {
            self.note(GOAL, format!("was reached at {}", goal.at));
        }
        let facts = Facts { journey: &moved.run.journey, ..Facts::new(&self.profile, &moved.run.event, self.now) };
        let stop = |passed: &Passed| {
            let held_back = held_back(campaign, &passed.step, &facts);
            Stop { at: self.now, passed: passed.clone(), held_back }
        };
        let stops: Vec<Stop> = moved.passed.iter().map(stop).collect();
        self.stops.extend(stops);
    }
}

/// The topics that a run is told of by its last move.
fn listened(command: &Command) -> impl Iterator<Item = &Topic> {
    let topics = match command {
        Command::Listen { topics, .. } => Some(topics),
        _ => None,
    };
    topics.into_iter().flatten()
}

/// Why a step's mail would not leave.
fn held_back(campaign: &Campaign, step: &str, facts: &Facts<'_>) -> Option<String> {
    let sending = campaign.sending(step)?;
    if !campaign.ignores_unsubscribes() && !facts.profile.subscribed() {
        return Some("unsubscribed".to_owned());
    }
    match sending.decide(facts) {
        Decision::Pass if facts.profile.email().is_none() => Some("no address".to_owned()),
        Decision::Pass => None,
        Decision::Fail(why) => Some(why.as_str().to_owned()),
    }
}

#[cfg(test)]
mod tests;
