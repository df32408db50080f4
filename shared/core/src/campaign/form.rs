//! The form of a campaign in a file and in store, and how it becomes a [`Campaign`] with one list of named steps.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, Awaited, Body, Campaign, EntryRule, Exits, Kind, Message, Step, Trigger};
use crate::condition::Condition;
use crate::ids::CampaignId;
use crate::span::Span;
use crate::wait::Wait;

/// The name of the one message of a campaign that is not a workflow.
pub(super) const ONLY: &str = "message";

/// A dunlin campaign: transactional, behavioural or a workflow.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "dunlin campaign")]
pub(super) struct Form {
    /// `cmp_` and letters, digits or dashes; made from the file's name where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::schema::campaign_id")]
    pub(super) id: Option<CampaignId>,
    /// The campaign's name for people.
    pub(super) name: String,
    /// What kind it is.
    pub(super) kind: Kind,
    /// What starts it.
    pub(super) trigger: Trigger,
    /// How often the same person may enter; without it, every time.
    #[serde(default, skip_serializing_if = "EntryRule::is_empty")]
    pub(super) entry: EntryRule,
    /// Who its mails are from, in Liquid: `Ann <ann@example.com>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    /// Where answers go, in Liquid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reply_to: Option<String>,
    /// Of a workflow: mail people who unsubscribed from marketing, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) transactional: bool,
    /// Asked just before each of its mails is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) conditions: Vec<Condition>,
    /// Of a workflow: the event that it is there to bring about. It is recorded of each run that sees it after its trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) goal: Option<Awaited>,
    /// Of a workflow: what ends a run early, asked before its steps.
    #[serde(default, skip_serializing_if = "Exits::is_empty")]
    pub(super) exits: Exits,
    /// Not of a workflow: how long after the trigger the message is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) wait: Option<Wait>,
    /// Not of a workflow: how long after it was due the message is still worth sending; later it is discarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expire_after: Option<Span>,
    /// Not of a workflow: the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<Message>,
    /// Of a workflow: its messages by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) messages: BTreeMap<String, Message>,
    /// Of a workflow: its steps, from first to last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) steps: Vec<StepForm>,
    /// Partials for `{% render 'name' %}`; those in the folder `partials` need not be here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) partials: BTreeMap<String, Body>,
}

/// One step: exactly one of `wait`, `wait_for`, `wait_until`, `send`, `filter`, `branch`, `split`,
/// `hold_out`, `update`, `track`, `start`, `webhook` and `exit`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Step", extend("unevaluatedProperties" = false))]
pub(super) struct StepForm {
    /// The step's name; a `send` is called like its message, others `wait-2` by their place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// What it does.
    #[serde(flatten)]
    action: Action,
    /// The name of the step that comes next, where it is not the one below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Why a form that fits the schema is not a campaign. The text says where, what and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}; {mend}")]
pub struct FormError {
    pub(super) path: &'static str,
    pub(super) what: String,
    pub(super) mend: String,
}

/// The first key that does not belong to the kind, or that the kind needs.
pub(super) fn misfit(form: &Form) -> Option<FormError> {
    let error = |path, what: &str, mend: &str| Some(FormError { path, what: what.to_owned(), mend: mend.to_owned() });
    if form.id.is_none() {
        return error("id", "the campaign has no id", "add a line like `id: cmp_welcome`");
    }
    let several = !form.messages.is_empty() || !form.steps.is_empty();
    match form.kind {
        Kind::Workflow if form.message.is_some() => error(
            "message",
            "a workflow has no `message`",
            "put it under `messages` with a name, and add a step `send: NAME`",
        ),
        Kind::Workflow if form.wait.is_some() => error("wait", "a workflow has no `wait` of its own", "make it a step"),
        Kind::Workflow if form.expire_after.is_some() => {
            error("expire_after", "a workflow has no `expire_after` of its own", "put it into the `send` step")
        }
        Kind::Workflow if form.steps.is_empty() => {
            error("steps", "a workflow needs at least one step", "add `steps:` with a step like `- send: NAME`")
        }
        Kind::Workflow => None,
        _ if several => error(
            if form.steps.is_empty() { "messages" } else { "steps" },
            "only a workflow has steps and several messages",
            "write `kind: workflow`, or keep one `message`",
        ),
        _ if form.goal.is_some() || !form.exits.is_empty() => error(
            if form.goal.is_some() { "goal" } else { "exits" },
            "only a workflow has a goal and exits",
            "write `kind: workflow`, or remove it",
        ),
        _ if form.transactional => error(
            "transactional",
            "only a workflow is made transactional this way",
            "remove the line, or write `kind: transactional`",
        ),
        _ if form.message.is_none() => error(
            "message",
            "the campaign has no message",
            "add `message:` with a `subject` and an `html` or `text` body",
        ),
        _ => None,
    }
}

impl TryFrom<Form> for Campaign {
    type Error = FormError;
    fn try_from(form: Form) -> Result<Self, FormError> {
        if let Some(error) = misfit(&form) {
            return Err(error);
        }
        let missing = FormError { path: "id", what: "the campaign has no id".to_owned(), mend: "add one".to_owned() };
        let (mut messages, mut steps) = (form.messages, form.steps);
        if let Some(message) = form.message {
            let step = |action| StepForm { name: None, action, next: None };
            steps.extend(form.wait.map(|wait| step(Action::Wait { wait })));
            let expire_after = form.expire_after;
            steps.push(step(Action::Send { send: ONLY.to_owned(), conditions: Vec::new(), expire_after }));
            messages.insert(ONLY.to_owned(), message);
        }
        Ok(Self {
            id: form.id.ok_or(missing)?,
            name: form.name,
            kind: form.kind,
            trigger: form.trigger,
            entry: form.entry,
            from: form.from,
            reply_to: form.reply_to,
            transactional: form.transactional,
            conditions: form.conditions,
            goal: form.goal,
            exits: form.exits,
            messages,
            steps: named(steps),
            partials: form.partials,
        })
    }
}

/// Gives every step a name. Names given twice stay, for [`super::check`] to refuse.
fn named(steps: Vec<StepForm>) -> Vec<Step> {
    let mut taken: BTreeSet<String> = steps.iter().filter_map(|step| step.name.clone()).collect();
    let mut list = Vec::with_capacity(steps.len());
    for (index, StepForm { name, action, next }) in steps.into_iter().enumerate() {
        let name = name.unwrap_or_else(|| {
            let numbered = format!("{}-{}", action.word(), index + 1);
            let wanted = match &action {
                Action::Send { send, .. } if !taken.contains(send) => send.clone(),
                _ => numbered,
            };
            let mut free = wanted;
            while !taken.insert(free.clone()) {
                free.push_str("-again");
            }
            free
        });
        list.push(Step { name, action, next });
    }
    list
}

impl From<Campaign> for Form {
    fn from(mut campaign: Campaign) -> Self {
        let mut form = Self {
            id: Some(campaign.id),
            name: campaign.name,
            kind: campaign.kind,
            trigger: campaign.trigger,
            entry: campaign.entry,
            from: campaign.from,
            reply_to: campaign.reply_to,
            transactional: campaign.transactional,
            conditions: campaign.conditions,
            goal: campaign.goal,
            exits: campaign.exits,
            wait: None,
            expire_after: None,
            message: None,
            messages: BTreeMap::new(),
            steps: Vec::new(),
            partials: campaign.partials,
        };
        if campaign.kind == Kind::Workflow {
            form.messages = campaign.messages;
            form.steps = campaign
                .steps
                .into_iter()
                .map(|Step { name, action, next }| StepForm { name: Some(name), action, next })
                .collect();
        } else {
            form.message = campaign.messages.remove(ONLY);
            for step in campaign.steps {
                match step.action {
                    Action::Wait { wait } => form.wait = Some(wait),
                    Action::Send { expire_after, .. } => form.expire_after = expire_after,
                    _ => {}
                }
            }
        }
        form
    }
}
