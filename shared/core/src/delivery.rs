//! A delivery: one mail to one person, from the decision to send it to what became of it.
//!
//! ```text
//!            ┌─────── again ◄──────┐ certainly not sent, may work later
//!            ▼                      │
//! (nothing) ─► claimed ─────────────┴─► sent
//!    │          │  │  ▲
//!    │          │  │  └── when SES stays silent, a transactional mail is claimed again
//!    │          │  └─► unknown ─► sent (SES's own send event) │ not sent (marketing, when SES stays silent)
//!    └──────────┴─► not sent, with the reason
//! ```

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::email::Email;
use crate::event_name::EventName;
use crate::feedback::SuppressionReason;
use crate::ids::{CampaignId, DeliveryId, EventId, ProjectId, RunId, UserId};

/// How long a claim may be under way before its outcome counts as unknown: longer than `send` may run in all.
pub const CLAIM: SignedDuration = SignedDuration::from_mins(2);
/// How long SES's own send event may take before policy decides: it usually comes within seconds, and an hour
/// late is already rare.
pub const SILENCE: SignedDuration = SignedDuration::from_mins(15);
/// Entries of history up to which opens and clicks are noted, since they repeat without end; what SES says is always.
const HISTORY: usize = 50;
/// What recipients do again and again.
const REPEATED: [&str; 2] = ["opened", "clicked"];

/// One mail to one person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id, derived from what caused it.
    pub id: DeliveryId,
    /// Whose mail it is.
    pub project: ProjectId,
    /// The id of the user when the mail was decided.
    pub user: UserId,
    /// The campaign.
    pub campaign: CampaignId,
    /// The campaign's version.
    pub version: u32,
    /// The step in it.
    pub step: String,
    /// The run, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The call that triggered it, and the event's name.
    pub trigger: (EventId, EventName),
    /// The address it goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Email>,
    /// The subject as sent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// What became of it.
    pub state: State,
    /// Claims made so far.
    #[serde(default)]
    pub attempts: u32,
    /// What happened, in the order in which we heard of it.
    #[serde(default)]
    pub history: Vec<Entry>,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    /// A `send` is at it.
    Claimed {
        /// Since when.
        at: Timestamp,
    },
    /// SES has it.
    Sent {
        /// When SES answered, or said so later.
        at: Timestamp,
        /// SES's message id.
        ses_id: Option<String>,
    },
    /// SES may have it.
    Unknown {
        /// When the outcome was lost.
        at: Timestamp,
    },
    /// SES does not have it; it may be claimed again.
    Again {
        /// When the attempt failed.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// It was not sent and will not be.
    NotSent {
        /// When that was decided.
        at: Timestamp,
        /// Why.
        reason: Reason,
    },
}

/// Why a mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", content = "detail", rename_all = "snake_case")]
pub enum Reason {
    /// There is no such profile any more.
    Deleted,
    /// The person has unsubscribed from marketing mail.
    Unsubscribed,
    /// The profile has no valid address.
    NoAddress,
    /// The address bounced or complained before.
    Suppressed(SuppressionReason),
    /// It was no longer worth sending: later than its step's `expire_after`.
    Expired,
    /// A condition of the mail was not met: which.
    Condition(String),
    /// The mail came out without a subject, sender or body.
    Empty(String),
    /// The template failed for this person: where and why.
    Template(String),
    /// The campaign's version is gone.
    NoCampaign,
    /// SES refused it for good.
    Refused(String),
    /// The outcome stayed unknown, and a second mail would be worse than none.
    Unknown,
}

impl Reason {
    /// The reason in one word, for programs and logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Unsubscribed => "unsubscribed",
            Self::NoAddress => "no_address",
            Self::Suppressed(_) => "suppressed",
            Self::Expired => "expired",
            Self::Condition(_) => "condition",
            Self::Empty(_) => "empty",
            Self::Template(_) => "template",
            Self::NoCampaign => "no_campaign",
            Self::Refused(_) => "refused",
            Self::Unknown => "unknown",
        }
    }

    /// Whether something went wrong, rather than a rule deciding against the mail.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Template(_) | Self::NoCampaign | Self::Refused(_) | Self::Unknown)
    }
}

/// One entry of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened.
    pub at: Timestamp,
    /// What: `sent`, `delivered`, `bounced`, `complained`, `opened`, `clicked`, ….
    pub what: String,
    /// More about it: a bounce's diagnosis, a click's link.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// What `send` may do with a delivery it finds in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Claim it.
    Claim,
    /// Somebody is at it, or SES may still speak: look again at that instant.
    Wait(Timestamp),
    /// The claim has expired: the outcome is unknown from now on.
    Lost,
    /// The silence is over: policy decides.
    Resolve,
    /// Nothing is left to do.
    Done,
}

impl Delivery {
    /// What `send` may do now.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Next {
        match self.state {
            State::Again { .. } => Next::Claim,
            State::Claimed { at } if now < at + CLAIM => Next::Wait(at + CLAIM),
            State::Claimed { .. } => Next::Lost,
            State::Unknown { at } if now < at + SILENCE => Next::Wait(at + SILENCE),
            State::Unknown { .. } => Next::Resolve,
            State::Sent { .. } | State::NotSent { .. } => Next::Done,
        }
    }

    /// Adds to the history; the same entry again, or one beyond the bound, changes nothing. Whether it changed.
    pub fn note(&mut self, at: Timestamp, what: &str, detail: &str) -> bool {
        let entry = Entry { at, what: what.to_owned(), detail: detail.chars().take(500).collect() };
        let full = self.history.len() >= HISTORY && REPEATED.contains(&what);
        if full || self.history.contains(&entry) {
            return false;
        }
        self.history.push(entry);
        true
    }

    /// SES says that it has the mail.
    pub fn confirm(&mut self, at: Timestamp, ses_id: &str) -> bool {
        if matches!(self.state, State::Sent { .. } | State::NotSent { reason: Reason::Refused(_), .. }) {
            return false;
        }
        self.state = State::Sent { at, ses_id: Some(ses_id.to_owned()) };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(state: State) -> Delivery {
        Delivery {
            id: DeliveryId::derive(&["d"]),
            project: ProjectId::derive(&["p"]),
            user: UserId::parse("ann").expect("an id"),
            campaign: CampaignId::derive(&["c"]),
            version: 1,
            step: "one".into(),
            run: None,
            trigger: (EventId::derive(&["e"]), EventName::parse("Signed up").expect("a name")),
            to: None,
            subject: String::new(),
            state,
            attempts: 1,
            history: vec![],
        }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + minute * 60).expect("an instant")
    }

    #[test]
    fn a_claim_is_left_alone_until_it_has_expired_and_then_its_outcome_is_unknown() {
        let claimed = delivery(State::Claimed { at: at(0) });
        assert_eq!(claimed.next(at(1)), Next::Wait(at(2)));
        assert_eq!(claimed.next(at(2)), Next::Lost);
    }

    #[test]
    fn an_unknown_outcome_waits_for_ses_before_policy_decides() {
        let unknown = delivery(State::Unknown { at: at(0) });
        assert_eq!(unknown.next(at(14)), Next::Wait(at(15)));
        assert_eq!(unknown.next(at(15)), Next::Resolve);
    }

    #[test]
    fn the_send_event_resolves_an_unknown_outcome_once() {
        let mut unknown = delivery(State::Unknown { at: at(0) });
        assert!(unknown.confirm(at(1), "ses-1"));
        assert!(!unknown.confirm(at(2), "ses-2"));
        assert_eq!(unknown.state, State::Sent { at: at(1), ses_id: Some("ses-1".into()) });
    }

    #[test]
    fn a_history_stays_bounded_however_often_a_mail_is_opened_and_still_takes_a_complaint() {
        let mut sent = delivery(State::Sent { at: at(0), ses_id: None });
        for minute in 0..1_000 {
            sent.note(at(minute), "opened", "");
        }
        assert_eq!(sent.history.len(), HISTORY);
        assert!(!sent.note(at(0), "opened", ""));
        assert!(sent.note(at(0), "complained", ""));
    }
}
