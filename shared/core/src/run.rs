//! A run: one person's passage through a campaign. Pure: an advance is a function of the run, the campaign, the
//! facts and the time, and says what to do; who calls it stores the run and then carries out the commands.
//!
//! # Time
//!
//! A wait counts from when its step was *due*, not from when we came round to it, so that a queue's lag does not add
//! up over the months. Only a lag of up to a tenth of the wait, and never more than [`PUNCTUAL`], is made good this way;
//! what is later (an outage, a paused campaign) counts from now, so that mails meant to be days apart stay apart.
//! A run never goes on before its wait is over.
//!
//! # Duplicates
//!
//! Each stored change of a run is a move. Ids of deliveries come from the run, the step and the move, and the row keeps
//! the commands of the last move: whoever meets a hint older than the row carries them out again, which is harmless.
//! Commands are in order, the timer last: a timer that is set says that everything before it was done, so a crash at any
//! point between leaves either a hint to be met again or an overdue run for `sweep` to find.

mod choosing;
mod deeds;
pub mod dry;
mod expected;
mod hearing;
mod migrate;
mod resume;
mod state;
mod steps;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::call::{Call, Properties};
use crate::campaign::{Action, Again, Campaign, Target};
use crate::condition::Facts;
use crate::hook::{Answer, Fault, Request};
use crate::ids::{CampaignId, DeliveryId, EventId, ProjectId, RunId, UserId};
use crate::limits;
use crate::task::{Lane, TriggerEvent};
use crate::topic::Topic;
use crate::trigger::Published;
use crate::wait::zone::{Misread, Zone};

pub use expected::{date_of, expect};
pub use migrate::Migration;
pub use resume::{Resumed, Slot, Turn};
use state::wakes_at;
pub use state::{EndReason, Last, Reached, RunState};
use steps::{Passage, Way};
use waiting::person_zone;
pub use waiting::{EVE, Meant, codes};

/// The most lateness that the next wait makes good: longer than any queue's ordinary lag.
pub const PUNCTUAL: SignedDuration = SignedDuration::from_hours(1);

/// One person's passage through one version of a campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Derived from project, campaign and event: an event starts a campaign once.
    pub id: RunId,
    /// Whose run it is.
    pub project: ProjectId,
    /// The person.
    pub user: UserId,
    /// The campaign.
    pub campaign: CampaignId,
    /// The version it started with; it keeps that until an operator moves it to another ([`Migration`]).
    pub version: u32,
    /// What started it.
    pub event: TriggerEvent,
    /// The lane of its mails; a run from before there were lanes has [`Lane::Triggered`].
    #[serde(default, skip_serializing_if = "Lane::is_triggered")]
    pub lane: Lane,
    /// When it started.
    pub started_at: Timestamp,
    /// How often it has moved since; the condition of every write.
    pub moves: u32,
    /// Where it is.
    pub state: RunState,
    /// What it has gathered on its way, by the names that steps gave (`as`).
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub journey: Properties,
    /// What each step heard last: in a loop, what it hears next came later.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub heard: BTreeMap<String, Last>,
    /// The answer of the webhook that it waits for, where it came while the campaign was paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Box<Answer>>,
    /// The event that reached the campaign's goal, and when it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Reached>,
    /// The commands of its last move, to be carried out again when a hint is met again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_commands: Vec<Command>,
}

/// What is to be done after the run is stored, in order. Doing it twice does it once: the ids are the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Set the run's timer.
    Wake {
        /// When to wake the run.
        due_at: Timestamp,
        /// The run's moves, for the hint.
        moves: u32,
    },
    /// Hand a mail to `send`.
    Send {
        /// The mail.
        delivery: DeliveryId,
        /// The step that sends it.
        step: String,
        /// The message it sends.
        message: String,
        /// From when on it is not worth sending.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// Put a call of our own on its way.
    Call {
        /// The call.
        call: Box<Call>,
    },
    /// Have a webhook called.
    Hook {
        /// The request.
        request: Box<Request>,
        /// The run's moves, for the hint that brings the answer.
        moves: u32,
        /// After which it is not tried any more.
        until: Timestamp,
    },
    /// Tell the run of these topics, and look once more when nothing can have been missed.
    Listen {
        /// The topics.
        topics: BTreeSet<Topic>,
        /// The run's moves, for the hint.
        moves: u32,
        /// Until when.
        until: Timestamp,
    },
    /// Tell it of them no longer.
    StopListening {
        /// The topics.
        topics: BTreeSet<Topic>,
    },
}

/// A run's next state, and what to do once it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The run to store, on condition that the stored one is absent (a start) or has one move less.
    pub run: Run,
    /// What to do then; the same as the run's `last_commands`.
    pub commands: Vec<Command>,
    /// Whether what was true just then decided the way: a start that is made again may go another. Such a run needs a row,
    /// over or not.
    pub asked: bool,
    /// Whether the campaign's goal was reached in this move.
    pub reached: bool,
    /// What of the profile should say the person's zone and does not, where a wait asked.
    pub misread: Vec<Misread>,
    /// The steps that were taken, in order, for people to read.
    pub passed: Vec<Passed>,
}

/// A step that a run took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The step.
    pub step: String,
    /// What came of it, and why.
    pub what: String,
}

/// What became of an attempt to go on.
#[derive(Clone, Debug, PartialEq)]
pub enum Advance {
    /// Too early: ask again at this time.
    NotDue {
        /// When the run wants to be woken.
        due_at: Timestamp,
    },
    /// The run is over; nothing to do.
    Ended,
    /// The run moved.
    Moved(Box<Transition>),
}

/// Starts a run: takes its steps up to the first wait, or the end.
///
/// Its first wait counts from the event's own time, and the next ones from when that was over, be it long ago. `lane` is that of its mails ([`Lane::of`]), `zone` the project's.
#[must_use]
pub fn start(
    published: &Published,
    project: ProjectId,
    user: UserId,
    event: TriggerEvent,
    lane: Lane,
    facts: &Facts<'_>,
    zone: &Zone,
) -> Transition {
    let (campaign, now) = (&published.campaign, facts.now);
    let id = Run::id_of(&project, &campaign.id, &event.id);
    let state = RunState::Ended { at: now, reason: EndReason::Completed };
    let run = Run {
        id,
        project,
        user,
        campaign: campaign.id.clone(),
        version: published.version,
        event,
        lane,
        started_at: now,
        moves: 0,
        state,
        journey: Properties::new(),
        heard: BTreeMap::new(),
        answer: None,
        goal: None,
        last_commands: Vec::new(),
    };
    let first = if campaign.steps.is_empty() { Target::End } else { Target::Step(0) };
    // An event that comes late counts from its own time: what it is late by is taken off the waits.
    let (way, mut passage) = (Way { campaign, facts, zone }, Passage::catching_up());
    let since = run.event.at.min(now);
    let rule = &campaign.entry;
    passage.ask(rule.again == Again::WhenOver || rule.total.is_some());
    run.go(&way, first, since, passage)
}

impl Run {
    /// The id of the run that an event starts in a campaign.
    #[must_use]
    pub fn id_of(project: &ProjectId, campaign: &CampaignId, event: &EventId) -> RunId {
        RunId::derive(&[project.as_str(), campaign.as_str(), event.as_str()])
    }

    /// Goes on, if it is time or what it waits for has come: takes steps up to the next wait, or the end.
    ///
    /// `campaign` must be the version the run started with, or the newest if it is expected; `zone` is the project's.
    #[must_use]
    pub fn advance(&self, campaign: &Campaign, facts: &Facts<'_>, zone: &Zone) -> Advance {
        let early = self.due_at().filter(|due_at| facts.now < *due_at);
        let (step, due_at, meant, placed) = match &self.state {
            RunState::Waiting { step, due_at, meant } => (step, due_at, meant.as_ref(), None),
            RunState::Placed { step, since, at } => (step, at, None, Some(*since)),
            RunState::Expected { .. } => return self.comes(campaign, facts, zone, early),
            RunState::Ended { .. } => return Advance::Ended,
        };
        let there = campaign.step(step).map(|(index, step)| (index, step, &step.action));
        let listens = there.is_some_and(|(.., action)| action.listens().is_some());
        let calls = there.is_some_and(|(.., action)| matches!(action, Action::Webhook { .. }));
        let is_answered = facts.answer.is_some() || self.answer.is_some();
        let is_open = placed.is_none() && (listens || calls && is_answered);
        if let Some(due_at) = early.filter(|_| !is_open) {
            return Advance::NotDue { due_at };
        }
        if !facts.profile.remembers(self.event.at) {
            let run = self.erased(facts.now);
            return Advance::Moved(Box::new(Passage::default().over(run)));
        }
        let way = Way { campaign, facts: &Facts { journey: &self.journey, ..*facts }, zone };
        let next = Self { moves: self.moves.saturating_add(1), answer: None, ..self.clone() };
        if next.moves > limits::MOVES {
            let state = RunState::Ended { at: facts.now, reason: EndReason::Looping { step: step.clone() } };
            return Advance::Moved(Box::new(Passage::default().stop(next, state)));
        }
        let moved = match there {
            _ if let Some(since) = placed => next.placed(&way, step, since),
            None => next.walk(&way, Target::Missing(step), *due_at),
            Some((index, step, Action::Webhook { .. })) => match (facts.answer.or(self.answer.as_deref()), early) {
                (Some(answer), _) => next.answered(&way, (index, step), answer),
                (None, Some(due_at)) => return Advance::NotDue { due_at },
                (None, None) => next.answered(&way, (index, step), &Fault::Expired.into()),
            },
            Some((index, step, _)) if listens => {
                let since = meant.map_or(self.started_at, |meant| meant.since);
                match (next.clone().hears(&way, (index, step), since, *due_at), early) {
                    (Some(moved), _) => moved,
                    (None, Some(due_at)) => return Advance::NotDue { due_at },
                    (None, None) if facts.now < *due_at => next.listens_on(&way, step, (since, *due_at)),
                    (None, None) => next.times_out(&way, (index, step), *due_at),
                }
            }
            Some((index, step, Action::Wait { wait })) if let Some(meant) = meant => {
                let found = person_zone(facts, zone);
                let stands = self.again((&step.name, wait), meant, way.facts, &found, *due_at);
                next.stand(&way, (index, step), stands, found.misread)
            }
            Some((index, ..)) => next.walk(&way, campaign.after(index), *due_at),
        };
        Advance::Moved(Box::new(moved))
    }

    /// Whether it is expected to begin; then the newest version of its campaign decides.
    #[must_use]
    pub fn is_expected(&self) -> bool {
        matches!(self.state, RunState::Expected { .. })
    }

    fn comes(&self, campaign: &Campaign, facts: &Facts<'_>, zone: &Zone, early: Option<Timestamp>) -> Advance {
        if let Some(due_at) = early {
            return Advance::NotDue { due_at };
        }
        if !facts.profile.remembers(self.event.at) {
            return Advance::Moved(Box::new(Passage::default().over(self.erased(facts.now))));
        }
        let next = Self { moves: self.moves.saturating_add(1), ..self.clone() };
        Advance::Moved(Box::new(next.arrives(campaign, facts, zone)))
    }

    /// The run of a person who was deleted: over, and without what the event said.
    #[must_use]
    pub fn erased(&self, now: Timestamp) -> Self {
        let state = RunState::Ended { at: now, reason: EndReason::Deleted };
        let event = TriggerEvent { data: Properties::new(), ..self.event.clone() };
        let (moves, journey) = (self.moves.saturating_add(1), Properties::new());
        Self { moves, state, event, journey, answer: None, last_commands: Vec::new(), ..self.clone() }
    }

    /// The run of a campaign that was deleted: over.
    #[must_use]
    pub fn withdrawn(&self, now: Timestamp) -> Self {
        let state = RunState::Ended { at: now, reason: EndReason::Withdrawn };
        Self { moves: self.moves.saturating_add(1), state, last_commands: Vec::new(), ..self.clone() }
    }

    /// When the run wants to be woken; `None` once it is over.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        wakes_at(&self.state)
    }
}

#[cfg(test)]
mod tests;
