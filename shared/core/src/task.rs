//! Tasks: the texts on our queues. One JSON object each, tagged with the version of its form, in
//! characters that SQS takes.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::call::{Call, Properties};
use crate::campaign::Campaign;
use crate::hook;
use crate::ids::{CampaignId, DeliveryId, EventId, ProjectId, RunId, UserId};
use crate::run::Slot;

/// A queue text we cannot read: poison, to be parked with this reason.
#[derive(Debug, thiserror::Error)]
#[error("the task does not parse")]
pub struct TaskError(#[from] serde_json::Error);

/// The version of the forms below; a reader takes every version ever written (`tests/wire`).
pub const VERSION: u32 = 1;

/// On `events`: calls of one user, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calls {
    /// The form's version.
    pub v: u32,
    /// One call or more, all of one user of one project.
    pub calls: Vec<Call>,
}

/// On `steps`: a hint that a run may be due. The run's row is the truth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The form's version.
    pub v: u32,
    /// Whose run it is.
    pub project: ProjectId,
    /// The run.
    pub run: RunId,
    /// The run's count of moves when the hint was given: an older hint is stale.
    pub moves: u32,
    /// When the run wants to be woken.
    pub due_at: jiff::Timestamp,
    /// Whether it is to look at the person's past: something may have come that it waits for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub look: bool,
    /// Its turn among those that were overdue when the campaign was resumed, once it has drawn one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// What came of the webhook that the run waits for, where `hook` gives the hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Box<hook::Answer>>,
}

/// On `hooks`: one request to make for a run. Its answer comes back as a [`Step`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The form's version.
    pub v: u32,
    /// Whose run it is.
    pub project: ProjectId,
    /// The run.
    pub run: RunId,
    /// The run's count of moves while it waits for the answer.
    pub moves: u32,
    /// The request.
    pub request: hook::Request,
    /// Tries before this one.
    #[serde(default)]
    pub tries: u32,
    /// After which no try is made any more.
    pub until: jiff::Timestamp,
}

/// The lane that a mail waits in: each is a queue of its own with its own concurrency, so that no lane waits for
/// another (`docs/adr/0009-fairness.md`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Mails of transactional campaigns, however their calls came.
    Transactional,
    /// Mails of all other campaigns.
    #[default]
    Triggered,
    /// The same, where the call came by the second intake lane: the project was over its soft quota.
    Backlog,
}

impl Lane {
    /// The lane of a campaign's mails, when the call that started the run came by the second intake lane (`backlog`) or
    /// the first.
    #[must_use]
    pub fn of(campaign: &Campaign, backlog: bool) -> Self {
        match (campaign.ignores_unsubscribes(), backlog) {
            (true, _) => Self::Transactional,
            (false, false) => Self::Triggered,
            (false, true) => Self::Backlog,
        }
    }

    /// Whether it is the lane that a text without one is in.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
    pub(crate) fn is_triggered(&self) -> bool {
        *self == Self::Triggered
    }
}

/// On the queues of `send`: one mail to decide, render and send.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Send {
    /// The form's version.
    pub v: u32,
    /// Whose mail it is.
    pub project: ProjectId,
    /// The mail.
    pub delivery: DeliveryId,
    /// The user it goes to.
    pub user: UserId,
    /// The campaign and the version of it that the run keeps.
    pub campaign: CampaignId,
    /// See `campaign`.
    pub version: u32,
    /// The step's name in the campaign.
    pub step: String,
    /// The run, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// What triggered it.
    pub event: TriggerEvent,
    /// The lane it waits in, for as long as it waits.
    #[serde(default, skip_serializing_if = "Lane::is_triggered")]
    pub lane: Lane,
    /// What the run had gathered on its way, by name.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub journey: Properties,
    /// From when on it is not worth sending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<jiff::Timestamp>,
}

/// The event that started a run, as templates and conditions see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriggerEvent {
    /// The call it came with.
    pub id: EventId,
    /// Its name as written.
    pub name: crate::event_name::EventName,
    /// When it happened.
    pub at: jiff::Timestamp,
    /// Its properties.
    #[serde(default)]
    pub data: Properties,
}

/// A task as queue text: JSON in which the characters that SQS refuses are escaped.
///
/// SQS takes `#x9 #xA #xD #x20–#xD7FF #xE000–#xFFFD #x10000–#x10FFFF`. JSON itself escapes what is below
/// `#x20`, and Rust strings hold no surrogates, so `#xFFFE` and `#xFFFF` are left; outside strings JSON has neither.
///
/// # Errors
/// Never for the tasks of this module; serde's signature says it might.
pub fn to_text<T: Serialize>(task: &T) -> Result<String, TaskError> {
    let text = serde_json::to_string(task)?;
    if text.contains(['\u{fffe}', '\u{ffff}']) {
        return Ok(text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"));
    }
    Ok(text)
}

/// Reads a task.
///
/// # Errors
/// When the text is not a task of that kind.
pub fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, TaskError> {
    Ok(serde_json::from_str(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives_a_queue_that_takes_only_xml_characters() -> Result<(), TaskError> {
        let every: String = (0..=0x0010_ffff).filter_map(char::from_u32).collect();
        let text = to_text(&every)?;
        let legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}');
        assert!(text.chars().all(legal));
        assert_eq!(from_text::<String>(&text)?, every);
        Ok(())
    }

    #[test]
    fn a_number_of_any_length_is_the_same_behind_every_queue() -> Result<(), TaskError> {
        for digit in ["3", "6", "7"] {
            for length in 1..300 {
                let sent: serde_json::Value = from_text(&digit.repeat(length))?;
                assert_eq!(from_text::<serde_json::Value>(&to_text(&sent)?)?, sent);
            }
        }
        Ok(())
    }
}
