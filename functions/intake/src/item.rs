//! One item of the Segment API, and the calls it means to us.

use dunlin_core::call::{Action, Properties};
use dunlin_core::email::Email;
use dunlin_core::event_name::EventName;
use dunlin_core::ids::UserId;
use dunlin_core::limits::MESSAGE_ID_BYTES;
use jiff::Timestamp;
use serde_json::Value;

use crate::asked::{Asked, Sameness};
use crate::fields::{email, instant, object, text, user};
use crate::json;
use crate::reply::Refusal;
use crate::segment::{Outer, Rejects};
use crate::track::tags;

/// The kinds of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Identify,
    Track,
    Page,
    Screen,
    Group,
    Alias,
}

impl Kind {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "identify" => Self::Identify,
            "track" => Self::Track,
            "page" => Self::Page,
            "screen" => Self::Screen,
            "group" => Self::Group,
            "alias" => Self::Alias,
            _ => return None,
        })
    }
}

/// Reads one item into the calls it means: its own and, after it, that of its tags.
pub(crate) fn read(kind: Kind, mut item: Properties, outer: &Outer, asked: &mut Vec<Asked>, rejects: &mut Rejects) {
    if json::bound(&item).is_err() {
        return rejects.add("an item is nested too deep or has too many keys");
    }
    match main(kind, &mut item, outer, rejects) {
        Err(refusal) => rejects.add(refusal.message),
        Ok((main, message)) => {
            let user = match &main.action {
                Action::Reidentify { new_id } => new_id.clone(),
                _ => main.user.clone(),
            };
            let at = main.at;
            asked.push(main);
            match tagging(&item, outer) {
                Ok(None) => {}
                Ok(Some(action)) => asked.push(Asked { user, at, action, sameness: sameness(message, "tags") }),
                Err(refusal) => rejects.add(refusal.message),
            }
        }
    }
}

fn main(
    kind: Kind,
    item: &mut Properties,
    outer: &Outer,
    rejects: &mut Rejects,
) -> Result<(Asked, Option<String>), Refusal> {
    let message = text(item.get("messageId"), "messageId")?;
    if message.as_ref().is_some_and(|id| id.len() >= MESSAGE_ID_BYTES) {
        return Err(Refusal::field("messageId", "must be shorter than 100 characters"));
    }
    let (user, action) = match kind {
        Kind::Alias => {
            let user = user(item.get("previousId"), "previousId")?
                .ok_or_else(|| Refusal::field("previousId", "is required"))?;
            (user, Action::Reidentify { new_id: person(item)? })
        }
        Kind::Identify => {
            let (person, mut properties) = (person(item)?, object(item, "traits")?);
            let email = address(properties.remove("email").as_ref(), "traits.email", rejects);
            (person, Action::Identify { email, properties, channels: Vec::new(), update_only: false })
        }
        Kind::Group => {
            let traits = object(item, "traits")?;
            let changes = Properties::from_iter([("group".to_owned(), Value::Object(traits))]);
            (person(item)?, Action::Edit { changes })
        }
        Kind::Track => {
            let person = person(item)?;
            let name = text(item.get("event"), "event")?.ok_or_else(|| Refusal::field("event", "is required"))?;
            let data = object(item, "properties")?;
            if name.to_lowercase().contains("unsubscribe") {
                (person, Action::Unsubscribe)
            } else {
                (person, event(&name, data, item, outer, rejects)?)
            }
        }
        Kind::Page => (person(item)?, view("Viewed page", item, outer, rejects)?),
        Kind::Screen => (person(item)?, view("Viewed screen", item, outer, rejects)?),
    };
    Ok((Asked { user, at: time(item, outer), action, sameness: sameness(message.clone(), "main") }, message))
}

fn sameness(message: Option<String>, part: &'static str) -> Sameness {
    message.map_or(Sameness::Never, |id| Sameness::Message { id, part })
}

/// `userId`, else `anonymousId`.
fn person(item: &Properties) -> Result<UserId, Refusal> {
    let known = user(item.get("userId"), "userId")?;
    let person = known.map_or_else(|| user(item.get("anonymousId"), "anonymousId"), |user| Ok(Some(user)))?;
    person.ok_or_else(|| Refusal::field("userId", "or `anonymousId` is required"))
}

/// An address; a bad one is counted, and the rest of its item still counts too.
fn address(value: Option<&Value>, name: &str, rejects: &mut Rejects) -> Option<Email> {
    email(value, name).unwrap_or_else(|refusal| {
        rejects.add(refusal.message);
        None
    })
}

fn context<'a>(item: &'a Properties, outer: &'a Outer) -> &'a Value {
    item.get("context").filter(|context| !context.is_null()).unwrap_or(&outer.context)
}

fn event(
    name: &str,
    data: Properties,
    item: &Properties,
    outer: &Outer,
    rejects: &mut Rejects,
) -> Result<Action, Refusal> {
    let email = address(context(item, outer).pointer("/traits/email"), "context.traits.email", rejects);
    let name = EventName::parse(name).map_err(|why| Refusal::field("event", why))?;
    Ok(Action::Track {
        name,
        email,
        properties: Properties::new(),
        data,
        source: None,
        conversion: None,
        passive: false,
    })
}

/// A page or a screen: an event with the properties, the name and the address of what was viewed.
fn view(name: &str, item: &mut Properties, outer: &Outer, rejects: &mut Rejects) -> Result<Action, Refusal> {
    let mut data = object(item, "properties")?;
    let viewed = [
        ("name", item.get("name")),
        ("category", item.get("category")),
        ("url", context(item, outer).pointer("/page/url")),
    ];
    for (key, value) in viewed {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            data.entry(key).or_insert_with(|| value.clone());
        }
    }
    event(name, data, item, outer, rejects)
}

/// When it happened: receivedAt − (sentAt − originalTimestamp), which cancels a wrong clock; else `timestamp`.
fn time(item: &Properties, outer: &Outer) -> Option<Timestamp> {
    let sent_at = item.get("sentAt").filter(|at| !at.is_null()).unwrap_or(&outer.sent_at);
    let original = item.get("originalTimestamp").and_then(instant);
    let corrected = original
        .zip(instant(sent_at))
        .and_then(|(original, sent_at)| outer.received_at.checked_sub(sent_at.duration_since(original)).ok());
    corrected.or_else(|| item.get("timestamp").and_then(instant))
}

/// `integrations.Vero.tags {action, values}`.
fn tagging(item: &Properties, outer: &Outer) -> Result<Option<Action>, Refusal> {
    let integrations = item.get("integrations").filter(|found| !found.is_null()).unwrap_or(&outer.integrations);
    let Some(asked) = integrations.pointer("/Vero/tags").filter(|found| !found.is_null()) else { return Ok(None) };
    let values = tags(asked.get("values").cloned(), "integrations.Vero.tags.values")?;
    match asked.get("action").and_then(Value::as_str) {
        _ if values.is_empty() => Ok(None),
        Some("add") => Ok(Some(Action::Tags { add: values, remove: Vec::new() })),
        Some("remove") => Ok(Some(Action::Tags { add: Vec::new(), remove: values })),
        _ => Err(Refusal::field("integrations.Vero.tags.action", "must be `add` or `remove`")),
    }
}
