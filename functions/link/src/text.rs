//! The text of a link, as it stands in a path.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;

use crate::page::{self, Answer};

/// What stands behind the kind's letter. One that is not UTF-8 is a link that does not work, like any other.
pub(crate) struct Text(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Text {
    type Rejection = Answer;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Answer> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(text)| Self(text)).map_err(|_| page::not_found())
    }
}
