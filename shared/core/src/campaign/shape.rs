//! Checks a document against our JSON schema, and says what is wrong in words. It knows the parts of JSON schema that
//! [`super::schema`] uses, and no others.
//!
//! Where the schema leaves a choice (a step is a `wait`, a `send`, …), the key that only one choice requires decides,
//! so that what is said next is about the thing that was meant.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::problem::{Problem, did_you_mean, nearest};
use super::share::Percent;
use crate::event_name::EventName;
use crate::filter::{Scalar, Threshold};
use crate::ids::CampaignId;
use crate::property::Property;
use crate::span::Span;
use crate::wait::LocalTime;

/// All places where `document` does not fit `schema`.
pub(super) fn check(schema: &Value, document: &Value) -> Vec<Problem> {
    let mut walk = Walk { root: schema, problems: Vec::new() };
    walk.value(schema, document, "");
    walk.problems
}

struct Walk<'s> {
    root: &'s Value,
    problems: Vec<Problem>,
}

impl<'s> Walk<'s> {
    fn report(&mut self, path: &str, what: impl Into<String>, mend: impl Into<String>) {
        self.problems.push(Problem::error(path, what, mend));
    }

    /// Follows references.
    fn resolve(&self, mut schema: &'s Value) -> &'s Value {
        while let Some(target) =
            schema.get("$ref").and_then(Value::as_str).and_then(|name| self.root.pointer(name.trim_start_matches('#')))
        {
            schema = target;
        }
        schema
    }

    fn choices(&self, schema: &'s Value) -> Vec<&'s Value> {
        let list = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
        list.into_iter().flatten().map(|choice| self.resolve(choice)).collect()
    }

    fn value(&mut self, schema: &'s Value, value: &Value, path: &str) {
        let schema = self.resolve(schema);
        let choices = self.choices(schema);
        if value.is_null() {
            return self.report(path, "has no value", "give it one, or remove the line");
        }
        if choices.is_empty() && ["type", "format", "enum", "const"].iter().all(|key| schema.get(key).is_none()) {
            return;
        }
        if let Some(format) = schema.get("format").and_then(Value::as_str)
            && self.formatted(format, value, path)
        {
            return;
        }
        let words: Vec<&str> =
            choices.iter().filter_map(|choice| choice.get("const")?.as_str()).chain(strings(schema, "enum")).collect();
        let is_object = value.is_object() && choices.iter().any(|choice| allows(choice, "object"));
        if !words.is_empty() && !is_object {
            return self.word(&words, value, path);
        }
        let plain_choice = choices.iter().find(|choice| choice.get("format").is_some());
        if let (false, Some(choice)) = (value.is_object() || value.is_array(), plain_choice) {
            return self.value(choice, value, path);
        }
        match value {
            Value::Object(fields) if choices.iter().chain([&schema]).any(|choice| allows(choice, "object")) => {
                self.object(schema, &choices, fields, path);
            }
            _ if choices.iter().any(|choice| fits(choice, value)) => {}
            Value::Array(items) if allows(schema, "array") => {
                self.count(schema, items.len(), path);
                for (index, item) in items.iter().enumerate() {
                    if let Some(schema) = schema.get("items") {
                        self.value(schema, item, &format!("{path}[{index}]"));
                    }
                }
            }
            _ if choices.is_empty() && fits(schema, value) => self.least(schema, value, path),
            _ => self.wrong_type(schema, &choices, value, path),
        }
    }

    fn word(&mut self, words: &[&str], value: &Value, path: &str) {
        let written = plain(value);
        if !words.contains(&written.as_str()) {
            let mend = did_you_mean(&written, words.iter().copied(), "write one of");
            self.report(path, format!("`{written}` is not known here"), mend);
        }
    }

    /// Whether a list has as many items as it must.
    fn count(&mut self, schema: &Value, items: usize, path: &str) {
        let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
        let count = items as u64;
        let mend = match (bound("minItems"), bound("maxItems")) {
            (Some(least), Some(most)) if least == most && count != most => format!("write {most} of them"),
            (Some(least), _) if count < least => format!("write at least {least}, or remove the line"),
            (_, Some(most)) if count > most => format!("write at most {most}"),
            _ => return,
        };
        let plural = if items == 1 { "" } else { "s" };
        self.report(path, format!("has {items} item{plural}"), mend);
    }

    /// Whether a whole number is as large as it must be.
    fn least(&mut self, schema: &Value, value: &Value, path: &str) {
        if let Some(least) = schema.get("minimum").and_then(Value::as_u64)
            && value.as_u64().is_some_and(|number| number < least)
        {
            self.report(path, format!("is {value}"), format!("write at least {least}, or remove the line"));
        }
    }

    fn wrong_type(&mut self, schema: &Value, choices: &[&Value], value: &Value, path: &str) {
        let mut expected: Vec<&str> = choices.iter().chain([&schema]).flat_map(|choice| types(choice)).collect();
        expected.dedup();
        let names: Vec<&str> = expected.iter().map(|name| in_words(name)).collect();
        let mend = match value {
            Value::Number(_) | Value::Bool(_) if expected.contains(&"string") => {
                format!("put it in quotes: `\"{value}\"`")
            }
            Value::String(_) | Value::Object(_) if expected.contains(&"array") => {
                "write a list, each item on a line of its own after `- `".to_owned()
            }
            _ => format!("write {}", names.join(" or ")),
        };
        self.report(path, format!("is {}, not {}", of_value(value), names.join(" or ")), mend);
    }

    fn object(&mut self, schema: &'s Value, choices: &[&'s Value], fields: &Map<String, Value>, path: &str) {
        let own = properties(schema);
        let chosen = match self.choose(schema, choices, fields, path) {
            Choice::Made(chosen) => Some(chosen),
            Choice::None => None,
            Choice::Failed => return,
        };
        if let Some(chosen) = chosen
            && own.is_none()
        {
            return self.object(chosen, &self.choices(chosen), fields, path);
        }
        let find = |key: &str| own.and_then(|own| own.get(key)).or_else(|| properties(chosen?)?.get(key));
        let every = schema.get("additionalProperties").filter(|schema| schema.is_object());
        // An object of whatever a client may send.
        let is_free = schema.get("additionalProperties") == Some(&Value::Bool(true));
        for (key, value) in fields.iter().filter(|_| !is_free) {
            let path = join(path, key);
            if let Some(schema) = find(key).or(every) {
                self.value(schema, value, &path);
                continue;
            }
            let keys = [Some(schema), chosen].into_iter().flatten().filter_map(properties);
            let known: Vec<&str> = keys.flat_map(|keys| keys.keys().map(String::as_str)).collect();
            let free: Vec<&str> = known.iter().copied().filter(|known| !fields.contains_key(*known)).collect();
            let mend = nearest(key, free).map_or_else(
                || format!("remove it, the keys here are {}", quoted(&known)),
                |name| format!("did you mean `{name}`?"),
            );
            self.report(&path, format!("unknown key `{key}`"), mend);
        }
        let required: Vec<&str> = strings(schema, "required")
            .chain(chosen.into_iter().flat_map(|chosen| strings(chosen, "required")))
            .collect();
        for key in required {
            if !fields.contains_key(key) {
                self.report(path, format!("`{key}` is missing"), format!("add `{key}:`"));
            }
        }
    }

    /// The choice whose key is there. Reports when there is none, or more than one.
    fn choose(
        &mut self,
        schema: &'s Value,
        choices: &[&'s Value],
        fields: &Map<String, Value>,
        path: &str,
    ) -> Choice<'s> {
        let objects: Vec<&Value> = choices.iter().copied().filter(|choice| allows(choice, "object")).collect();
        if objects.is_empty() {
            return Choice::None;
        }
        let all: Vec<&str> = objects.iter().flat_map(|choice| strings(choice, "required")).collect();
        let is_lead = |key: &&str| all.iter().filter(|other| *other == key).count() == 1;
        let leads: Vec<&str> = all.iter().copied().filter(is_lead).collect();
        let given: BTreeSet<&str> = leads.iter().copied().filter(|lead| fields.contains_key(*lead)).collect();
        let mut given = given.into_iter();
        match (given.next(), given.next()) {
            (Some(lead), None) => {
                match objects.into_iter().find(|choice| strings(choice, "required").any(|key| key == lead)) {
                    Some(choice) => Choice::Made(choice),
                    None => Choice::None,
                }
            }
            (Some(first), Some(second)) => {
                self.report(
                    path,
                    format!("has both `{first}` and `{second}`"),
                    "keep one of them; two things are two items of a list",
                );
                Choice::Failed
            }
            (None, _) => {
                let known = |key: &str| properties(schema).is_some_and(|own| own.contains_key(key));
                // A key that some choice knows tells less of which one is meant than one that none does.
                let is_of_one =
                    |key: &str| objects.iter().any(|one| properties(one).is_some_and(|own| own.contains_key(key)));
                let mut strange: Vec<&String> = fields.keys().filter(|key| !known(key)).collect();
                strange.sort_by_key(|key| is_of_one(key));
                let mut near = strange.iter().filter_map(|key| Some((key, nearest(key, leads.iter().copied())?)));
                match (near.next(), strange.first()) {
                    (Some((key, name)), _) => {
                        self.report(&join(path, key), format!("unknown key `{key}`"), format!("did you mean `{name}`?"))
                    }
                    (None, Some(key)) if !is_of_one(key) => {
                        let mend = format!("write one of {}", quoted(&leads));
                        self.report(&join(path, key), format!("unknown key `{key}`"), mend);
                    }
                    _ => self.report(path, "does not say what it is", format!("add one of {}", quoted(&leads))),
                }
                Choice::Failed
            }
        }
    }

    /// Reads a text of a form of ours; whether that settles the matter.
    fn formatted(&mut self, format: &str, value: &Value, path: &str) -> bool {
        let text = plain(value);
        let scalar =
            || serde_json::from_value::<Scalar>(value.clone()).map_err(|_| "is neither a number nor a date".to_owned());
        let problem = match format {
            "span" => Span::parse(&text).err().map(|error| error.to_string()),
            "local-time" => LocalTime::parse(&text).err().map(|error| error.to_string()),
            "property" => Property::parse(&text).err().map(|error| error.to_string()),
            "event-name" => {
                EventName::parse(&text).err().map(|what| format!("{what}; write the event's name as it is tracked"))
            }
            "campaign-id" => CampaignId::parse(&text).err().map(|_| {
                format!(
                    "`{text}` is not a campaign's id; write `cmp_` and letters, digits or dashes, as in `cmp_welcome`"
                )
            }),
            "percent" => match value.as_f64() {
                Some(number) => Percent::try_from(number).err().map(|error| error.to_string()),
                None => return false,
            },
            "threshold" => {
                scalar().and_then(|scalar| Threshold::try_from(scalar).map_err(|error| error.to_string())).err()
            }
            _ => return false,
        };
        let Some(problem) = problem else { return value.is_string() || matches!(format, "threshold" | "percent") };
        let (what, mend) = problem.split_once("; ").unwrap_or((&problem, ""));
        self.report(path, what, mend);
        true
    }
}

enum Choice<'s> {
    /// There is nothing to choose.
    None,
    /// This one.
    Made(&'s Value),
    /// It is not clear; reported.
    Failed,
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

fn strings<'v>(schema: &'v Value, key: &str) -> impl Iterator<Item = &'v str> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn allows(schema: &Value, kind: &str) -> bool {
    types(schema).contains(&kind)
}

fn fits(schema: &Value, value: &Value) -> bool {
    types(schema).iter().any(|kind| match *kind {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.as_u64().is_some(),
        _ => false,
    })
}

/// A scalar as it was written, more or less.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).chars().take(80).collect()
}

fn in_words(kind: &str) -> &str {
    match kind {
        "string" => "a text",
        "boolean" => "`true` or `false`",
        "number" => "a number",
        "integer" => "a whole number from 0 on",
        "array" => "a list",
        "object" => "keys with values",
        other => other,
    }
}

fn of_value(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "keys with values",
    }
}
