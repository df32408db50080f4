//! The path of a property, written as templates write it: `user.plan`, `event.order.total`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Whose property it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The person's.
    User,
    /// The trigger event's.
    Event,
    /// What the run has gathered on its way, by the name that a step gave it (`as`).
    Journey,
}

impl Owner {
    /// The word that a path begins with.
    const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Event => "event",
            Self::Journey => "journey",
        }
    }
}

/// A property of the person, of the trigger event or of the run; dots lead into nested objects, numbers into lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Property {
    owner: Owner,
    path: String,
}

/// A text that is not a property's path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` {mend}", mend = mend(.0))]
pub struct PropertyError(String);

/// What other products call the person.
const PEOPLE: [&str; 7] = ["contact", "customer", "person", "profile", "recipient", "subscriber", "users"];

fn mend(text: &str) -> String {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return "is a value, and no property that has one; write the property, like `user.renewal_at`".to_owned();
    }
    if let Some((_, path)) = text.split_once('.').filter(|(owner, path)| PEOPLE.contains(owner) && !path.is_empty()) {
        return format!("does not say whose property it is; write `user.{path}`");
    }
    let named = text.strip_prefix("user").or_else(|| text.strip_prefix("event")).unwrap_or(text);
    let rest = if named.trim_matches('.').is_empty() { "plan" } else { text };
    format!("does not say whose property it is; write `user.{rest}` or `event.{rest}`")
}

impl Property {
    /// Reads a path from outside.
    ///
    /// # Errors
    /// When it does not begin with `user.`, `event.` or `journey.`, or nothing follows.
    pub fn parse(text: &str) -> Result<Self, PropertyError> {
        let (owner, path) = match text.trim().split_once('.') {
            Some(("user", path)) if !path.is_empty() => (Owner::User, path),
            Some(("event", path)) if !path.is_empty() => (Owner::Event, path),
            Some(("journey", path)) if !path.is_empty() => (Owner::Journey, path),
            _ => return Err(PropertyError(text.trim().chars().take(80).collect())),
        };
        Ok(Self { owner, path: path.to_owned() })
    }

    /// Whose property it is.
    #[must_use]
    pub fn owner(&self) -> Owner {
        self.owner
    }

    /// Whether it has no characters that mean something in Liquid.
    fn is_plain(&self) -> bool {
        self.path.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
    }

    /// The property that a text is nothing but, as in `{{ event.total }}`: a step's value takes it as it is, without Liquid.
    pub(crate) fn alone(text: &str) -> Option<Self> {
        let inside = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
        Self::parse(inside).ok().filter(Self::is_plain)
    }

    /// The path below the owner.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value at the path, where `get` finds the properties at its beginning. A property whose own name has
    /// dots is found before a nested one.
    pub(crate) fn find<'v>(&self, get: impl Fn(&str) -> Option<&'v Value>) -> Option<&'v Value> {
        find(&self.path, get)
    }
}

/// The value at a path, where `get` finds the properties at its beginning; see [`Property::find`].
pub(crate) fn find<'v>(path: &str, get: impl Fn(&str) -> Option<&'v Value>) -> Option<&'v Value> {
    get(path).or_else(|| {
        let (name, inner) = path.split_once('.')?;
        descend(get(name)?, inner)
    })
}

fn descend<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    if let Some(found) = child(value, path) {
        return Some(found);
    }
    let (name, inner) = path.split_once('.')?;
    descend(child(value, name)?, inner)
}

fn child<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(fields) => Map::get(fields, name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.owner.word(), self.path)
    }
}

impl From<Property> for String {
    fn from(property: Property) -> Self {
        property.to_string()
    }
}

impl TryFrom<String> for Property {
    type Error = PropertyError;
    fn try_from(text: String) -> Result<Self, PropertyError> {
        Self::parse(&text)
    }
}

impl JsonSchema for Property {
    fn schema_name() -> Cow<'static, str> {
        "Property".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A property as templates name it: of the person (`user.…`), of the trigger event (`event.…`) or of what the run has gathered (`journey.…`). Dots lead into nested objects.",
            "type": "string",
            "format": "property",
            "pattern": "^(user|event|journey)\\..+$",
            "examples": ["user.plan", "event.order.total"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dots_lead_into_nested_objects_and_lists() {
        let data = json!({"order": {"total": 3, "a.b": 4, "items": [{"sku": "x"}]}, "odd.name": 5});
        let table = [
            ("event.order.total", Some(json!(3))),
            ("event.order.a.b", Some(json!(4))),
            ("event.order.items.0.sku", Some(json!("x"))),
            ("event.odd.name", Some(json!(5))),
            ("event.order.items.1.sku", None),
            ("event.order.total.x", None),
            ("event.nothing", None),
        ];
        for (path, expected) in table {
            let property = Property::parse(path).expect(path);
            assert_eq!(property.find(|name| data.get(name)), expected.as_ref(), "{path}");
        }
    }

    #[test]
    fn a_path_without_an_owner_is_refused_with_both_choices() {
        let error = Property::parse("plan").expect_err("no owner").to_string();
        assert_eq!(error, "`plan` does not say whose property it is; write `user.plan` or `event.plan`");
        for (text, mend) in [("customer.plan", "; write `user.plan`"), ("2027-01-31", "is a value, and no property")] {
            let error = Property::parse(text).expect_err(text).to_string();
            assert!(error.contains(mend), "{error}");
        }
        for bad in ["", "user", "user.", "events.plan"] {
            assert!(Property::parse(bad).is_err(), "{bad}");
        }
    }
}
