//! A call: what a client asked for, checked and accepted, on its way to the profile it concerns.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::email::Email;
use crate::event_name::EventName;
use crate::ids::{CampaignId, EventId, ProjectId, UserId};

/// Properties of a profile or of an event, as the client sent them.
pub type Properties = Map<String, Value>;

/// One accepted call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Names the call; a duplicate has the same id.
    pub id: EventId,
    /// Whose call it is.
    pub project: ProjectId,
    /// The user the call names.
    pub user: UserId,
    /// The call's own time: what the client said, else when it was accepted. It decides between updates.
    pub at: Timestamp,
    /// When `intake` took it.
    pub accepted_at: Timestamp,
    /// What it asks for.
    pub action: Action,
}

/// What a call asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Create or update a profile; properties merge. Recorded as the event `Identified`.
    Identify {
        /// The address, when the call carries one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<Email>,
        /// Properties to set; `null` unsets.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        properties: Properties,
        /// Channels to store.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        channels: Vec<Channel>,
        /// Never create the profile (`extras.update_only`).
        #[serde(default, skip_serializing_if = "is_false")]
        update_only: bool,
    },
    /// Update a profile that exists; never creates one.
    Edit {
        /// Properties to set; `null` unsets.
        changes: Properties,
    },
    /// Add and remove tags; creates nothing.
    Tags {
        /// Tags to add.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        add: Vec<String>,
        /// Tags to remove.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remove: Vec<String>,
    },
    /// No marketing mail from now on.
    Unsubscribe,
    /// Marketing mail again.
    Resubscribe,
    /// The user is called `new_id` from now on; merges when that profile exists.
    Reidentify {
        /// The new id.
        new_id: UserId,
    },
    /// Erase the profile and its activity.
    Delete,
    /// Enter a campaign; creates nothing.
    Enter {
        /// The campaign.
        campaign: CampaignId,
        /// The properties of its trigger event.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        data: Properties,
        /// The date that came, where it is a date that starts the campaign.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        date: Option<Timestamp>,
    },
    /// Something happened; creates the profile if it is missing.
    Track {
        /// What happened.
        name: EventName,
        /// The address, when the call carries one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<Email>,
        /// Profile properties that came inside `identity`.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        properties: Properties,
        /// Properties of the event.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        data: Properties,
        /// Where the event came from (`extras.source`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
        /// The conversion id of a mail's link (`extras.vero_conv`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversion: Option<String>,
        /// It is part of the person's past, and starts nothing (`extras.passive`).
        #[serde(default, skip_serializing_if = "is_false")]
        passive: bool,
    },
}

/// A push channel of a profile; stored, so that nothing a client sends is lost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Channel {
    /// `push`, so far.
    #[serde(rename = "type")]
    pub kind: String,
    /// The device's address.
    pub address: String,
    /// `android` or `ios`.
    pub platform: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}
