//! A campaign: what a marketer makes. One YAML file and the bodies beside it, read by [`parse`], checked by
//! [`check`], stored as one self-contained JSON document of the same form (templates and partials inside).
//!
//! Whatever its kind, a campaign is a list of steps: a transactional or behavioural campaign is `wait`, then `send`.

mod arms;
mod body;
mod check;
mod deed;
mod entering;
mod entry;
mod form;
mod graph;
mod journey;
mod listen;
mod locate;
mod parse;
pub(crate) mod problem;
pub mod schema;
mod sense;
mod shape;
pub mod share;
mod step;
mod templates;
mod values;
mod webhook;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use body::Body;
pub use check::check;
pub use deed::Changes;
pub(crate) use entry::all;
pub use entry::{Again, EntryRule, On, Trigger};
pub use form::FormError;
pub(crate) use listen::Misfit;
pub use listen::{Awaited, Exits, WaitFor, WaitUntil};
pub use parse::{Folder, checked, folder, from_json, is_campaign, parse};
pub use problem::{Problem, Severity};
pub use schema::schema;
pub use step::{Action, Arm, Step, Target};
#[cfg(test)]
pub(crate) use templates::FIELDS;
pub use templates::VARIABLES;
pub(crate) use templates::is_liquid;
pub use webhook::Webhook;

use crate::condition::{self, Condition, Decision, Facts};
use crate::ids::CampaignId;

/// A campaign, with everything it needs inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "form::Form", into = "form::Form")]
pub struct Campaign {
    /// Its id: the same through all versions.
    pub id: CampaignId,
    /// Its name for people.
    pub name: String,
    /// What kind it is.
    pub kind: Kind,
    /// What starts it.
    pub trigger: Trigger,
    /// How often the same person may enter.
    pub entry: EntryRule,
    /// Who its mails are from, in Liquid, unless a message says otherwise.
    pub from: Option<String>,
    /// Where answers go, in Liquid, unless a message says otherwise.
    pub reply_to: Option<String>,
    /// Whether its mails go to people who unsubscribed from marketing.
    pub transactional: bool,
    /// Asked just before each of its mails is sent.
    pub conditions: Vec<Condition>,
    /// The event that it is there to bring about; recorded of each run that sees it.
    pub goal: Option<Awaited>,
    /// What ends a run early.
    pub exits: Exits,
    /// Its messages by name.
    pub messages: BTreeMap<String, Message>,
    /// Its steps, each with a name of its own; the first one begins.
    pub steps: Vec<Step>,
    /// The partials that its templates render, by name.
    pub partials: BTreeMap<String, Body>,
}

/// What kind of campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One mail on an event, also to people who unsubscribed from marketing.
    Transactional,
    /// One mail on an event, to people who did not unsubscribe.
    Behavioural,
    /// Steps on an event.
    Workflow,
}

/// Subject and body, before personalisation. All texts are Liquid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who it is from: `Ann <ann@example.com>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Where answers go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// The subject. A result without text discards the mail.
    pub subject: String,
    /// What an inbox shows beside the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preheader: Option<String>,
    /// The HTML part. Values are escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<Body>,
    /// The text part; made from the HTML part where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Body>,
    /// Asked just before this message is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// What one `send` step sends.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'c> {
    /// The message's name.
    pub name: &'c str,
    /// The message.
    pub message: &'c Message,
    /// Who it is from, in Liquid: the message's own, else the campaign's.
    pub from: Option<&'c str>,
    /// Where answers go, in Liquid: the message's own, else the campaign's.
    pub reply_to: Option<&'c str>,
    campaign: &'c Campaign,
    step: &'c Step,
}

impl Campaign {
    /// Whether its mails go to people who unsubscribed from marketing.
    #[must_use]
    pub fn ignores_unsubscribes(&self) -> bool {
        self.transactional || self.kind == Kind::Transactional
    }

    /// A step by its name, with its place in the list.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<(usize, &Step)> {
        self.steps.iter().enumerate().find(|(_, step)| step.name == name)
    }

    /// The sources of its partials by name, as a renderer wants them.
    #[must_use]
    pub fn partial_sources(&self) -> BTreeMap<String, String> {
        self.partials.iter().map(|(name, body)| (name.clone(), body.text.clone())).collect()
    }

    /// What the step of this name sends; `None` where there is no such step, it does not send, or its message is missing.
    #[must_use]
    pub fn sending(&self, step: &str) -> Option<Sending<'_>> {
        let (_, step) = self.step(step)?;
        let Action::Send { send, .. } = &step.action else { return None };
        let (name, message) = self.messages.get_key_value(send)?;
        let from = message.from.as_deref().or(self.from.as_deref());
        let reply_to = message.reply_to.as_deref().or(self.reply_to.as_deref());
        Some(Sending { name, message, from, reply_to, campaign: self, step })
    }
}

impl Sending<'_> {
    /// Asks the conditions of the campaign, of the step and of the message, in this order. To be asked just before sending.
    #[must_use]
    pub fn decide(&self, facts: &Facts<'_>) -> Decision {
        let own = match &self.step.action {
            Action::Send { conditions, .. } => conditions.as_slice(),
            _ => &[],
        };
        condition::decide(self.campaign.conditions.iter().chain(own).chain(&self.message.conditions), facts)
    }
}

#[cfg(test)]
mod tests;
