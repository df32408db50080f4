//! The admin key, and the one line of log for each request.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use dunlin_core::token::Keyring;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::Shared;
use crate::answer::Failure;

/// What the key is signed for: no token or link has such a signature.
const PURPOSE: &str = "admin";

/// The admin key as a signature of it: what is shown is compared as signatures, in constant time.
#[derive(Clone, Debug)]
pub(crate) struct AdminKey {
    signature: Option<String>,
}

impl AdminKey {
    /// Holds `key`; where there is none, no key fits.
    pub(crate) fn new(keyring: &Keyring, key: Option<&str>) -> Self {
        Self { signature: key.map(|key| keyring.sign(PURPOSE, key)) }
    }

    /// Whether `shown` is the key.
    fn is(&self, keyring: &Keyring, shown: &str) -> bool {
        let fits = |signature: &String| keyring.check(keyring.newest(), PURPOSE, shown, signature).is_ok();
        self.signature.as_ref().is_some_and(fits)
    }
}

/// Lets a request with the admin key pass. Paths are logged as routes: a path may hold an address.
pub(crate) async fn check(State(manage): State<Shared>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let method = request.method().clone();
    let allowed = bearer(request.headers()).is_some_and(|shown| manage.admin_key.is(&manage.keyring, shown));
    let response = if allowed { next.run(request).await } else { Failure::key().into_response() };
    tracing::info!(http.method = %method, http.route = route, status = response.status().as_u16(), "answered");
    response
}

/// The token of an `Authorization: Bearer` header (RFC 6750 §2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
