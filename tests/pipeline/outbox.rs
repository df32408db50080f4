//! The outbox: what left is seen as its reader would see it.

use axum::body::Body;
use dunlin_tests::Stage;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

/// A page of the outbox: its headers and text.
async fn page(stage: &Stage, path: &str) -> (http::HeaderMap, String) {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let answer = stage.world.router().oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    let headers = answer.headers().clone();
    let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
    (headers, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn a_mail_is_listed_with_its_campaign_and_shown_as_html_text_source_and_file() {
    let stage = Stage::with_examples(1).await;
    stage.identify("ann", json!({"first_name": "<Ann>"})).await;
    stage.track("ann", "Signed up", json!({})).await;
    stage.world.settle().await;
    let id = stage.mails().remove(0).id;
    let (_, list) = page(&stage, "/outbox").await;
    assert!(list.contains("ann@example.com") && list.contains("cmp_welcome") && list.contains("&lt;Ann&gt;"), "{list}");
    let (headers, html) = page(&stage, &format!("/outbox/{id}/html")).await;
    let policy = headers.get("content-security-policy").and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert!(policy.contains("sandbox") && html.contains("&lt;Ann&gt;"), "{policy} {html}");
    assert!(page(&stage, &format!("/outbox/{id}/text")).await.1.contains("<Ann>"));
    assert!(page(&stage, &format!("/outbox/{id}/source")).await.1.contains("List-Unsubscribe"));
    let (headers, file) = page(&stage, &format!("/outbox/{id}.eml")).await;
    assert!(
        headers
            .get("content-disposition")
            .is_some_and(|value| value.to_str().is_ok_and(|text| text.contains("attachment")))
    );
    assert!(file.contains("MIME-Version: 1.0"), "{file}");
}
