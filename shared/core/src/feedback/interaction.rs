//! Opens, clicks and unsubscribes that `link` served, as tasks on the `feedback` queue.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{DeliveryId, ProjectId};

/// What a recipient did with a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// The form's version ([`crate::task::VERSION`]).
    pub v: u32,
    /// Whose mail it is.
    pub project: ProjectId,
    /// The mail.
    pub delivery: DeliveryId,
    /// What.
    pub kind: InteractionKind,
    /// When.
    pub at: Timestamp,
    /// Where the click went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The reader's program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// What the recipient did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InteractionKind {
    /// Loaded the open pixel.
    Open,
    /// Followed a link.
    Click,
    /// Unsubscribed by this mail's link. Only for the mail's own history and its campaign's report: what
    /// unsubscribes the person is the call that `link` queues.
    Unsubscribe,
}
