//! What SES says about itself: configuration sets, where their events go, identities.

use dunlin_aws::resources::FEEDBACK_EVENTS;
use http::Method;
use serde_json::{Value, json};

/// The operation of a method and a path behind `/v2/email/`, and the name in the path.
pub(crate) fn asked<'p>(method: &Method, path: &'p str) -> (&'static str, &'p str) {
    match (method.as_str(), path.split('/').collect::<Vec<_>>().as_slice()) {
        ("POST", ["outbound-emails"]) => ("SendEmail", ""),
        ("GET", ["account"]) => ("GetAccount", ""),
        ("GET", ["identities"]) | ("POST", ["list-identities"]) => ("ListEmailIdentities", ""),
        ("GET", ["configuration-sets", name]) => ("GetConfigurationSet", *name),
        ("GET", ["configuration-sets", name, "event-destinations"]) => ("GetConfigurationSetEventDestinations", *name),
        _ => ("Unknown", ""),
    }
}

pub(super) fn configuration_set(name: &str) -> Value {
    json!({ "ConfigurationSetName": name, "SendingOptions": { "SendingEnabled": true } })
}

/// Every event of a mail goes to the feedback queue, as through SNS.
pub(super) fn event_destinations(prefix: &str) -> Value {
    let topic = format!("arn:aws:sns:{}:{}:{prefix}feedback", crate::REGION, crate::ACCOUNT);
    json!({
        "EventDestinations": [{
            "Name": "feedback",
            "Enabled": true,
            "MatchingEventTypes": FEEDBACK_EVENTS,
            "SnsDestination": { "TopicArn": topic },
        }],
    })
}

/// None: every sender may send here.
pub(super) fn identities() -> Value {
    json!({ "EmailIdentities": [] })
}
