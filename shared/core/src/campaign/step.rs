//! A step of a campaign, and where a run goes from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Campaign;
use super::deed::Changes;
use super::listen::{WaitFor, WaitUntil};
use super::share::{Percent, Share};
use super::webhook::Webhook;
use crate::call::Properties;
use crate::condition::Condition;
use crate::event_name::EventName;
use crate::ids::CampaignId;
use crate::span::Span;
use crate::wait::Wait;

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its name, unlike any other in the campaign.
    pub name: String,
    /// What it does.
    pub action: Action,
    /// The step that comes next, where it is not the one below.
    pub next: Option<String>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(transform = super::schema::exactly_one)]
pub enum Action {
    /// Wait.
    Wait {
        /// How long.
        wait: Wait,
    },
    /// Wait for an event.
    WaitFor(WaitFor),
    /// Wait until conditions hold.
    WaitUntil(WaitUntil),
    /// Send a message.
    Send {
        /// The message's name.
        send: String,
        /// Asked just before sending; if one does not hold, this mail is discarded and the run goes on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        conditions: Vec<Condition>,
        /// How long after the step was due the mail is still worth sending; later it is discarded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expire_after: Option<Span>,
    },
    /// Go on only if all conditions hold.
    Filter {
        /// The conditions.
        filter: Vec<Condition>,
        /// The step to go to when one does not hold; without it the run ends.
        #[serde(rename = "else", default, skip_serializing_if = "Option::is_none")]
        otherwise: Option<String>,
    },
    /// Go to the first arm whose conditions hold.
    Branch {
        /// The arms, asked in order.
        branch: Vec<Arm>,
        /// The step to go to when none holds; without it the run goes on below.
        #[serde(rename = "else", default, skip_serializing_if = "Option::is_none")]
        otherwise: Option<String>,
    },
    /// Go to one of several steps by lot: a person's lot is the same each time ([`super::share::lot`]).
    Split {
        /// The shares; together 100 percent.
        split: Vec<Share>,
        /// Splits of a campaign with the same seed draw the same lot; without one, the step's name is the seed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seed: Option<String>,
    },
    /// End the run of so many percent of the people, by a lot that stays the same; the others go on.
    HoldOut {
        /// How many.
        hold_out: Percent,
    },
    /// Change the person's profile.
    Update {
        /// What of it.
        update: Changes,
    },
    /// Track an event of the person.
    Track {
        /// The event.
        #[schemars(schema_with = "super::schema::event_name")]
        track: EventName,
        /// Its properties. A text may be Liquid; one that is only `{{ event.total }}` takes the value as it is.
        #[serde(default, skip_serializing_if = "Properties::is_empty")]
        data: Properties,
    },
    /// Have the person enter another campaign.
    Start {
        /// The campaign.
        #[schemars(schema_with = "super::schema::campaign_id")]
        start: CampaignId,
        /// The properties of its trigger event. A text may be Liquid, as in `track`.
        #[serde(default, skip_serializing_if = "Properties::is_empty")]
        data: Properties,
    },
    /// Call a server on the web, and wait for its answer.
    Webhook {
        /// What is asked of whom.
        webhook: Webhook,
        /// The name by which later steps and templates see the answer: `journey.NAME.status`, `journey.NAME.body.…`.
        #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The step to go to when there is no good answer; without it, the one that comes next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<String>,
    },
    /// End the run.
    Exit {
        /// Why, for the log.
        exit: String,
    },
}

/// One arm of a branch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// All of these must hold.
    pub when: Vec<Condition>,
    /// The step to go to then.
    pub to: String,
}

/// Where a run goes from a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'c> {
    /// To the step with this index.
    Step(usize),
    /// Nowhere: the run is complete.
    End,
    /// To a step that is not there.
    Missing(&'c str),
}

impl Step {
    /// Whether every run that goes from it to one of its targets has waited, or heard what it had not heard before: a wait
    /// that may be over at once does not count.
    #[must_use]
    pub fn passes_time(&self) -> bool {
        match &self.action {
            Action::Wait { wait } => wait.length().is_some(),
            Action::WaitFor(_) => true,
            _ => false,
        }
    }
}

impl Action {
    /// The word that names the action in a file.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Wait { .. } => "wait",
            Self::WaitFor(_) => "wait-for",
            Self::WaitUntil(_) => "wait-until",
            Self::Send { .. } => "send",
            Self::Filter { .. } => "filter",
            Self::Branch { .. } => "branch",
            Self::Split { .. } => "split",
            Self::HoldOut { .. } => "hold-out",
            Self::Update { .. } => "update",
            Self::Track { .. } => "track",
            Self::Start { .. } => "start",
            Self::Webhook { .. } => "webhook",
            Self::Exit { .. } => "exit",
        }
    }
}

impl Campaign {
    /// Where a run goes from the step at `index` when it goes on.
    #[must_use]
    pub fn after(&self, index: usize) -> Target<'_> {
        match self.steps.get(index).and_then(|step| step.next.as_deref()) {
            Some(name) => self.target(name),
            None if index + 1 < self.steps.len() => Target::Step(index + 1),
            None => Target::End,
        }
    }

    /// The step called `name`.
    #[must_use]
    pub fn target<'c>(&self, name: &'c str) -> Target<'c> {
        self.step(name).map_or(Target::Missing(name), |(index, _)| Target::Step(index))
    }

    /// All targets of the step at `index`.
    #[must_use]
    pub fn targets(&self, index: usize) -> Vec<Target<'_>> {
        let below = || self.after(index);
        match self.steps.get(index).map(|step| &step.action) {
            None | Some(Action::Exit { .. }) => vec![Target::End],
            Some(Action::Filter { otherwise, .. }) => {
                vec![below(), otherwise.as_deref().map_or(Target::End, |name| self.target(name))]
            }
            Some(Action::Branch { branch, otherwise }) => {
                let arms = branch.iter().map(|arm| self.target(&arm.to));
                arms.chain([otherwise.as_deref().map_or_else(below, |name| self.target(name))]).collect()
            }
            Some(Action::Split { split, .. }) => split.iter().map(|share| self.target(&share.to)).collect(),
            Some(Action::HoldOut { .. }) => vec![below(), Target::End],
            Some(Action::Wait { wait }) => {
                [below()].into_iter().chain(wait.otherwise().map(|name| self.target(name))).collect()
            }
            Some(action @ (Action::WaitFor(_) | Action::WaitUntil(_) | Action::Webhook { .. })) => {
                action.exits().map(|(_, name)| name.map_or_else(below, |name| self.target(name))).to_vec()
            }
            Some(Action::Send { .. } | Action::Update { .. } | Action::Track { .. } | Action::Start { .. }) => {
                vec![below()]
            }
        }
    }
}
