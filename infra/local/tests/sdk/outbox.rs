use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, RawMessage};
use axum::body::{Body, to_bytes};
use dunlin_local::Cloud;
use http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt as _;

use crate::{cloud, ses_client};

const MAIL: &str = "From: Shop <shop@example.com>\r\nTo: ada@example.org\r\nSubject: <b>hi</b>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nplain words\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>rich <script>words()</script></p>\r\n--b--\r\n";

async fn send(cloud: &Cloud) -> String {
    let raw = RawMessage::builder().data(Blob::new(MAIL)).build().unwrap();
    let send = ses_client(cloud).send_email().content(EmailContent::builder().raw(raw).build());
    let send = send.destination(Destination::builder().to_addresses("ada@example.org").build());
    send.send().await.unwrap().message_id.unwrap()
}

async fn get(cloud: &Cloud, path: &str) -> (StatusCode, HeaderMap, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (parts, body) = cloud.outbox_router().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_list_shows_mails_and_escapes_what_they_say() {
    let cloud = cloud();
    assert!(get(&cloud, "/outbox").await.2.contains("Nothing was mailed yet"));
    let id = send(&cloud).await;
    let (status, headers, page) = get(&cloud, "/outbox").await;
    assert_eq!(status, StatusCode::OK);
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert!(page.contains("&lt;b&gt;hi&lt;/b&gt;") && page.contains(&format!("/outbox/{id}")), "{page}");
    let json: serde_json::Value = serde_json::from_str(&get(&cloud, "/outbox.json").await.2).unwrap();
    assert_eq!(json["mails"][0]["to"][0], "ada@example.org");
    assert_eq!(json["count"], 1);
}

#[tokio::test]
async fn a_mail_is_shown_without_its_scripts_and_given_as_it_is() {
    let cloud = cloud();
    let id = send(&cloud).await;
    let (_, _, page) = get(&cloud, &format!("/outbox/{id}")).await;
    assert!(page.contains("plain words") && page.contains("iframe") && !page.contains("words()"), "{page}");
    let (_, headers, html) = get(&cloud, &format!("/outbox/{id}/html")).await;
    assert!(html.contains("rich"));
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("sandbox") && !policy.contains("allow-scripts"), "{policy}");
    let (_, headers, eml) = get(&cloud, &format!("/outbox/{id}.eml")).await;
    assert_eq!(headers["content-disposition"], format!("attachment; filename=\"{id}.eml\""));
    assert!(eml.contains("Message-ID: <"));
    assert_eq!(get(&cloud, &format!("/outbox/{id}/text")).await.2.trim(), "plain words");
    assert!(get(&cloud, &format!("/outbox/{id}.json")).await.2.contains("plain words"));
    assert_eq!(get(&cloud, "/outbox/none").await.0, StatusCode::NOT_FOUND);
}
