//! Links: nothing that runs, and no way through us to where we did not sign.

use dunlin_core::link::Links;
use dunlin_tests::{Stage, link};
use http::{Method, StatusCode};
use serde_json::json;

use crate::{ask, assert_nothing_stored, part};

/// A link that data is all of, and links that data is a part of.
const LED: &str = "
id: cmp_led
name: Led
kind: transactional
trigger: {event: Bought}
from: shop@larkspur.example
message:
  subject: Look
  html: '<body><a id=\"all\" href=\"{{ event.url }}\">a</a></body>'
";
const PART: &str = "
id: cmp_part
name: Part
kind: transactional
trigger: {event: Looked}
from: shop@larkspur.example
message:
  subject: Look
  html: '<body><a href=\"https://shop.example/{{ event.path }}\">a</a></body>'
";

#[tokio::test]
async fn a_link_from_data_never_runs_a_script() {
    let stage = Stage::new(1).await;
    stage.publish(LED).await;
    stage.identify("ann", json!({})).await;
    for url in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "\u{1}javascript:alert(1)",
        "java\tscript:alert(1)",
        "java\nscript:alert(1)",
        "java\r\nscript:alert(1)",
        "javascript&colon;alert(1)",
        "&#106;avascript:alert(1)",
        "javascript://shop.example/%0aalert(1)",
        "vbscript:msgbox(1)",
        "data:text/html,<script>alert(1)</script>",
        "data:text/html;base64,PHNjcmlwdD4=",
        "blob:https://shop.example/1",
        "file:///etc/passwd",
        "\u{a0}javascript:alert(1)",
        "view-source:javascript:alert(1)",
    ] {
        let before = stage.mails().len();
        stage.track("ann", "Bought", json!({"url": url})).await;
        stage.world.settle().await;
        let html = part(&stage.mails().split_off(before).pop().expect("a mail"), "text/html");
        let tag =
            html.split("<a id=\"all\"").nth(1).and_then(|rest| rest.split('>').next()).expect("a link").to_owned();
        // What a browser reads: white space and control characters inside a scheme do not count.
        let read: String =
            tag.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect::<String>().to_lowercase();
        for scheme in
            ["\"javascript:", "\"vbscript:", "\"data:", "\"blob:", "\"file:", "\"javascript&colon", "\"&#106;"]
        {
            assert!(!read.contains(scheme), "{url:?}: {tag}");
        }
    }
}

#[tokio::test]
async fn data_at_the_end_of_a_link_does_not_change_where_it_leads() {
    let stage = Stage::new(2).await;
    stage.publish(PART).await;
    stage.identify("ann", json!({})).await;
    for path in [
        "/evil.example",
        "//evil.example/x",
        "\\\\evil.example",
        "@evil.example",
        ":x@evil.example/",
        "..//..//evil.example",
        "%2f%2fevil.example",
        "?next=//evil.example",
        "#@evil.example",
        "\r\nLocation: https://evil.example",
        "%0d%0aLocation:%20https://evil.example",
        "\t//evil.example",
        "\u{2028}//evil.example",
        "\" href=\"https://evil.example",
        "https://evil.example",
    ] {
        let before = stage.mails().len();
        stage.track("ann", "Looked", json!({"path": path})).await;
        stage.world.settle().await;
        let mail = stage.mails().split_off(before).pop().expect("a mail");
        let answer = ask(&stage, Method::GET, &link(&mail, "c")).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{path:?}");
        let target = answer.header("location");
        assert!(target.starts_with("https://shop.example/"), "{path:?}: {target}");
        assert!(target.bytes().all(|byte| byte.is_ascii_graphic()) && !target.contains('\\'), "{path:?}: {target}");
        assert_eq!(answer.headers.get_all("location").iter().count(), 1);
        stage.pass(jiff::SignedDuration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn nobody_is_redirected_where_we_did_not_sign() {
    let stage = Stage::new(3).await;
    stage.publish(PART).await;
    stage.identify("ann", json!({})).await;
    stage.track("ann", "Looked", json!({"path": "a"})).await;
    stage.world.settle().await;
    let signed = link(&stage.mails().pop().expect("a mail"), "c");
    stage.pass(jiff::SignedDuration::from_mins(10)).await;
    for path in [
        "/l/c/https://evil.example".to_owned(),
        "/l/c//evil.example".to_owned(),
        "/l/c/%2f%2fevil.example".to_owned(),
        "/l/c/@evil.example".to_owned(),
        "/l/c/%5c%5cevil.example".to_owned(),
        "/l/c?url=https://evil.example".to_owned(),
        "/l/c/?url=https://evil.example".to_owned(),
        "/l/c/x?url=https://evil.example".to_owned(),
        format!("{signed}/https://evil.example"),
        format!("{signed}@evil.example"),
        format!("{signed}%0d%0aLocation:%20https://evil.example"),
        format!("//evil.example{signed}"),
        format!("/l/c/..%2f..{signed}"),
        signed.replace("/l/c/", "/l/C/"),
        signed.replace("/l/c/", "/L/c/"),
    ] {
        let answer = ask(&stage, Method::GET, &path).await;
        assert!(answer.status.is_client_error() && answer.header("location").is_empty(), "{path}: {}", answer.status);
    }
    let beside = ask(&stage, Method::GET, &format!("{signed}?url=https://evil.example#x")).await;
    assert!(beside.header("location").starts_with("https://shop.example/a"), "{}", beside.header("location"));
    assert!(!beside.header("location").contains("evil"));
    stage.pass(jiff::SignedDuration::from_mins(1)).await;
    assert_nothing_stored(&stage).await;
}

#[test]
fn a_host_that_only_looks_like_ours_is_not_taken_for_one_of_our_links() {
    let ring = dunlin_tests::settings().keyring;
    let links = Links::new("https://mail.example.com", &ring).expect("a base");
    for url in [
        "https://mail.example.com.evil.example/l/c/x",
        "https://mail.example.com@evil.example/l/c/x",
        "https://mail.example.com:x@evil.example/l/c/x",
        "https://mail.example.com\\l/c/x",
        "https://evil.example/https://mail.example.com/l/c/x",
        "//mail.example.com/l/c/x",
        "http://mail.example.com/l/c/x",
    ] {
        assert!(!links.contains(url), "{url}");
    }
}
