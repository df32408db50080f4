//! HTML injection: data is text, in the mail, its copy for the browser, the pages that recipients see and the outbox.

use dunlin_tests::{Stage, link};
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{ask, part};

/// Data in text, in attributes of both quotes, in a link, in the preheader, and by loops and filters.
const SHOWN: &str = "
id: cmp_shown
name: Shown
kind: behavioural
trigger: {event: Looked}
from: '{{ event.x }} <shop@larkspur.example>'
message:
  subject: 'See {{ event.x }}'
  preheader: '{{ event.x }}'
  html: |
    <body><p title=\"{{ event.x }}\" lang='{{ user.x }}'>{{ event.x }} {{ user.x | upcase }} {{ event.list[0].x }}</p>
    {% for item in event.list %}<b>{{ item.x | append: event.x }}</b>{% endfor %}
    <a href=\"https://shop.example/?q={{ event.x | url_encode }}\">{{ event.x | truncate: 30 }}</a>
    {{ url.unsubscribe }} {{ url.permalink }}</body>
  text: '{{ event.x }} {{ url.permalink_link }}'
";

/// Texts that are markup where they are not escaped.
const MARKUP: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "' onmouseover='alert(1)",
    "</title></body></html><svg onload=alert(1)>",
    "<!--",
    "-->]]><b>",
    "{{ user.email }}{% include 'x' %}",
    "<a href=javascript:alert(1)>x</a>",
    "&lt;script&gt;&#60;script&#62;",
    "<plaintext>",
];

/// What makes the structure of a page: its tags, less what our own links and digests differ by.
fn tags(html: &str) -> Vec<String> {
    html.split('<').skip(1).map(|tag| tag.split([' ', '>', '=']).next().unwrap_or_default().to_owned()).collect()
}

/// Whether a tag has an attribute that runs something; what stands between quotes of either kind is no attribute.
fn runs(html: &str) -> bool {
    let (mut inside, mut quote, mut bare) = (false, None, String::new());
    for c in html.chars() {
        match (inside, quote, c) {
            (false, _, '<') => inside = true,
            (true, None, '>') => inside = false,
            (true, None, '"' | '\'') => quote = Some(c),
            (true, None, _) => bare.push(c),
            (true, Some(open), _) if c == open => quote = None,
            _ => {}
        }
    }
    bare.to_lowercase().contains(" on")
}

async fn looked(stage: &Stage, id: &str, x: &str) {
    stage.identify(id, json!({"x": x})).await;
    stage.track(id, "Looked", json!({"x": x, "list": [{"x": x}, {"x": x}]})).await;
    stage.world.settle().await;
}

#[tokio::test]
async fn data_is_text_in_a_mail_its_copy_and_the_outbox() {
    let stage = Stage::new(1).await;
    stage.publish(SHOWN).await;
    looked(&stage, "ann", "harmless words").await;
    let first = stage.mails().pop().expect("a mail");
    let (mail_tags, page) = (tags(&part(&first, "text/html")), format!("/outbox/{}", first.id));
    let outbox_tags = tags(&ask(&stage, Method::GET, &page).await.text);
    for (number, text) in MARKUP.into_iter().enumerate() {
        let before = stage.mails().len();
        looked(&stage, &format!("p{number}"), text).await;
        let mail = stage.mails().split_off(before).pop().expect("a mail");
        let html = part(&mail, "text/html");
        assert_eq!(tags(&html), mail_tags, "{text}: {html}");
        assert!(!runs(&html), "{text}: {html}");
        let copy = ask(&stage, Method::GET, &link(&mail, "v")).await;
        assert_eq!((copy.status, tags(&copy.text)), (StatusCode::OK, mail_tags.clone()), "{text}");
        let policy = copy.header("content-security-policy");
        assert!(
            policy.starts_with("sandbox ")
                && !policy.contains("allow-scripts")
                && policy.contains("default-src 'none'")
        );
        assert_eq!(copy.header("x-content-type-options"), "nosniff");
        let page = ask(&stage, Method::GET, &format!("/outbox/{}", mail.id)).await;
        assert_eq!(tags(&page.text), outbox_tags, "{text}");
        let shown = ask(&stage, Method::GET, &format!("/outbox/{}/html", mail.id)).await;
        assert!(
            shown.header("content-security-policy").starts_with("sandbox ")
                && !shown.header("content-security-policy").contains("allow-scripts")
        );
        for (what, kind) in [("text", "text/plain"), ("source", "text/plain")] {
            let plain = ask(&stage, Method::GET, &format!("/outbox/{}/{what}", mail.id)).await;
            assert!(
                plain.header("content-type").starts_with(kind) && plain.header("x-content-type-options") == "nosniff"
            );
        }
    }
    let list = ask(&stage, Method::GET, "/outbox").await.text;
    assert!(!list.contains("<script") && !list.contains("<svg") && !list.contains("<img"), "{list}");
    stage.pass(SignedDuration::from_mins(10)).await;
}

#[tokio::test]
async fn an_id_that_is_markup_is_text_on_the_unsubscribe_pages() {
    let stage = Stage::new(2).await;
    stage.publish(SHOWN).await;
    let mailed = async |id: &str| {
        stage.call(Method::POST, "/users/track", json!({"id": id, "email": "ann@example.com"})).await;
        let before = stage.mails().len();
        stage.track(id, "Looked", json!({"x": "x", "list": [{}, {}]})).await;
        stage.world.settle().await;
        stage.mails().split_off(before).pop().expect("a mail")
    };
    let mail = mailed("harmless@").await;
    let pages = async |mail: &dunlin_local::Mail| {
        let path = link(mail, "u");
        let mut pages = Vec::new();
        for method in [Method::GET, Method::POST] {
            let page = ask(&stage, method, &path).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(page.header("content-security-policy").contains("default-src 'none'"));
            pages.push(page.text);
        }
        pages
    };
    let want: Vec<Vec<String>> = pages(&mail).await.iter().map(|page| tags(page)).collect();
    for text in MARKUP {
        let mail = mailed(&format!("{text}@")).await;
        let found = pages(&mail).await;
        assert_eq!(found.iter().map(|page| tags(page)).collect::<Vec<_>>(), want, "{text}");
        assert!(found.iter().all(|page| !runs(page)), "{text}");
    }
}

#[tokio::test]
async fn an_error_shows_nothing_of_the_request_as_markup() {
    let stage = Stage::new(3).await;
    let key = format!("Bearer {}", dunlin_tests::ADMIN_KEY);
    for text in ["%3Cscript%3Ealert(1)%3C%2Fscript%3E", "%22%3E%3Csvg%20onload=x%3E", "x?a=%3Cscript%3E"] {
        for path in ["/", "/l/c/", "/l/u/", "/l/v/", "/l/x/", "/outbox/", "/api/v2/", "/v1/", "/manage/v1/projects/"] {
            let path = format!("{path}{text}");
            for method in [Method::GET, Method::POST] {
                let request = http::Request::builder().method(method).uri(&path).header("authorization", &key);
                let answer = crate::send(&stage, request.body(axum::body::Body::empty()).expect("a request")).await;
                assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
                let html = answer.header("content-type").starts_with("text/html");
                assert!(!html || !(answer.text.contains("<script") || answer.text.contains("<svg")), "{path}");
                assert!(
                    html || answer.header("content-type").starts_with("application/json")
                        || answer.text.is_empty()
                        || answer.header("content-type").starts_with("text/plain"),
                    "{path}"
                );
            }
        }
    }
    let campaign = json!({"id": "cmp_x", "name": "<script>", "<script>alert(1)</script>": 1});
    let path = format!("/projects/{}/campaigns/cmp_x", stage.project);
    let (status, answer) = stage.manage(Method::PUT, &path, &campaign).await;
    assert!(status.is_client_error() && answer["error"] != Value::Null, "{status}: {answer}");
}
