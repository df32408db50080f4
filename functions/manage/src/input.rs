//! What comes in a path, a query and a body, with errors in our shape.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use dunlin_core::email::Email;
use dunlin_core::ids::{ProjectId, UserId};
use http::StatusCode;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use crate::answer::Failure;

/// Entries of a listing where the query says nothing.
const LISTED: usize = 100;
/// Entries of a listing at most.
pub(crate) const LISTED_AT_MOST: usize = 1_000;

/// The ids in a path.
pub(crate) struct Place<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Place<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(ids)| Self(ids)).map_err(|rejection| Failure::request(rejection.body_text()))
    }
}

/// The fields of a query.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(fields)| Self(fields)).map_err(|rejection| Failure::request(rejection.body_text()))
    }
}

/// Whose profile: the user of the query, else of the path.
///
/// API Gateway's HTTP APIs decode a path before they hand it over, so that an id with `/`, `?` or `%` only comes
/// through whole in a query.
pub(crate) struct Person {
    pub(crate) project: ProjectId,
    pub(crate) user: UserId,
}

/// The query of a person.
#[derive(Deserialize)]
struct Id {
    id: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Person {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Asked(Id { id }) = Asked::from_request_parts(parts, state).await?;
        let Place((project, user)) = Place::<(ProjectId, String)>::from_request_parts(parts, state).await?;
        let user = UserId::parse(id.as_deref().unwrap_or(&user));
        let user = user.map_err(|why| Failure::request(format!("the user id {why}")))?;
        Ok(Self { project, user })
    }
}

/// A JSON body, whatever its label says; an empty one is `null`.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Failure::large(format!("the body is larger than {} bytes", crate::BODY_BYTES))
            }
            _ => Failure::request("the body ended early"),
        })?;
        let body = serde_json::from_slice(if bytes.is_empty() { b"null" } else { &bytes });
        body.map(Self).map_err(|error| Failure::request(format!("the body does not read: {error}")))
    }
}

/// How much of a listing.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Listing {
    /// Entries at most: 1 to 1,000; 100 where it is missing.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

impl Listing {
    /// The entries asked for.
    pub(crate) fn limit(&self) -> usize {
        limit(self.limit)
    }
}

/// Entries asked for, within bounds.
pub(crate) fn limit(asked: Option<usize>) -> usize {
    asked.unwrap_or(LISTED).clamp(1, LISTED_AT_MOST)
}

/// Reads an address of a path.
pub(crate) fn email(text: &str) -> Result<Email, Failure> {
    Email::parse(text).map_err(|error| Failure::request(format!("the address {error}")))
}
