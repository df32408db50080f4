//! What somebody could send who means harm, through the front door and the queues: nothing is forged, injected, crossed,
//! crashed or logged.

#![allow(clippy::indexing_slicing, clippy::expect_used, reason = "a door that opens fails the test")]

mod doors;
mod headers;
mod markup;
mod privacy;
mod projects;
mod queues;
mod redirects;
mod tokens;

use axum::body::Body;
use dunlin_local::Mail;
use dunlin_tests::Stage;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// An answer, read to its end.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

/// Sends any request through the front door.
async fn send(stage: &Stage, request: Request<Body>) -> Answer {
    let answer = stage.world.router().oneshot(request).await.expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
    Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
}

/// A request without anything but a method and a path.
async fn ask(stage: &Stage, method: Method, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
    send(stage, request).await
}

/// Nothing was queued, spilled or parked.
async fn assert_nothing_stored(stage: &Stage) {
    stage.assert_at_rest().await;
    let spilled = stage.world.clients().s3.list_objects_v2().bucket("dunlin-store").send().await.expect("a list");
    assert_eq!(spilled.contents().len(), 0, "something lies in the bucket");
}

/// A mail's decoded part of a type.
fn part(mail: &Mail, kind: &str) -> String {
    let parsed = mailparse::parse_mail(&mail.raw).expect("a mail");
    parsed.parts().find(|part| part.ctype.mimetype == kind).and_then(|part| part.get_body().ok()).unwrap_or_default()
}
