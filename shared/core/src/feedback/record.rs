//! The records as they arrive. Lenient: SES may add fields, leave fields out, and name new things.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::kind::{Bounce, Complaint, FeedbackKind, Subscription};
use super::subtype::{BounceType, ComplaintSubType, ComplaintType, DelayType};
use super::{Arrival, Feedback, FeedbackError, Interaction};
use crate::mail::{CAMPAIGN_TAG, DELIVERY_TAG, PROJECT_TAG};

/// SNS's envelope, an event of SES, or a task of ours: told apart by the fields they have.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "Type")]
    sns_type: Option<String>,
    #[serde(rename = "Message")]
    sns_message: Option<String>,
    v: Option<u32>,
    #[serde(rename = "eventType", alias = "notificationType")]
    event_type: Option<String>,
    mail: Option<Mail>,
    bounce: Option<BounceDetail>,
    complaint: Option<ComplaintDetail>,
    delivery: Option<Value>,
    reject: Option<Detail>,
    open: Option<Detail>,
    click: Option<Detail>,
    #[serde(alias = "renderingFailure")]
    failure: Option<Detail>,
    #[serde(rename = "deliveryDelay")]
    delivery_delay: Option<DelayDetail>,
    subscription: Option<SubscriptionDetail>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Mail {
    timestamp: Option<Timestamp>,
    message_id: String,
    destination: Vec<String>,
    tags: BTreeMap<String, Vec<String>>,
}

/// The fields of the small details: delivery, reject, open, click, rendering failure.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Detail {
    timestamp: Option<Timestamp>,
    recipients: Vec<String>,
    smtp_response: Option<String>,
    processing_time_millis: Option<u64>,
    reason: Option<String>,
    user_agent: Option<String>,
    link: Option<String>,
    template_name: Option<String>,
    error_message: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Recipient {
    email_address: String,
    status: Option<String>,
    diagnostic_code: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BounceDetail {
    timestamp: Option<Timestamp>,
    bounce_type: String,
    bounce_sub_type: String,
    bounced_recipients: Vec<Recipient>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ComplaintDetail {
    timestamp: Option<Timestamp>,
    complaint_feedback_type: Option<String>,
    complaint_sub_type: Option<String>,
    user_agent: Option<String>,
    complained_recipients: Vec<Recipient>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DelayDetail {
    timestamp: Option<Timestamp>,
    delay_type: String,
    expiration_time: Option<Timestamp>,
    delayed_recipients: Vec<Recipient>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SubscriptionDetail {
    timestamp: Option<Timestamp>,
    contact_list: String,
    source: Option<String>,
    new_topic_preferences: Preferences,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Preferences {
    unsubscribe_all: bool,
    topic_subscription_status: Vec<Topic>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Topic {
    topic_name: String,
    subscription_status: String,
}

/// What a record says, and about whom.
struct Read {
    kind: FeedbackKind,
    at: Option<Timestamp>,
    recipients: Vec<String>,
}

pub(super) fn parse(text: &str, received_at: Timestamp) -> Result<Arrival, FeedbackError> {
    let mut record: Record = serde_json::from_str(text)?;
    if record.v.is_some() {
        return Ok(Arrival::Interaction(serde_json::from_str::<Interaction>(text)?));
    }
    if let Some(sns_type) = record.sns_type.take() {
        let inner = record.sns_message.take().unwrap_or_default();
        match serde_json::from_str::<Record>(&inner) {
            Ok(event) if event.event_type.is_some() => record = event,
            // SNS's own messages, and SES's "Successfully validated SNS topic", which is plain text.
            _ => return Ok(feedback(unknown(sns_type), Mail::default(), received_at)),
        }
    }
    let name = record.event_type.take().ok_or(FeedbackError::NoType)?;
    let mail = record.mail.take().unwrap_or_default();
    Ok(feedback(read(name, record), mail, received_at))
}

fn feedback(read: Read, mail: Mail, received_at: Timestamp) -> Arrival {
    let tag = |name: &str| mail.tags.get(name).and_then(|values| values.first()).map(String::as_str);
    let recipients = if read.recipients.is_empty() { mail.destination.clone() } else { read.recipients };
    Arrival::Ses(Box::new(Feedback {
        kind: read.kind,
        at: read.at.or(mail.timestamp).unwrap_or(received_at),
        project: tag(PROJECT_TAG).and_then(|id| crate::ids::ProjectId::parse(id).ok()),
        delivery: tag(DELIVERY_TAG).and_then(|id| crate::ids::DeliveryId::parse(id).ok()),
        campaign: tag(CAMPAIGN_TAG).and_then(|id| crate::ids::CampaignId::parse(id).ok()),
        ses_message_id: mail.message_id,
        recipients,
    }))
}

fn unknown(name: String) -> Read {
    Read { kind: FeedbackKind::Unknown { name }, at: None, recipients: Vec::new() }
}

fn read(name: String, record: Record) -> Read {
    match name.as_str() {
        "Send" => Read { kind: FeedbackKind::Send, at: None, recipients: Vec::new() },
        "Delivery" => delivery(record.delivery),
        "Bounce" => bounce(record.bounce.unwrap_or_default()),
        "Complaint" => complaint(record.complaint.unwrap_or_default()),
        "Reject" => small(record.reject, |detail| FeedbackKind::Reject { reason: detail.reason.unwrap_or_default() }),
        "Open" => small(record.open, |detail| FeedbackKind::Open { user_agent: detail.user_agent }),
        "Click" => small(record.click, |detail| FeedbackKind::Click {
            link: detail.link.unwrap_or_default(),
            user_agent: detail.user_agent,
        }),
        // Event destinations name it with a space, the API (`MatchingEventTypes`) without.
        "Rendering Failure" | "RenderingFailure" => small(record.failure, |detail| FeedbackKind::RenderingFailure {
            template: detail.template_name.unwrap_or_default(),
            error: detail.error_message.unwrap_or_default(),
        }),
        "DeliveryDelay" => delay(record.delivery_delay.unwrap_or_default()),
        "Subscription" => subscription(record.subscription.unwrap_or_default()),
        _ => unknown(name),
    }
}

fn small(detail: Option<Detail>, kind: impl FnOnce(Detail) -> FeedbackKind) -> Read {
    let mut detail = detail.unwrap_or_default();
    let (at, recipients) = (detail.timestamp, std::mem::take(&mut detail.recipients));
    Read { kind: kind(detail), at, recipients }
}

/// `delivery` is an object in an event and a text in an interaction, so it is read in its own step.
fn delivery(value: Option<Value>) -> Read {
    let detail = value.and_then(|value| serde_json::from_value(value).ok());
    small(detail, |detail| FeedbackKind::Delivery {
        smtp_response: detail.smtp_response,
        processing_millis: detail.processing_time_millis,
    })
}

fn addresses(recipients: Vec<Recipient>) -> Vec<String> {
    recipients.into_iter().map(|recipient| recipient.email_address).filter(|text| !text.is_empty()).collect()
}

fn bounce(detail: BounceDetail) -> Read {
    let first = detail.bounced_recipients.first();
    let bounce = Bounce {
        kind: BounceType::parse(&detail.bounce_type, &detail.bounce_sub_type),
        status: first.and_then(|recipient| recipient.status.clone()),
        diagnostic: first.and_then(|recipient| recipient.diagnostic_code.clone()),
    };
    Read { kind: FeedbackKind::Bounce(bounce), at: detail.timestamp, recipients: addresses(detail.bounced_recipients) }
}

fn complaint(detail: ComplaintDetail) -> Read {
    let complaint = Complaint {
        kind: detail.complaint_feedback_type.as_deref().map(ComplaintType::parse),
        subtype: detail.complaint_sub_type.as_deref().map(ComplaintSubType::parse),
        user_agent: detail.user_agent,
    };
    Read {
        kind: FeedbackKind::Complaint(complaint),
        at: detail.timestamp,
        recipients: addresses(detail.complained_recipients),
    }
}

fn delay(detail: DelayDetail) -> Read {
    let kind =
        FeedbackKind::DeliveryDelay { kind: DelayType::parse(&detail.delay_type), expires_at: detail.expiration_time };
    Read { kind, at: detail.timestamp, recipients: addresses(detail.delayed_recipients) }
}

fn subscription(detail: SubscriptionDetail) -> Read {
    let topics = |status: &str| {
        let topics = detail.new_topic_preferences.topic_subscription_status.iter();
        topics.filter(|topic| topic.subscription_status == status).map(|topic| topic.topic_name.clone()).collect()
    };
    let subscription = Subscription {
        opted_out: topics("OptOut"),
        opted_in: topics("OptIn"),
        unsubscribe_all: detail.new_topic_preferences.unsubscribe_all,
        contact_list: detail.contact_list,
        source: detail.source,
    };
    Read { kind: FeedbackKind::Subscription(subscription), at: detail.timestamp, recipients: Vec::new() }
}
