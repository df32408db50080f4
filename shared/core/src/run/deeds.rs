//! Steps that do something to the person: each becomes a call of our own, on its way like any client's.

use dunlin_liquid::{Escape, Limits, RenderError, RenderOptions, Template};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::steps::{Passage, Taken};
use super::{Command, Run, RunState};
use crate::call::{self, Call, Properties};
use crate::campaign::{Action, Changes, Step, Webhook, is_liquid};
use crate::condition::Facts;
use crate::hook::Request;
use crate::ids::{EventId, digest};
use crate::limits::{CALL_BYTES, CAMPAIGN_BYTES, HOOK_ANSWERED, HOOK_WITHIN, VALUE_BYTES};
use crate::property::Property;
use crate::task::to_text;

impl Run {
    /// Takes a step that does something.
    pub(super) fn act(&self, facts: &Facts<'_>, step: &Step, passage: &mut Passage) {
        let values = Values::new(self, step, facts);
        match &step.action {
            Action::Update { update } => {
                let Changes { set, unset, add_tags, remove_tags } = update;
                let mut changes = values.made(step, set, passage);
                changes.extend(unset.iter().map(|name| (name.clone(), Value::Null)));
                let named = named(&changes, update);
                if !named.is_empty() {
                    passage.note(step, format!("changes {named}"));
                }
                if !changes.is_empty() {
                    self.call(facts, step, call::Action::Edit { changes }, passage);
                }
                if !add_tags.is_empty() || !remove_tags.is_empty() {
                    let action = call::Action::Tags { add: add_tags.clone(), remove: remove_tags.clone() };
                    self.call(facts, step, action, passage);
                }
            }
            Action::Track { track, data } => {
                let (name, data) = (track.clone(), values.made(step, data, passage));
                passage.note(step, format!("tracks `{track}`"));
                let (email, properties, source, conversion) = (None, Properties::new(), None, None);
                let action = call::Action::Track { name, email, properties, data, source, conversion, passive: false };
                self.call(facts, step, action, passage);
            }
            Action::Start { start, data } => {
                passage.note(step, format!("starts `{start}`"));
                let data = values.made(step, data, passage);
                let action = call::Action::Enter { campaign: start.clone(), data, date: None };
                self.call(facts, step, action, passage);
            }
            _ => {}
        }
    }

    fn call(&self, facts: &Facts<'_>, step: &Step, action: call::Action, passage: &mut Passage) {
        let kind = if matches!(action, call::Action::Tags { .. }) { "tags" } else { "call" };
        let id = EventId::derive(&["step", self.id.as_str(), &step.name, &self.moves.to_string(), kind]);
        let call = self.calling(id, facts, action, passage.calls());
        match to_text(&call) {
            Ok(text) if passage.has_room(text.len()) => passage.command(Command::Call { call: Box::new(call) }),
            _ => passage.note(step, format!("does nothing: one move makes at most {CALL_BYTES} bytes of calls")),
        }
    }

    /// Has a webhook called, and waits for the answer: as long as it is tried, and a while for the answer to come back.
    pub(super) fn ask<'c>(
        &self,
        facts: &Facts<'_>,
        (step, webhook): (&Step, &Webhook),
        passage: &mut Passage,
    ) -> Option<Taken<'c>> {
        let values = Values::new(self, step, facts);
        let moves = self.moves;
        let id = EventId::derive(&["webhook", self.id.as_str(), &step.name, &moves.to_string()]);
        let request = Request {
            id: id.as_str().to_owned(),
            method: webhook.method,
            url: values.located(&webhook.url),
            headers: webhook.headers.iter().map(|(name, value)| (name.clone(), values.written(value))).collect(),
            body: webhook.body.as_ref().map(|body| values.value(body, &mut false)),
        };
        let fits = to_text(&request).is_ok_and(|text| text.len() <= CALL_BYTES);
        if !fits {
            passage.note(step, format!("is not called: the request is longer than {CALL_BYTES} bytes"));
            return None;
        }
        let until = later(facts.now, HOOK_WITHIN);
        passage.note(step, format!("calls {} {}", webhook.method.name(), webhook.url));
        passage.command(Command::Hook { request: Box::new(request), moves, until });
        let due_at = later(until, HOOK_ANSWERED);
        passage.command(Command::Wake { due_at, moves });
        Some(Taken::Stop(RunState::Waiting { step: step.name.clone(), due_at, meant: None }))
    }

    /// A call of this run's person, `before` others of the same move: each a microsecond later, so that they count in their
    /// order, and behind the call that began the run.
    pub(super) fn calling(&self, id: EventId, facts: &Facts<'_>, action: call::Action, before: usize) -> Call {
        let (project, user) = (self.project.clone(), self.user.clone());
        let at = later(facts.now, SignedDuration::from_micros(i64::try_from(before).unwrap_or(0) + 1));
        Call { id, project, user, at, accepted_at: at, action }
    }
}

fn later(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// What changes, by name.
fn named(changes: &Properties, update: &Changes) -> String {
    let names = changes.keys().map(|name| format!("`{name}`"));
    let tags = update.add_tags.iter().map(|tag| format!("+{tag}"));
    names.chain(tags).chain(update.remove_tags.iter().map(|tag| format!("-{tag}"))).collect::<Vec<_>>().join(", ")
}

/// Values as a step writes them, and what they are for this person.
pub(super) struct Values<'f> {
    facts: &'f Facts<'f>,
    globals: Value,
    seed: String,
}

impl<'f> Values<'f> {
    /// Those of a run at a step.
    pub(super) fn new(run: &Run, step: &Step, facts: &'f Facts<'f>) -> Self {
        Self { facts, globals: globals(facts), seed: digest(&[run.id.as_str(), &step.name]) }
    }

    /// The properties that a step writes. One that Liquid cannot make, or not all of it, is left out and noted: null in
    /// its place would unset what the person has.
    fn made(&self, step: &Step, written: &Properties, passage: &mut Passage) -> Properties {
        let mut made = Properties::new();
        for (name, value) in written {
            let mut failed = false;
            let value = self.value(value, &mut failed);
            if failed {
                passage.note(step, format!("leaves out `{name}`: its Liquid cannot be made here"));
            } else {
                made.insert(name.clone(), value);
            }
        }
        made
    }

    /// One value. What Liquid cannot make is null in it, and sets `failed`.
    fn value(&self, written: &Value, failed: &mut bool) -> Value {
        match written {
            Value::String(text) => self.text(text, failed),
            Value::Array(items) => items.iter().map(|item| self.value(item, failed)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.value(value, failed))).collect()
            }
            other => other.clone(),
        }
    }

    /// A URL: what data prints is one part of it, whatever characters it has.
    fn located(&self, url: &str) -> String {
        let globals = encoded(&self.globals);
        Self { facts: self.facts, globals, seed: self.seed.clone() }.written(url)
    }

    /// A text. What Liquid cannot make is empty.
    fn written(&self, text: &str) -> String {
        if is_liquid(text) { self.render(text, Template::render).unwrap_or_default() } else { text.to_owned() }
    }

    fn text(&self, text: &str, failed: &mut bool) -> Value {
        if !is_liquid(text) {
            return text.into();
        }
        if let Some(property) = Property::alone(text) {
            return self.facts.value(&property).map_or(Value::Null, |value| value.into_owned());
        }
        let made = self.render(text, Template::value);
        *failed |= made.is_none();
        made.unwrap_or_default()
    }

    fn render<T>(
        &self,
        text: &str,
        make: impl FnOnce(&Template, &Value, &RenderOptions<'_>) -> Result<T, RenderError>,
    ) -> Option<T> {
        let parsing = Limits { source_bytes: CAMPAIGN_BYTES, ..Limits::default() };
        let template = Template::parse_with(text, &parsing).ok()?;
        let seed = self.seed.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default();
        let limits = Limits { output_bytes: VALUE_BYTES, ..Limits::default() };
        let partials = std::collections::BTreeMap::new();
        let options = RenderOptions { escape: Escape::None, limits, now: self.facts.now, seed, partials: &partials };
        make(&template, &self.globals, &options).ok()
    }
}

/// What Liquid sees, in characters that mean nothing in a URL.
fn encoded(value: &Value) -> Value {
    match value {
        Value::String(text) => utf8_percent_encode(text, PLAIN).to_string().into(),
        Value::Array(items) => items.iter().map(encoded).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), encoded(value))).collect(),
        other => other.clone(),
    }
}

/// Everything but RFC 3986's unreserved characters.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What Liquid sees: the same as in a mail, without what only a mail has.
fn globals(facts: &Facts<'_>) -> Value {
    let profile = facts.profile;
    let mut user: Map<String, Value> =
        profile.properties().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    user.insert("id".to_owned(), profile.id.as_str().into());
    if let Some(email) = profile.email() {
        user.insert("email".to_owned(), email.as_str().into());
    }
    user.insert("tags".to_owned(), profile.tags().collect());
    json!({"user": user, "event": facts.event.data, "journey": facts.journey})
}
