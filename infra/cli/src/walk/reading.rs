//! Reads what the options of `walk` say: the person, what happens to them, and what webhooks are answered.

use std::fs;

use anyhow::{Context as _, anyhow, bail};
use dunlin_core::call::{Action, Call, Properties};
use dunlin_core::campaign::Changes;
use dunlin_core::email::Email;
use dunlin_core::event_name::EventName;
use dunlin_core::hook::{Answer, Fault};
use dunlin_core::ids::{EventId, ProjectId, UserId};
use dunlin_core::profile::Profile;
use dunlin_core::run::dry::Later;
use dunlin_core::span::Span;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// What `--then` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Then {
    after: Span,
    event: Option<EventName>,
    #[serde(default)]
    data: Properties,
    update: Option<Changes>,
    unsubscribed: Option<bool>,
}

/// What `--answer` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    status: Option<u16>,
    body: Option<Value>,
    error: Option<String>,
}

/// Reads an object of JSON, or of a file that is named behind an `@`.
pub(super) fn object(option: &str, text: &str) -> anyhow::Result<Properties> {
    let text = match text.strip_prefix('@') {
        Some(file) => fs::read_to_string(file).with_context(|| format!("cannot read {file} of {option}"))?,
        None => text.to_owned(),
    };
    match serde_json::from_str(&text).with_context(|| format!("{option} is not JSON"))? {
        Value::Object(fields) => Ok(fields),
        _ => bail!("{option} is no object; write one like '{}'", example(option)),
    }
}

/// The person that an object describes, as of just then.
pub(super) fn profile(mut fields: Properties, project: &ProjectId, at: Timestamp) -> anyhow::Result<Profile> {
    let mut text = |key: &str| match fields.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => bail!("`{key}` of --profile is not a text"),
    };
    let id = text("id")?.unwrap_or_else(|| "somebody".to_owned());
    let user = UserId::parse(&id).map_err(|error| anyhow!("`id` of --profile: {error}"))?;
    let email = Email::parse(&text("email")?.unwrap_or_else(|| "somebody@example.com".to_owned()))?;
    let tags: Vec<String> = match fields.remove("tags") {
        None => Vec::new(),
        Some(tags) => serde_json::from_value(tags).context("`tags` of --profile is not a list of texts")?,
    };
    let unsubscribed = match fields.remove("unsubscribed") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(_) => bail!("`unsubscribed` of --profile is neither true nor false"),
    };
    let identify =
        Action::Identify { email: Some(email), properties: fields, channels: Vec::new(), update_only: false };
    let mut actions = vec![identify, Action::Tags { add: tags, remove: Vec::new() }];
    actions.extend(unsubscribed.then_some(Action::Unsubscribe));
    let mut profile = Profile::new(user.clone());
    for (number, action) in actions.into_iter().enumerate() {
        let id = EventId::derive(&["profile", &number.to_string()]);
        profile.apply(&Call { id, project: project.clone(), user: user.clone(), at, accepted_at: at, action });
    }
    Ok(profile)
}

/// An instant, or why a text is none.
pub(super) fn instant(text: &str) -> Result<Timestamp, &'static str> {
    text.parse().map_err(|_| "write date, time and offset, like 2027-01-29T17:00:00+01:00 or 2027-01-29T16:00:00Z")
}

/// What happens later: the update first, so that the event finds the person as they are then.
pub(super) fn then(text: &str) -> anyhow::Result<Later> {
    let fields = Value::Object(object("--then", text)?);
    let Then { after, event, data, update, unsubscribed } =
        serde_json::from_value(fields).with_context(|| format!("--then is not like '{}'", example("--then")))?;
    let mut actions = Vec::new();
    if let Some(Changes { set, unset, add_tags, remove_tags }) = update {
        let mut changes = set;
        changes.extend(unset.into_iter().map(|name| (name, Value::Null)));
        actions.extend((!changes.is_empty()).then_some(Action::Edit { changes }));
        let is_tagged = !add_tags.is_empty() || !remove_tags.is_empty();
        actions.extend(is_tagged.then_some(Action::Tags { add: add_tags, remove: remove_tags }));
    }
    actions.extend(unsubscribed.map(|gone| if gone { Action::Unsubscribe } else { Action::Resubscribe }));
    let (email, properties, source, conversion, passive) = (None, Properties::new(), None, None, false);
    match event {
        Some(name) => actions.push(Action::Track { name, email, properties, data, source, conversion, passive }),
        None if !data.is_empty() => bail!("--then has `data` and no `event`"),
        None => {}
    }
    if actions.is_empty() {
        bail!("--then says nothing that happens; write it like '{}'", example("--then"));
    }
    Ok(Later { after, actions })
}

/// What a webhook is answered.
pub(super) fn answer(text: &str) -> anyhow::Result<Answer> {
    let fields = Value::Object(object("--answer", text)?);
    let said: Answered =
        serde_json::from_value(fields).with_context(|| format!("--answer is not like '{}'", example("--answer")))?;
    match said {
        Answered { status: Some(status), body, error: None } => {
            let body = body.map(|body| serde_json::to_vec(&body)).transpose()?;
            Ok(Answer::of(status, &body.unwrap_or_default()))
        }
        Answered { status: None, body: None, error: Some(code) } => {
            let codes = || Fault::ALL.map(Fault::code).join(", ");
            let fault = Fault::ALL.into_iter().find(|fault| fault.code() == code);
            Ok(fault.ok_or_else(|| anyhow!("`error` of --answer is none of {}", codes()))?.into())
        }
        _ => bail!("--answer has a `status`, maybe with a `body`, or an `error`, and not both"),
    }
}

fn example(option: &str) -> &'static str {
    match option {
        "--then" => r#"{"after": "2 hours", "event": "Order completed", "data": {"total": 30}}"#,
        "--answer" => r#"{"status": 200, "body": {"ok": true}}"#,
        _ => r#"{"plan": "trial"}"#,
    }
}
