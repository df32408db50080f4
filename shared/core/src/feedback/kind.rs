//! The kinds of SES events.

use jiff::Timestamp;

use super::subtype::{BounceType, ComplaintSubType, ComplaintType, DelayType};

/// What happened to a mail.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedbackKind {
    /// SES accepted it and will try. With our tag it settles a send of unknown outcome.
    Send,
    /// The recipient's server took it.
    Delivery {
        /// What that server said.
        smtp_response: Option<String>,
        /// Milliseconds from SES's acceptance to the hand-over.
        processing_millis: Option<u64>,
    },
    /// It came back, and SES will not try again.
    Bounce(Bounce),
    /// The recipient, or their provider, complained.
    Complaint(Complaint),
    /// SES accepted it, found a virus and did not send it.
    Reject {
        /// `Bad content`, so far.
        reason: String,
    },
    /// It was shown (SES's own pixel; ours arrives as an interaction).
    Open {
        /// The reader's program.
        user_agent: Option<String>,
    },
    /// A link was followed (SES's own redirect; ours arrives as an interaction).
    Click {
        /// The link.
        link: String,
        /// The reader's program.
        user_agent: Option<String>,
    },
    /// It is late; SES goes on trying.
    DeliveryDelay {
        /// Why.
        kind: DelayType,
        /// When SES gives up.
        expires_at: Option<Timestamp>,
    },
    /// SES could not render its own template (we send finished mail, so never ours).
    RenderingFailure {
        /// The template.
        template: String,
        /// What is wrong with it.
        error: String,
    },
    /// The recipient changed their choice on a contact list of SES.
    Subscription(Subscription),
    /// An event that SES did not document when this was written.
    Unknown {
        /// Its name.
        name: String,
    },
}

/// A bounce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounce {
    /// Its type and subtype.
    pub kind: BounceType,
    /// The status code of the first recipient's report, such as `5.1.1`.
    pub status: Option<String>,
    /// What the first recipient's server said.
    pub diagnostic: Option<String>,
}

/// A complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// What the provider's report says; most say `abuse`, some nothing.
    pub kind: Option<ComplaintType>,
    /// Whether SES did not even try.
    pub subtype: Option<ComplaintSubType>,
    /// The program that made the report.
    pub user_agent: Option<String>,
}

/// A choice on a contact list of SES.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The list.
    pub contact_list: String,
    /// Where the choice was made, such as `UnsubscribeHeader`.
    pub source: Option<String>,
    /// Whether it was for all topics.
    pub unsubscribe_all: bool,
    /// Topics left.
    pub opted_out: Vec<String>,
    /// Topics joined.
    pub opted_in: Vec<String>,
}

/// Why an address may not be mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// It bounced for good.
    HardBounce,
    /// Its owner complained.
    Complaint,
}

impl SuppressionReason {
    /// The reason's name, as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HardBounce => "hard_bounce",
            Self::Complaint => "complaint",
        }
    }
}

impl FeedbackKind {
    /// Whether the address may not be mailed again: after any permanent bounce (SES: "remove the address
    /// from your mailing list") and after a complaint, unless the report says that it was no spam.
    #[must_use]
    pub fn suppresses(&self) -> Option<SuppressionReason> {
        match self {
            Self::Bounce(bounce) => match bounce.kind {
                BounceType::Permanent(_) => Some(SuppressionReason::HardBounce),
                BounceType::Transient(_) | BounceType::Undetermined | BounceType::Unknown { .. } => None,
            },
            Self::Complaint(complaint) => {
                (complaint.kind != Some(ComplaintType::NotSpam)).then_some(SuppressionReason::Complaint)
            }
            Self::Send
            | Self::Delivery { .. }
            | Self::Reject { .. }
            | Self::Open { .. }
            | Self::Click { .. }
            | Self::DeliveryDelay { .. }
            | Self::RenderingFailure { .. }
            | Self::Subscription(_)
            | Self::Unknown { .. } => None,
        }
    }

    /// Whether it is a bounce that may pass: five in a row within 30 days unsubscribe.
    #[must_use]
    pub fn is_soft_bounce(&self) -> bool {
        matches!(self, Self::Bounce(bounce) if !matches!(bounce.kind, BounceType::Permanent(_)))
    }

    /// Whether SES must have accepted the mail for this to happen: it settles a send of unknown outcome.
    #[must_use]
    pub fn proves_acceptance(&self) -> bool {
        match self {
            Self::Send
            | Self::Delivery { .. }
            | Self::Bounce(_)
            | Self::Complaint(_)
            | Self::Reject { .. }
            | Self::Open { .. }
            | Self::Click { .. }
            | Self::DeliveryDelay { .. } => true,
            Self::RenderingFailure { .. } | Self::Subscription(_) | Self::Unknown { .. } => false,
        }
    }

    /// The kind's name, for logs, counters and the activity of a profile.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Send => "send",
            Self::Delivery { .. } => "delivery",
            Self::Bounce(_) => "bounce",
            Self::Complaint(_) => "complaint",
            Self::Reject { .. } => "reject",
            Self::Open { .. } => "open",
            Self::Click { .. } => "click",
            Self::DeliveryDelay { .. } => "delivery_delay",
            Self::RenderingFailure { .. } => "rendering_failure",
            Self::Subscription(_) => "subscription",
            Self::Unknown { name } => name,
        }
    }
}
