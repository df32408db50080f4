//! SES's events about a mail, in the form that event publishing gives to SNS (SES developer guide,
//! "contents of event data that Amazon SES publishes to Amazon SNS").

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::request::Outgoing;
use super::simulator::{Fate, fate};

/// Seconds until a mail is delivered or bounced.
const DELIVERY_SECONDS: u32 = 1;
/// Seconds until the simulator complains.
const COMPLAINT_SECONDS: u32 = 3;

/// An event on its way to the feedback queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    /// When the mail was accepted.
    pub(super) at: Timestamp,
    /// Seconds until the event arrives.
    pub(super) after_seconds: u32,
    /// The event's JSON, as raw delivery puts it into the message's body.
    pub(super) body: String,
}

/// Every event that comes of a mail: `Send` at once, then one for each recipient.
pub(super) fn of(outgoing: &Outgoing, id: &str, now: Timestamp) -> Vec<Notice> {
    let mail = mail(outgoing, id, now);
    let notice = |after_seconds: u32, kind: &str, name: &str, details: Value| {
        let mut event = json!({ "eventType": kind, "mail": mail });
        if let Value::Object(fields) = &mut event {
            fields.insert(name.to_owned(), details);
        }
        Notice { at: now, after_seconds, body: event.to_string() }
    };
    let mut notices = vec![notice(0, "Send", "send", json!({}))];
    for address in &outgoing.to {
        let delivered_at = after(now, DELIVERY_SECONDS);
        match fate(address) {
            Fate::Delivered => {
                notices.push(notice(DELIVERY_SECONDS, "Delivery", "delivery", delivery(address, &delivered_at)));
            }
            Fate::Complained => {
                notices.push(notice(DELIVERY_SECONDS, "Delivery", "delivery", delivery(address, &delivered_at)));
                let details = complaint(address, id, &after(now, COMPLAINT_SECONDS));
                notices.push(notice(COMPLAINT_SECONDS, "Complaint", "complaint", details));
            }
            Fate::Bounced => {
                let details = bounce(address, id, &delivered_at, "General", "smtp; 550 5.1.1 user unknown");
                notices.push(notice(DELIVERY_SECONDS, "Bounce", "bounce", details));
            }
            Fate::Suppressed => {
                let reason = "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.";
                let details = bounce(address, id, &delivered_at, "Suppressed", reason);
                notices.push(notice(DELIVERY_SECONDS, "Bounce", "bounce", details));
            }
        }
    }
    notices
}

fn after(now: Timestamp, seconds: u32) -> String {
    text(now.checked_add(SignedDuration::from_secs(seconds.into())).unwrap_or(now))
}

/// An instant as SES writes it: `2017-08-05T00:40:02.012Z`.
fn text(at: Timestamp) -> String {
    format!("{at:.3}")
}

fn mail(outgoing: &Outgoing, id: &str, now: Timestamp) -> Value {
    let headers: Vec<Value> = outgoing
        .headers
        .iter()
        .filter(|(name, _)| !name.to_ascii_lowercase().starts_with("x-ses-"))
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let of_header = |name: &str| {
        outgoing.headers.iter().find(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    };
    let domain = outgoing.from.rsplit_once('@').map_or("", |(_, domain)| domain.trim_end_matches('>'));
    let mut tags = json!({
        "ses:configuration-set": [outgoing.configuration_set],
        "ses:source-ip": ["192.0.2.0"],
        "ses:from-domain": [domain],
        "ses:caller-identity": ["local"],
    });
    if let Value::Object(fields) = &mut tags {
        for (name, value) in &outgoing.tags {
            fields.insert(name.clone(), json!([value]));
        }
    }
    json!({
        "timestamp": text(now),
        "source": outgoing.from,
        "sourceArn": format!("arn:aws:ses:{}:{}:identity/{domain}", crate::REGION, crate::ACCOUNT),
        "sendingAccountId": crate::ACCOUNT,
        "messageId": id,
        "destination": outgoing.to,
        "headersTruncated": false,
        "headers": headers,
        "commonHeaders": {
            "from": [of_header("From").unwrap_or_else(|| outgoing.from.clone())],
            "to": of_header("To").map_or_else(|| outgoing.to.clone(), |to| vec![to]),
            "messageId": id,
            "subject": outgoing.subject,
        },
        "tags": tags,
    })
}

fn delivery(address: &str, at: &str) -> Value {
    json!({
        "timestamp": at,
        "processingTimeMillis": DELIVERY_SECONDS * 1000,
        "recipients": [address],
        "smtpResponse": "250 2.6.0 Message received",
        "remoteMtaIp": "192.0.2.1",
        "reportingMTA": "a8-1.smtp-out.amazonses.com",
    })
}

fn bounce(address: &str, id: &str, at: &str, sub_type: &str, diagnostic: &str) -> Value {
    json!({
        "bounceType": "Permanent",
        "bounceSubType": sub_type,
        "bouncedRecipients": [
            { "emailAddress": address, "action": "failed", "status": "5.1.1", "diagnosticCode": diagnostic },
        ],
        "timestamp": at,
        "feedbackId": format!("feedback-{id}"),
        "reportingMTA": "dns; a8-1.smtp-out.amazonses.com",
    })
}

fn complaint(address: &str, id: &str, at: &str) -> Value {
    json!({
        "complainedRecipients": [{ "emailAddress": address }],
        "timestamp": at,
        "feedbackId": format!("feedback-{id}"),
        "complaintSubType": null,
        "userAgent": "Amazon SES Mailbox Simulator",
        "complaintFeedbackType": "abuse",
        "arrivalDate": at,
    })
}
