//! The source of a template, and the file it came from.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// A template's source. In a file it is a text, or `{file: NAME}`; in a stored campaign the text is always there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BodyForm", into = "BodyForm")]
pub struct Body {
    /// The Liquid source.
    pub text: String,
    /// The file it came from, beside the campaign's own.
    pub file: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum BodyForm {
    /// The source itself.
    Inline(String),
    /// A file beside the campaign's own.
    #[schemars(extend("additionalProperties" = false))]
    File {
        /// Its name, from the campaign's folder.
        file: String,
        /// Its content; filled in when the campaign is pushed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
}

impl From<Body> for BodyForm {
    fn from(body: Body) -> Self {
        match body.file {
            Some(file) => Self::File { file, text: Some(body.text) },
            None => Self::Inline(body.text),
        }
    }
}

impl TryFrom<BodyForm> for Body {
    type Error = String;
    fn try_from(form: BodyForm) -> Result<Self, String> {
        match form {
            BodyForm::Inline(text) => Ok(Self { text, file: None }),
            BodyForm::File { file, text: Some(text) } => Ok(Self { text, file: Some(file) }),
            BodyForm::File { file, text: None } => Err(format!("the content of `{file}` is missing")),
        }
    }
}

impl JsonSchema for Body {
    fn schema_name() -> Cow<'static, str> {
        "Body".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BodyForm::json_schema(generator)
    }
}
