//! The outbox's routes: pages for people, JSON for scripts, the message itself for mail readers.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderName, HeaderValue, StatusCode, header};
use maud::Markup;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Parts;
use super::{Mail, Outbox, style, view};

/// What a page of ours may load: its style sheet, and a mail in a frame.
const OF_A_PAGE: &str = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// What a mail may load: pictures, fonts and styles, as in a mail reader. No script, no form, no
/// origin; links open outside.
const OF_A_MAIL: &str = "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; default-src 'none'; img-src * data:; font-src * data:; style-src * 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";
/// What plain text may load.
const NOTHING: &str = "default-src 'none'; sandbox";

/// Mails in the JSON list unless asked otherwise, and at most.
const JSON_LIMIT: usize = 100;
const MAX_JSON_LIMIT: usize = 1000;

/// Everything under `/outbox`, and `/outbox.json`.
pub(crate) fn router(outbox: Outbox) -> Router {
    Router::new()
        .route("/outbox", get(list))
        .route("/outbox.json", get(list_json))
        .route("/outbox/style.css", get(|| async { answer("text/css; charset=utf-8", NOTHING, style::CSS) }))
        .route("/outbox/{name}", get(one))
        .route("/outbox/{id}/{what}", get(part))
        .with_state(outbox)
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    page: usize,
    limit: Option<usize>,
    #[serde(default)]
    offset: usize,
}

fn answer(media_type: &'static str, policy: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        let name: HeaderName = name;
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn html(page: Markup) -> Response {
    answer("text/html; charset=utf-8", OF_A_PAGE, page.into_string())
}

fn json(value: &Value) -> Response {
    answer("application/json", NOTHING, value.to_string())
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, answer("text/plain; charset=utf-8", NOTHING, "there is no such mail\n")).into_response()
}

async fn list(State(outbox): State<Outbox>, Query(asked): Query<Asked>) -> Response {
    let mails = outbox.list(view::PAGE, asked.page.saturating_mul(view::PAGE));
    html(view::list(&mails, outbox.count(), asked.page))
}

async fn list_json(State(outbox): State<Outbox>, Query(asked): Query<Asked>) -> Response {
    let limit = asked.limit.unwrap_or(JSON_LIMIT).min(MAX_JSON_LIMIT);
    let mails: Vec<Value> = outbox.list(limit, asked.offset).iter().map(summary).collect();
    json(&json!({ "count": outbox.count(), "mails": mails }))
}

fn summary(mail: &Mail) -> Value {
    let tags: serde_json::Map<String, Value> =
        mail.tags.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    json!({
        "id": mail.id,
        "at": mail.at,
        "from": mail.from,
        "to": mail.to,
        "subject": mail.subject,
        "configurationSet": mail.configuration_set,
        "tags": tags,
    })
}

/// A mail's page; with `.eml` the message to download, with `.json` everything for a script.
async fn one(State(outbox): State<Outbox>, Path(name): Path<String>) -> Response {
    let (id, kind) = name.rsplit_once('.').unwrap_or((&name, ""));
    let Some(mail) = outbox.get(id) else { return not_found() };
    match kind {
        "" => html(view::mail(&mail, &Parts::of(&mail.raw))),
        "eml" => {
            let mut response = answer("message/rfc822", NOTHING, mail.raw);
            if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{id}.eml\"")) {
                response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
            }
            response
        }
        "json" => {
            let mut value = summary(&mail);
            let parts = Parts::of(&mail.raw);
            if let Value::Object(fields) = &mut value {
                fields.insert("html".to_owned(), json!(parts.html));
                fields.insert("text".to_owned(), json!(parts.text));
                fields.insert("headers".to_owned(), json!(parts.headers));
                fields.insert("attachments".to_owned(), json!(parts.attachments));
            }
            json(&value)
        }
        _ => not_found(),
    }
}

async fn part(State(outbox): State<Outbox>, Path((id, what)): Path<(String, String)>) -> Response {
    let Some(mail) = outbox.get(&id) else { return not_found() };
    let text = "text/plain; charset=utf-8";
    match what.as_str() {
        "source" => answer(text, NOTHING, mail.raw),
        "html" => {
            Parts::of(&mail.raw).html.map_or_else(not_found, |html| answer("text/html; charset=utf-8", OF_A_MAIL, html))
        }
        "text" => Parts::of(&mail.raw).text.map_or_else(not_found, |body| answer(text, NOTHING, body)),
        _ => not_found(),
    }
}
