//! Unsubscribing: a GET only shows a button, since scanners and previews follow every link; a POST acts
//! (RFC 8058's `List-Unsubscribe=One-Click` and the button alike).

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use dunlin_core::call::Action;
use dunlin_core::feedback::InteractionKind;
use dunlin_core::ids::UserId;
use dunlin_core::link::{self, Kind, Purpose};

use crate::Link;
use crate::page::{self, Answer};
use crate::text::Text;

/// Bytes of a body that are read: a button's one field, or a mail program's one.
const BODY_BYTES: usize = 4 * 1024;

/// The page with the button.
pub(crate) async fn ask(State(link): State<Arc<Link>>, Text(text): Text) -> Result<Answer, Answer> {
    let (_, user) = read(&link, &text)?;
    Ok(page::ask(user.as_str()))
}

/// Unsubscribes, or subscribes again when the body says exactly that. Whatever else the body is, whoever
/// posts here wants out: RFC 8058 leaves its encoding open.
pub(crate) async fn act(State(link): State<Arc<Link>>, Text(text): Text, body: Body) -> Result<Answer, Answer> {
    let (seen, user) = read(&link, &text)?;
    let body = to_bytes(body, BODY_BYTES).await.unwrap_or_default();
    if body == format!("{}={}", page::CHOICE, page::RESUBSCRIBE) {
        store(&link, &seen, &user, Action::Resubscribe).await?;
        return Ok(page::resubscribed(user.as_str()));
    }
    store(&link, &seen, &user, Action::Unsubscribe).await?;
    link.report(&seen, InteractionKind::Unsubscribe, None).await;
    Ok(page::unsubscribed(user.as_str()))
}

async fn store(link: &Link, seen: &link::Link, user: &UserId, action: Action) -> Result<(), Answer> {
    if link.call(seen, user, action).await {
        return Ok(());
    }
    tracing::error!(project.id = %seen.project, delivery.id = %seen.delivery, status = 503, "unsubscribe not stored");
    Err(page::try_again())
}

fn read(link: &Link, text: &str) -> Result<(link::Link, UserId), Answer> {
    let seen = link.read(Kind::Unsubscribe, text)?;
    let Purpose::Unsubscribe(user) = &seen.purpose else { return Err(page::not_found()) };
    let user = user.clone();
    Ok((seen, user))
}
