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

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::call::Properties;
use crate::campaign::share::{drawn, lot};
use crate::campaign::{Action, Campaign, Step, Target};
use crate::condition::{Decision, Facts, Reason, decide};
use crate::ids::{CampaignId, DeliveryId, EventId, ProjectId, RunId, UserId};
use crate::limits::STEPS_WITHOUT_WAIT;
use crate::span::Span;
use crate::task::{Lane, TriggerEvent};
use crate::trigger::Published;

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
    /// The version it started with and keeps.
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
    /// The commands of its last move, to be carried out again when a hint is met again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_commands: Vec<Command>,
}

/// Where a run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunState {
    /// In a `wait` step.
    Waiting {
        /// The step.
        step: String,
        /// When the wait is over.
        due_at: Timestamp,
    },
    /// Over.
    Ended {
        /// When.
        at: Timestamp,
        /// Why.
        reason: EndReason,
    },
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EndReason {
    /// After the last step.
    Completed,
    /// At an `exit` step.
    Exited {
        /// The step.
        step: String,
        /// Its text.
        why: String,
    },
    /// At a `filter` step.
    Filtered {
        /// The step.
        step: String,
        /// The condition that did not hold.
        why: Reason,
    },
    /// At a `hold_out` step: the person is in the group that is held out.
    HeldOut {
        /// The step.
        step: String,
    },
    /// The person was deleted; what the event said is erased with them.
    Deleted,
    /// A step leads to one that is not there; a checked campaign has none.
    Lost {
        /// The step that is not there.
        step: String,
    },
    /// Too many steps without a wait between; a checked campaign has no such loop. Nothing of that move was sent.
    Looping {
        /// The step at which it was stopped.
        step: String,
    },
}

/// What is to be done after the run is stored, in order. Doing it twice does it once: the ids are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    },
}

/// A run's next state, and what to do once it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The run to store, on condition that the stored one is absent (a start) or has one move less.
    pub run: Run,
    /// What to do then; the same as the run's `last_commands`.
    pub commands: Vec<Command>,
}

/// What became of an attempt to go on.
#[derive(Clone, Debug, PartialEq)]
pub enum Advance {
    /// Too early: ask again at this time.
    NotDue {
        /// When the wait is over.
        due_at: Timestamp,
    },
    /// The run is over; nothing to do.
    Ended,
    /// The run moved.
    Moved(Box<Transition>),
}

/// Starts a run: takes its steps up to the first wait, or the end.
///
/// `now` is when the run starts: its first wait counts from here. `lane` is that of its mails ([`Lane::of`]).
#[must_use]
pub fn start(
    published: &Published,
    project: ProjectId,
    user: UserId,
    event: TriggerEvent,
    lane: Lane,
    facts: &Facts<'_>,
    now: Timestamp,
) -> Transition {
    let campaign = &published.campaign;
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
        last_commands: Vec::new(),
    };
    let first = if campaign.steps.is_empty() { Target::End } else { Target::Step(0) };
    run.walk(campaign, facts, first, now, now)
}

impl Run {
    /// The id of the run that an event starts in a campaign.
    #[must_use]
    pub fn id_of(project: &ProjectId, campaign: &CampaignId, event: &EventId) -> RunId {
        RunId::derive(&[project.as_str(), campaign.as_str(), event.as_str()])
    }

    /// Goes on, if it is time: takes steps up to the next wait, or the end.
    ///
    /// `campaign` must be the version the run started with.
    #[must_use]
    pub fn advance(&self, campaign: &Campaign, facts: &Facts<'_>, now: Timestamp) -> Advance {
        let RunState::Waiting { step, due_at } = &self.state else { return Advance::Ended };
        if now < *due_at {
            return Advance::NotDue { due_at: *due_at };
        }
        if !facts.profile.remembers(self.event.at) {
            return Advance::Moved(Box::new(Transition { run: self.erased(now), commands: Vec::new() }));
        }
        let target = campaign.step(step).map_or(Target::Missing(step), |(index, _)| campaign.after(index));
        let next = Self { moves: self.moves.saturating_add(1), ..self.clone() };
        Advance::Moved(Box::new(next.walk(campaign, facts, target, *due_at, now)))
    }

    /// The run of a person who was deleted: over, and without what the event said.
    #[must_use]
    pub fn erased(&self, now: Timestamp) -> Self {
        let state = RunState::Ended { at: now, reason: EndReason::Deleted };
        let event = TriggerEvent { data: Properties::new(), ..self.event.clone() };
        Self { moves: self.moves.saturating_add(1), state, event, last_commands: Vec::new(), ..self.clone() }
    }

    /// When the run wants to be woken; `None` once it is over.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            RunState::Waiting { due_at, .. } => Some(due_at),
            RunState::Ended { .. } => None,
        }
    }

    /// Takes steps from `target` until the run waits or ends. `due_at` is when the first of them was due.
    fn walk<'c>(
        mut self,
        campaign: &'c Campaign,
        facts: &Facts<'_>,
        mut target: Target<'c>,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Transition {
        let mut commands = Vec::new();
        for _ in 0..STEPS_WITHOUT_WAIT {
            match self.take(campaign, facts, target, due_at, now, &mut commands) {
                Taken::On(next) => target = next,
                Taken::Stop(state) => {
                    self.state = state;
                    self.last_commands.clone_from(&commands);
                    return Transition { run: self, commands };
                }
            }
        }
        let step = match target {
            Target::Step(index) => campaign.steps.get(index).map(|step| step.name.clone()).unwrap_or_default(),
            Target::Missing(name) => name.to_owned(),
            Target::End => String::new(),
        };
        self.state = RunState::Ended { at: now, reason: EndReason::Looping { step } };
        self.last_commands.clear();
        Transition { run: self, commands: Vec::new() }
    }

    fn take<'c>(
        &self,
        campaign: &'c Campaign,
        facts: &Facts<'_>,
        target: Target<'c>,
        due_at: Timestamp,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) -> Taken<'c> {
        let ended = |reason| Taken::Stop(RunState::Ended { at: now, reason });
        let (index, step) = match target {
            Target::End => return ended(EndReason::Completed),
            Target::Missing(name) => return ended(EndReason::Lost { step: name.to_owned() }),
            Target::Step(index) => match campaign.steps.get(index) {
                Some(step) => (index, step),
                None => return ended(EndReason::Completed),
            },
        };
        match &step.action {
            Action::Wait { wait } => {
                let due_at = due(*wait, due_at, now);
                commands.push(Command::Wake { due_at, moves: self.moves });
                Taken::Stop(RunState::Waiting { step: step.name.clone(), due_at })
            }
            Action::Send { send, .. } => {
                commands.push(self.send(step, send));
                Taken::On(campaign.after(index))
            }
            Action::Filter { filter, otherwise } => match (decide(filter, facts), otherwise) {
                (Decision::Pass, _) => Taken::On(campaign.after(index)),
                (Decision::Fail(_), Some(name)) => Taken::On(campaign.target(name)),
                (Decision::Fail(why), None) => ended(EndReason::Filtered { step: step.name.clone(), why }),
            },
            Action::Branch { branch, otherwise } => {
                let arm = branch.iter().find(|arm| decide(&arm.when, facts).passed());
                let named = arm.map(|arm| arm.to.as_str()).or(otherwise.as_deref());
                Taken::On(named.map_or_else(|| campaign.after(index), |name| campaign.target(name)))
            }
            Action::Split { split, seed } => {
                let lot = self.lot(seed.as_deref().unwrap_or(&step.name));
                Taken::On(drawn(split, lot).map_or_else(|| campaign.after(index), |share| campaign.target(&share.to)))
            }
            Action::HoldOut { hold_out } if self.lot(&step.name) < hold_out.hundredths() => {
                ended(EndReason::HeldOut { step: step.name.clone() })
            }
            Action::HoldOut { .. } => Taken::On(campaign.after(index)),
            Action::Exit { exit } => ended(EndReason::Exited { step: step.name.clone(), why: exit.clone() }),
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

/// One step taken.
enum Taken<'c> {
    /// Go on there.
    On(Target<'c>),
    /// The run waits or is over.
    Stop(RunState),
}

/// When a wait is over whose step was due at `due_at` and is reached `now`.
fn due(wait: Span, due_at: Timestamp, now: Timestamp) -> Timestamp {
    let forgiven = PUNCTUAL.min(wait.length() / 10);
    let earliest = now.checked_sub(forgiven).unwrap_or(Timestamp::MIN);
    wait.after(due_at.max(earliest))
}

#[cfg(test)]
mod tests;
