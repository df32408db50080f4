//! What SES and the recipients tell us about a mail we sent.
//!
//! SES publishes one JSON record per event through SNS to the `feedback` queue. [`Arrival::parse`] reads a
//! record with or without SNS's envelope, and the interactions that `link` queues. Every event type and
//! subtype that SES documents is a case of a closed enum; one that it adds later is kept as `Unknown` with
//! its name, and is never an error. Source: SES developer guide, "Contents of event data that Amazon SES
//! publishes to Amazon SNS".

mod interaction;
mod kind;
mod record;
mod subtype;

use jiff::Timestamp;

use crate::ids::{CampaignId, DeliveryId, ProjectId};

pub use interaction::{Interaction, InteractionKind};
pub use kind::{Bounce, Complaint, FeedbackKind, Subscription, SuppressionReason};
pub use subtype::{BounceType, ComplaintSubType, ComplaintType, DelayType, PermanentBounce, TransientBounce};

/// What one message of the `feedback` queue says.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrival {
    /// An event of SES.
    Ses(Box<Feedback>),
    /// An open or a click that `link` served.
    Interaction(Interaction),
}

/// One event of SES.
#[derive(Clone, Debug, PartialEq)]
pub struct Feedback {
    /// What happened.
    pub kind: FeedbackKind,
    /// When, by SES's clock; when SES does not say, when we received it.
    pub at: Timestamp,
    /// SES's id of the mail (`SendEmail`'s answer); empty where the record has no mail.
    pub ses_message_id: String,
    /// The project, from our tag.
    pub project: Option<ProjectId>,
    /// The mail, from our tag. Without it the event is not about a mail of ours.
    pub delivery: Option<DeliveryId>,
    /// The campaign, from our tag.
    pub campaign: Option<CampaignId>,
    /// The addresses that the event is about, as SES writes them.
    pub recipients: Vec<String>,
}

/// A message that is neither an event of SES nor an interaction: poison.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackError {
    /// Not JSON, or not of a form we know.
    #[error("the feedback does not parse")]
    Json(#[from] serde_json::Error),
    /// JSON, but no event.
    #[error("the feedback names no event type")]
    NoType,
}

impl Arrival {
    /// Reads a message of the `feedback` queue.
    ///
    /// # Errors
    /// When it is neither an event of SES nor an interaction. An event or subtype we do not know is not an error.
    pub fn parse(text: &str, received_at: Timestamp) -> Result<Self, FeedbackError> {
        record::parse(text, received_at)
    }
}

impl Feedback {
    /// Reads an event of SES, with or without SNS's envelope.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(text: &str, received_at: Timestamp) -> Result<Self, FeedbackError> {
        match Arrival::parse(text, received_at)? {
            Arrival::Ses(feedback) => Ok(*feedback),
            Arrival::Interaction(_) => Err(FeedbackError::NoType),
        }
    }

    /// Whether the recipients' addresses may not be mailed again, and why.
    #[must_use]
    pub fn suppresses(&self) -> Option<SuppressionReason> {
        self.kind.suppresses()
    }
}

#[cfg(test)]
mod tests;
