//! What a step does to a person, as calls of our own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::call::Properties;

/// Changes of a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// Properties to set. A text may be Liquid; one that is only `{{ event.total }}` takes the value as it is, and unsets
    /// where there is none.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub set: Properties,
    /// Properties to unset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// Tags to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_tags: Vec<String>,
    /// Tags to remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_tags: Vec<String>,
}

impl Changes {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
