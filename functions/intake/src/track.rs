//! The Track API: its endpoints, and from the fields of a request to what it asks for.

use dunlin_core::call::{Action, Channel, Properties};
use dunlin_core::event_name::EventName;
use dunlin_core::ids::{CampaignId, UserId};
use http::Method;
use jiff::Timestamp;
use serde_json::Value;

use crate::asked::{Asked, Sameness};
use crate::fields::{email, instant, object, person, text, user};
use crate::json;
use crate::reply::Refusal;

/// An endpoint that takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Identify,
    Edit,
    Tags,
    Unsubscribe,
    Resubscribe,
    Reidentify,
    Delete,
    Track,
    Enter,
    Heartbeat,
}

/// Fields that may come as JSON text.
const NESTED: [&str; 7] = ["identity", "data", "changes", "extras", "add", "remove", "channels"];

impl Endpoint {
    /// The endpoint at a path behind `/api/v2/`.
    pub(crate) fn find(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        Some(match path.strip_suffix(".json").unwrap_or(path) {
            "users/track" => Self::Identify,
            "users/edit" => Self::Edit,
            "users/tags/edit" => Self::Tags,
            "users/unsubscribe" => Self::Unsubscribe,
            "users/resubscribe" => Self::Resubscribe,
            "users/reidentify" => Self::Reidentify,
            "users/delete" => Self::Delete,
            "events/track" => Self::Track,
            "campaigns/enter" => Self::Enter,
            "heartbeat" => Self::Heartbeat,
            _ => return None,
        })
    }

    /// Its methods, as `Allow` lists them.
    pub(crate) fn methods(self) -> &'static str {
        match self {
            Self::Identify | Self::Unsubscribe | Self::Resubscribe | Self::Track | Self::Enter => "POST, OPTIONS",
            Self::Edit | Self::Tags => "PUT, OPTIONS",
            Self::Reidentify => "PUT, POST, OPTIONS",
            Self::Delete => "POST, DELETE, OPTIONS",
            Self::Heartbeat => "GET, HEAD, OPTIONS",
        }
    }

    /// Whether it takes `method`.
    pub(crate) fn takes(self, method: &Method) -> bool {
        self.methods().split(", ").any(|name| name == method.as_str())
    }

    /// The field that makes a call too large, when it is.
    pub(crate) fn heavy_field(self) -> &'static str {
        match self {
            Self::Edit => "changes",
            Self::Tags => "add",
            _ => "data",
        }
    }
}

/// Opens the fields that came as JSON text, and bounds all of them.
pub(crate) fn open(fields: &mut Properties) -> Result<(), Refusal> {
    for name in NESTED {
        if !is_one_tag(name, fields.get(name)) {
            json::open(fields, name)?;
        }
    }
    json::bound(fields)
}

/// In a form `add=vip` is one tag; as JSON text a list begins with its bracket.
fn is_one_tag(name: &str, value: Option<&Value>) -> bool {
    let plain = |text: &str| !text.is_empty() && !text.starts_with('[') && text != "null";
    matches!(name, "add" | "remove") && value.and_then(Value::as_str).is_some_and(|text| plain(text.trim()))
}

/// Reads a request whose credential is taken out already.
pub(crate) fn read(endpoint: Endpoint, mut fields: Properties) -> Result<Asked, Refusal> {
    if endpoint == Endpoint::Track {
        return event(fields);
    }
    let (user, email) = person(&fields, "")?;
    let mut at = None;
    let action = match endpoint {
        Endpoint::Identify => {
            let extras = Extras::take(&mut fields)?;
            at = extras.at;
            let (properties, channels) = (object(&mut fields, "data")?, channels(fields.remove("channels"))?);
            Action::Identify { email, properties, channels, update_only: extras.update_only }
        }
        Endpoint::Edit => Action::Edit { changes: changes(&mut fields)? },
        Endpoint::Tags => {
            if !fields.contains_key("add") && !fields.contains_key("remove") {
                return Err(Refusal::field("add", "or `remove` is required"));
            }
            Action::Tags { add: tags(fields.remove("add"), "add")?, remove: tags(fields.remove("remove"), "remove")? }
        }
        Endpoint::Reidentify => Action::Reidentify { new_id: id_to_be(&fields)? },
        Endpoint::Delete => Action::Delete,
        Endpoint::Unsubscribe => Action::Unsubscribe,
        Endpoint::Resubscribe => Action::Resubscribe,
        Endpoint::Enter => return entry(user, fields),
        Endpoint::Track | Endpoint::Heartbeat => return Err(Refusal::path()),
    };
    Ok(Asked { user, at, action, sameness: Sameness::Never })
}

fn event(mut fields: Properties) -> Result<Asked, Refusal> {
    let missing = matches!(fields.get("identity"), None | Some(Value::Null));
    if missing {
        return Err(Refusal::field("identity", "is required: an object with `id` or `email`"));
    }
    let mut properties = object(&mut fields, "identity")?;
    let (user, email) = person(&properties, "identity.")?;
    properties.retain(|name, _| !matches!(name.as_str(), "id" | "email"));
    let name =
        text(fields.get("event_name"), "event_name")?.ok_or_else(|| Refusal::field("event_name", "is required"))?;
    let name = EventName::parse(&name).map_err(|why| Refusal::field("event_name", why))?;
    let extras = Extras::take(&mut fields)?;
    let data = object(&mut fields, "data")?;
    let Extras { at, source, conversion, check, passive, .. } = extras;
    let action = Action::Track { name, email, properties, data, source, conversion, passive };
    Ok(Asked { user, at, action, sameness: Sameness::Event { check } })
}

/// An entry; the same `extras.check_id` of the same person is the same one.
fn entry(user: UserId, mut fields: Properties) -> Result<Asked, Refusal> {
    let campaign =
        text(fields.get("campaign"), "campaign")?.ok_or_else(|| Refusal::field("campaign", "is required"))?;
    let campaign = CampaignId::parse(&campaign)
        .map_err(|_| Refusal::field("campaign", "must be a campaign's id, as in `cmp_welcome`"))?;
    let extras = Extras::take(&mut fields)?;
    let same = |check| Sameness::Message { id: format!("{check} {campaign} {user}"), part: "enter" };
    let sameness = extras.check.map_or(Sameness::Never, same);
    let action = Action::Enter { campaign, data: object(&mut fields, "data")?, date: None };
    Ok(Asked { user, at: extras.at, action, sameness })
}

struct Extras {
    at: Option<Timestamp>,
    source: Option<String>,
    conversion: Option<String>,
    check: Option<String>,
    update_only: bool,
    passive: bool,
}

impl Extras {
    fn take(fields: &mut Properties) -> Result<Self, Refusal> {
        let extras = object(fields, "extras")?;
        let at = match extras.get("created_at") {
            None | Some(Value::Null) => None,
            Some(value) => Some(instant(value).ok_or_else(|| {
                Refusal::field("extras.created_at", "must be ISO-8601 with an offset, or Unix seconds")
            })?),
        };
        let flag = |name: &str| match extras.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            _ => false,
        };
        let (update_only, passive) = (flag("update_only"), flag("passive"));
        Ok(Self {
            at,
            source: text(extras.get("source"), "extras.source")?,
            conversion: text(extras.get("vero_conv"), "extras.vero_conv")?,
            check: text(extras.get("check_id"), "extras.check_id")?,
            update_only,
            passive,
        })
    }
}

fn changes(fields: &mut Properties) -> Result<Properties, Refusal> {
    if !fields.contains_key("changes") {
        return Err(Refusal::field("changes", "is required: an object with the properties to set"));
    }
    let changes = object(fields, "changes")?;
    email(changes.get("email"), "changes.email")?;
    Ok(changes)
}

fn id_to_be(fields: &Properties) -> Result<UserId, Refusal> {
    user(fields.get("new_id"), "new_id")?.ok_or_else(|| Refusal::field("new_id", "is required"))
}

fn channels(value: Option<Value>) -> Result<Vec<Channel>, Refusal> {
    let items = match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(single) => vec![single],
    };
    let wrong = |_| Refusal::field("channels", "must be objects with `type`, `address` and `platform`, all texts");
    items.into_iter().map(|item| serde_json::from_value(item).map_err(wrong)).collect()
}

/// Tags: texts (a number is read as its digits); one text alone is one tag.
pub(crate) fn tags(value: Option<Value>, name: &str) -> Result<Vec<String>, Refusal> {
    let items = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(single) => vec![single],
    };
    let tag = |item: Value| {
        let tag = text(Some(&item), name)?.ok_or_else(|| Refusal::field(name, "must not hold an empty tag"))?;
        let long = tag.trim().len() > dunlin_core::limits::NAME_BYTES;
        if long {
            Err(Refusal::field(name, "holds a tag of 255 characters or more"))
        } else {
            Ok(tag.trim().to_owned())
        }
    };
    items.into_iter().map(tag).collect()
}

#[cfg(test)]
mod tests;
