//! `/status`: how the service is, for everybody: a page, and JSON by `Accept` or at `/status.json`. It rests on no table
//! and shows nothing of any project.

mod page;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dunlin_aws::Clock;
use dunlin_aws::status::Histories;
use dunlin_core::status::{self, Component, DAYS, History, STALE, State as How};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::Shared;

/// How long an answer may be kept, here and by whoever asks: readings are a minute apart, and whoever asks without end
/// costs a read in ten seconds and environment.
const KEPT: SignedDuration = SignedDuration::from_secs(10);
/// The same, as a header.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=10");
/// The page loads nothing.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The status, as this environment last saw it.
#[derive(Debug)]
pub(crate) struct Seen {
    histories: Histories,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    asked_at: Option<Timestamp>,
    is_reached: bool,
    history: History,
}

/// What is shown.
pub(crate) struct Shown {
    at: Timestamp,
    /// Whether the readings could be read, or are still young enough.
    is_known: bool,
    states: Vec<(Component, How)>,
    history: History,
}

impl Seen {
    pub(crate) fn new(histories: Histories) -> Self {
        Self { histories, kept: Mutex::default() }
    }

    async fn show(&self, clock: &Clock) -> Shown {
        let mut kept = self.kept.lock().await;
        let at = clock.now();
        if kept.asked_at.is_none_or(|asked_at| at >= asked_at + KEPT) {
            kept.asked_at = Some(at);
            match self.histories.get().await {
                Ok(history) => {
                    kept.is_reached = true;
                    kept.history = history.unwrap_or_default();
                }
                Err(error) => {
                    kept.is_reached = false;
                    tracing::warn!(error = %error, "status not read");
                }
            }
        }
        let history = kept.history.clone();
        let is_known = kept.is_reached || at.duration_since(history.at) <= STALE;
        let states = if is_known {
            status::present(&history, at)
        } else {
            Component::ALL.map(|component| (component, How::Unknown)).into()
        };
        Shown { at, is_known, states, history }
    }
}

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/status", get(either)).route("/status.json", get(document))
}

async fn either(state: State<Shared>, headers: HeaderMap) -> Response {
    let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accepts.contains("application/json") && !accepts.contains("text/html") {
        return document(state).await;
    }
    let shown = state.status.show(&state.clock).await;
    answer("text/html; charset=utf-8", page::page(&shown).into_string())
}

async fn document(State(manage): State<Shared>) -> Response {
    let shown = manage.status.show(&manage.clock).await;
    answer("application/json", shown.json().to_string())
}

fn answer(media_type: &'static str, body: String) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (CACHE_CONTROL, CACHE),
        (VARY, HeaderValue::from_static("accept")),
        (CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, body).into_response()
}

impl Shown {
    /// What was not well, newest day first.
    fn unwell(&self, component: Component) -> impl Iterator<Item = (&status::Day, status::Tally)> {
        self.history.days.iter().rev().filter_map(move |day| Some((day, day.tally(component)?)))
    }

    /// Of all components in one sentence.
    fn summary(&self) -> String {
        if !self.is_known {
            return "The readings cannot be reached: nothing is known at the moment".to_owned();
        }
        let unwell = self.states.iter().filter(|(_, state)| *state != How::Operational);
        let unwell: Vec<String> = unwell.map(|(component, state)| format!("{}: {state}", component.name())).collect();
        if unwell.is_empty() { "All components are operational".to_owned() } else { unwell.join("; ") }
    }

    fn json(&self) -> Value {
        let component = |(component, state): &(Component, How)| {
            let mut one = json!({ "component": component.code(), "name": component.name() });
            let state = serde_json::to_value(state).unwrap_or_default();
            if let (Some(one), Value::Object(state)) = (one.as_object_mut(), state) {
                one.extend(state);
            }
            let day = |(day, tally): (&status::Day, status::Tally)| {
                json!({
                    "date": day.date,
                    "delayed_minutes": tally.delayed_minutes,
                    "down_minutes": tally.down_minutes,
                    "longest_delay_seconds": tally.longest_delay_seconds,
                })
            };
            let days: Vec<Value> = self.unwell(*component).map(day).collect();
            if let Some(one) = one.as_object_mut() {
                one.insert("days".to_owned(), days.into());
            }
            one
        };
        let read_at = (self.history.at != Timestamp::MIN).then_some(self.history.at);
        let not_offered = Component::NOT_OFFERED.map(|name| json!({ "name": name, "state": "not_offered" }));
        let components: Vec<Value> = self.states.iter().map(component).chain(not_offered).collect();
        let read = self.history.days.iter().map(|day| json!({ "date": day.date, "minutes": day.minutes }));
        json!({
            "at": self.at,
            "read_at": read_at,
            "summary": self.summary(),
            "components": components,
            "history_days": DAYS,
            "read": read.collect::<Vec<Value>>(),
        })
    }
}
