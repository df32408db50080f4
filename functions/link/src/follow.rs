//! Pixel, redirect, view online.

use std::sync::Arc;

use axum::extract::State;
use dunlin_core::feedback::InteractionKind;
use dunlin_core::link::{Kind, Purpose};
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderValue, Method};

use crate::Link;
use crate::page::{self, Answer};
use crate::text::Text;

/// The pixel of a mail that was opened.
pub(crate) async fn open(
    State(link): State<Arc<Link>>,
    Text(text): Text,
    method: Method,
    headers: HeaderMap,
) -> Result<Answer, Answer> {
    let seen = link.read(Kind::Open, &text)?;
    if method == Method::GET {
        link.report(&seen, InteractionKind::Open, user_agent(&headers)).await;
    }
    Ok(page::pixel())
}

/// On to the target that we signed, and to no other.
pub(crate) async fn click(
    State(link): State<Arc<Link>>,
    Text(text): Text,
    method: Method,
    headers: HeaderMap,
) -> Result<Answer, Answer> {
    let seen = link.read(Kind::Click, &text)?;
    let Purpose::Click(target) = &seen.purpose else { return Err(page::not_found()) };
    let location = HeaderValue::from_str(target.as_str()).map_err(|_| page::not_found())?;
    if method == Method::GET {
        link.report(&seen, InteractionKind::Click, user_agent(&headers)).await;
    }
    Ok(page::redirect(location))
}

/// The mail in the browser.
pub(crate) async fn view(State(link): State<Arc<Link>>, Text(text): Text) -> Result<Answer, Answer> {
    let seen = link.read(Kind::View, &text)?;
    match link.copies.get(&seen.project, &seen.delivery).await {
        Ok(Some(markup)) => Ok(page::mail(markup)),
        Ok(None) => Err(page::gone()),
        Err(error) => {
            tracing::warn!(project.id = %seen.project, delivery.id = %seen.delivery, error.kind = ?error.kind, status = 503, "copy not read");
            Err(page::try_again())
        }
    }
}

fn user_agent(headers: &HeaderMap) -> Option<&str> {
    headers.get(USER_AGENT).and_then(|value| value.to_str().ok())
}
