//! The values that steps write and send: where Liquid stands in them.

use serde_json::Value;

use super::templates::{Source, is_liquid};
use super::{Action, Campaign};
use crate::call::Properties;
use crate::property::Property;

/// All texts of steps that are Liquid, in `set`, `data` and webhooks. Not those that are nothing but a property, which is
/// taken as it is.
pub(super) fn sources(campaign: &Campaign) -> impl Iterator<Item = Source<'_>> {
    let (whole, parts) = texts(campaign);
    let whole = whole.into_iter().filter(|(_, text)| Property::alone(text).is_none());
    whole.chain(parts).map(|(path, text)| Source::value(path, text))
}

/// The properties that values of steps are, with their places.
pub(super) fn alone(campaign: &Campaign) -> impl Iterator<Item = (String, Property)> {
    texts(campaign).0.into_iter().filter_map(|(path, text)| Some((path, Property::alone(text)?)))
}

/// A text, and the path at which it stands.
type Text<'c> = (String, &'c str);

/// The Liquid in values, and that in texts which stay texts: URLs and headers.
fn texts(campaign: &Campaign) -> (Vec<Text<'_>>, Vec<Text<'_>>) {
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    for (index, step) in campaign.steps.iter().enumerate() {
        let at = |key: &str| format!("steps[{index}].{key}");
        match &step.action {
            Action::Update { update } => fields(&update.set, &at("update.set"), &mut whole),
            Action::Track { data, .. } | Action::Start { data, .. } => fields(data, &at("data"), &mut whole),
            Action::Webhook { webhook, .. } => {
                parts.push((at("webhook.url"), webhook.url.as_str()));
                let headers = webhook.headers.iter();
                parts.extend(headers.map(|(name, value)| (at(&format!("webhook.headers.{name}")), value.as_str())));
                if let Some(body) = &webhook.body {
                    value(body, at("webhook.body"), &mut whole);
                }
            }
            _ => {}
        }
    }
    parts.retain(|(_, text)| is_liquid(text));
    (whole, parts)
}

fn fields<'c>(written: &'c Properties, path: &str, found: &mut Vec<Text<'c>>) {
    for (name, inner) in written {
        value(inner, format!("{path}.{name}"), found);
    }
}

fn value<'c>(written: &'c Value, path: String, found: &mut Vec<Text<'c>>) {
    match written {
        Value::String(text) if is_liquid(text) => found.push((path, text)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                value(item, format!("{path}[{index}]"), found);
            }
        }
        Value::Object(inner) => fields(inner, &path, found),
        _ => {}
    }
}
