//! Oversized and malformed everything, at each door: a 4xx that says what is wrong, and nothing half stored.

use axum::body::Body;
use dunlin_tests::{ADMIN_KEY, Stage};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::{assert_nothing_stored, send};

/// Bytes of a body larger than any door takes.
const HUGE: usize = 3 * 1024 * 1024;

/// What is wrong with a request to the APIs.
struct Wrong {
    what: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn wrong(what: &'static str, body: impl Into<Vec<u8>>) -> Wrong {
    Wrong { what, headers: vec![("content-type", "application/json".to_owned())], body: body.into() }
}

fn labelled(what: &'static str, name: &'static str, value: &str, body: impl Into<Vec<u8>>) -> Wrong {
    Wrong { what, headers: vec![(name, value.to_owned())], body: body.into() }
}

/// `{"id":"x"}` in gzip, with a checksum that does not fit.
const SPOILT: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\x4c\x51\xb2\x52\xaa\x50\xaa\x05\x00\xbd\x7e\x53\x76\x0a\x00\x00\x00";

/// 30 KB that open to 30 MB of otherwise good JSON.
const BOMB: &[u8] = include_bytes!("bomb.gz");

/// Bodies that no endpoint takes, whatever the credential. `%T` is the token.
fn malformed() -> Vec<Wrong> {
    let deep = |open: &str, close: &str, levels: usize| format!("{}{}", open.repeat(levels), close.repeat(levels));
    let event = |rest: &str| format!("{{\"auth_token\":\"%T\",\"writeKey\":\"%T\",{rest}}}");
    let keys: Vec<String> = (0..1_500).map(|key| format!("\"k{key}\":1")).collect();
    let mut list = vec![
        wrong("nothing", ""),
        wrong("white space", " \r\n\t "),
        wrong("a text", "hello"),
        wrong("half an object", "{\"auth_token\":\"%T\""),
        wrong("an array", "[{\"auth_token\":\"%T\"}]"),
        wrong("null", "null"),
        wrong("two objects", "{\"auth_token\":\"%T\"}{\"id\":\"x\"}"),
        wrong("a comment", "{\"auth_token\":\"%T\" /* x */}"),
        wrong("a NUL", "{\"auth_token\":\"%T\",\"id\":\"a\0b\"}"),
        wrong("a line break in a text", "{\"auth_token\":\"%T\",\"id\":\"a\nb\"}"),
        wrong("a lone surrogate", event("\"id\":\"\\ud800\",\"userId\":\"\\ud800\"")),
        wrong("surrogates the wrong way round", event("\"id\":\"\\udc00\\ud800\",\"userId\":\"\\udc00\\ud800\"")),
        wrong("a bad escape", event("\"id\":\"\\x41\"")),
        wrong("a number too large", event("\"id\":1e999,\"userId\":1e999")),
        wrong("a number that is none", event("\"id\":NaN")),
        wrong("invalid UTF-8", b"{\"id\":\"\xff\xfe\"}".to_vec()),
        wrong("an overlong encoding", b"{\"id\":\"\xc0\xaf\"}".to_vec()),
        wrong("a surrogate as bytes", b"{\"id\":\"\xed\xa0\x80\"}".to_vec()),
        wrong("UTF-16", b"\xff\xfe{\0\"\0i\0d\0\"\0:\0\"\0x\0\"\0}\0".to_vec()),
        wrong("a million brackets", deep("[", "]", 200_000)),
        wrong("a hundred thousand objects", deep("{\"a\":", "1}", 80_000)),
        wrong("a body too large", format!("{{\"id\":\"x\",\"data\":\"{}\"}}", "x".repeat(HUGE))),
        wrong("zip", b"PK\x03\x04\x14\0\0\0\x08\0".to_vec()),
        wrong("half of gzip", BOMB[..BOMB.len() / 2].to_vec()),
        wrong("a gzip bomb", BOMB.to_vec()),
        wrong("gzip with a wrong checksum", SPOILT.to_vec()),
        wrong("gzip's name alone", vec![0x1f, 0x8b]),
        labelled("an unknown encoding", "content-encoding", "br", "{\"id\":\"x\"}"),
        labelled("an encoding of many", "content-encoding", "gzip, gzip", "{\"id\":\"x\"}"),
        labelled("a form of nothing", "content-type", "application/x-www-form-urlencoded", "=&=&="),
        labelled(
            "a form that is not UTF-8",
            "content-type",
            "application/x-www-form-urlencoded",
            "id=%ff%fe&auth_token=%T",
        ),
        labelled("a form of many fields", "content-type", "application/x-www-form-urlencoded", "a=1&".repeat(5_000)),
        labelled(
            "a multipart form",
            "content-type",
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\nx\r\n--b--",
        ),
        labelled(
            "XML",
            "content-type",
            "application/xml",
            "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><x>&a;</x>",
        ),
        labelled("a length that lies", "content-length", "99999999", "{}"),
    ];
    list.push(wrong("many keys", format!("{{\"auth_token\":\"%T\",\"id\":\"x\",\"identity\":{{\"id\":\"x\"}},\"event_name\":\"e\",\"data\":{{{0}}},\"changes\":{{{0}}},\"add\":[{{{0}}}],\"new_id\":\"y\"}}", keys.join(","))));
    list
}

/// One request to the APIs; `%T` in the body becomes the token.
async fn post(stage: &Stage, method: Method, path: &str, wrong: &Wrong) -> crate::Answer {
    // The credential is right, so that nothing but the body can be what is refused.
    let bearer = format!("Bearer {}", stage.token);
    let mut request = Request::builder().method(method).uri(path).header("authorization", bearer);
    for (name, value) in &wrong.headers {
        request = request.header(*name, value);
    }
    let body = match std::str::from_utf8(&wrong.body) {
        Ok(text) => text.replace("%T", &stage.token).into_bytes(),
        Err(_) => wrong.body.clone(),
    };
    send(stage, request.body(Body::from(body)).expect("a request")).await
}

#[tokio::test]
async fn a_malformed_or_oversized_call_is_refused_in_words_and_stores_nothing() {
    let stage = Stage::new(1).await;
    let track = [
        (Method::POST, "users/track"),
        (Method::PUT, "users/edit"),
        (Method::PUT, "users/tags/edit"),
        (Method::POST, "users/unsubscribe"),
        (Method::POST, "users/resubscribe"),
        (Method::PUT, "users/reidentify"),
        (Method::POST, "users/delete"),
        (Method::POST, "events/track"),
    ];
    let paths = track.into_iter().map(|(method, path)| (method, format!("/api/v2/{path}?auth_token={}", stage.token)));
    let segment = ["batch", "identify", "track", "page", "screen", "group", "alias"];
    let segment = segment.map(|path| (Method::POST, format!("/v1/{path}")));
    for (method, path) in paths.chain(segment) {
        for wrong in malformed() {
            let answer = post(&stage, method.clone(), &path, &wrong).await;
            // Segment's clients expect 200 also for items that are not taken; those are only counted.
            if path.starts_with("/v1/") && answer.status == StatusCode::OK {
                continue;
            }
            assert!(answer.status.is_client_error(), "{path}: {}: {} {}", wrong.what, answer.status, answer.text);
            let message = answer.json()["message"].as_str().unwrap_or_default().to_owned();
            assert!((10..300).contains(&message.len()), "{path}: {}: {}", wrong.what, answer.text);
            assert_eq!(answer.json()["status"], json!(answer.status.as_u16()), "{path}: {}", wrong.what);
        }
    }
    assert_nothing_stored(&stage).await;
}

#[tokio::test]
async fn a_field_of_another_type_or_size_is_refused_by_its_name() {
    let stage = Stage::new(2).await;
    let long = "x".repeat(256);
    let table = [
        ("users/track", json!({"id": {"a": 1}}), "id"),
        ("users/track", json!({"id": []}), "id"),
        ("users/track", json!({"id": true}), "id"),
        ("users/track", json!({"id": long}), "id"),
        ("users/track", json!({"email": "x@"}), "email"),
        ("users/track", json!({"id": "x", "data": [1]}), "data"),
        ("users/track", json!({"id": "x", "data": "{"}), "data"),
        ("users/track", json!({"id": "x", "data": "[[[["}), "data"),
        ("users/track", json!({"id": "x", "data": {"a": "x".repeat(40_000)}}), "data"),
        ("users/track", json!({"id": "x", "channels": [{"type": 7}]}), "channels"),
        ("users/track", json!({"id": "x", "extras": "x=1"}), "extras"),
        ("events/track", json!({"identity": {"id": "x"}, "event_name": long}), "event_name"),
        ("events/track", json!({"identity": {"id": "x"}, "event_name": ["a"]}), "event_name"),
        ("events/track", json!({"identity": {"id": "x"}, "event_name": "\u{1}"}), "event_name"),
        ("events/track", json!({"identity": {"id": "x"}, "event_name": " "}), "event_name"),
        ("events/track", json!({"identity": [], "event_name": "a"}), "identity"),
        (
            "events/track",
            json!({"identity": {"id": "x"}, "event_name": "a", "extras": {"created_at": "yesterday"}}),
            "created_at",
        ),
        (
            "events/track",
            json!({"identity": {"id": "x"}, "event_name": "a", "extras": {"created_at": 1e300}}),
            "created_at",
        ),
    ];
    let mut taken = Vec::new();
    for (path, body, field) in table {
        let mut sent = body.clone();
        sent["auth_token"] = json!(stage.token);
        let (status, answer) = stage.request(Method::POST, &format!("/api/v2/{path}"), &[], &sent).await;
        if status == StatusCode::OK {
            taken.push(body);
            continue;
        }
        assert!(status.is_client_error(), "{field}: {status}");
        assert!(
            answer["message"].as_str().is_some_and(|text| text.contains(field) && !text.contains("xxxx")),
            "{body}: {answer}"
        );
    }
    // An event's name may be any text of the right size.
    assert_eq!(taken, [json!({"identity": {"id": "x"}, "event_name": "\u{1}"})]);
}

#[tokio::test]
async fn the_last_of_two_equal_keys_counts_everywhere() {
    let stage = Stage::new(3).await;
    let body = format!(
        "{{\"auth_token\":\"forged\",\"auth_token\":\"{}\",\"id\":\"eve\",\"id\":\"ann\",\"data\":{{\"a\":1,\"a\":2}}}}",
        stage.token
    );
    let wrong = wrong("twice", body);
    assert_eq!(post(&stage, Method::POST, "/api/v2/users/track", &wrong).await.status, StatusCode::OK);
    stage.world.settle().await;
    assert_eq!(stage.show("/profiles/ann").await["properties"], json!({"a": 2}));
    let path = format!("/projects/{}/profiles/eve", stage.project);
    assert_eq!(stage.manage(Method::GET, &path, &Value::Null).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn text_of_every_kind_that_is_accepted_is_stored_as_it_was() {
    let stage = Stage::new(4).await;
    let texts = [
        "\0",
        "\u{fffe}\u{ffff}",
        "\u{2028}",
        "\u{202e}",
        "🦆",
        "a\r\nb",
        "<b>&amp;",
        "%00",
        "../..",
        "${jndi:x}",
        "'; DROP TABLE x;--",
        "\u{feff}",
    ];
    for (number, text) in texts.into_iter().enumerate() {
        let id = format!("{number}{text}x");
        stage.call(Method::POST, "/users/track", json!({"id": id, "data": {text: {"deep": [text]}}})).await;
        stage.call(Method::PUT, "/users/tags/edit", json!({"id": id, "add": [format!("t{text}t")]})).await;
        stage.track(&id, &format!("e{text}e"), json!({text: text})).await;
        stage.world.settle().await;
        let query: String = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let shown = stage.show(&format!("/profiles/x?id={query}")).await;
        assert_eq!(shown["id"], json!(id));
        assert_eq!(shown["properties"], json!({text: {"deep": [text]}}), "{text:?}");
    }
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn an_instant_at_the_ends_of_time_harms_nobody() {
    let stage = Stage::with_examples(5).await;
    for (number, at) in [
        json!("-009999-01-02T01:59:59Z"),
        json!("9999-12-30T22:00:00Z"),
        json!(-377_705_023_201_i64),
        json!(0),
        json!(253_402_207_200_i64),
        json!("1e9"),
    ]
    .into_iter()
    .enumerate()
    {
        let (id, extras) = (format!("p{number}"), json!({"created_at": at}));
        for _ in 0..2 {
            stage
                .call(Method::POST, "/users/track", json!({"id": id, "email": "a@example.com", "extras": extras}))
                .await;
            let event = json!({"identity": {"id": id}, "event_name": "Signed up", "extras": extras});
            stage.call(Method::POST, "/events/track", event).await;
            stage.pass(jiff::SignedDuration::from_mins(6)).await;
        }
        let item = json!({"type": "track", "userId": id, "event": "Looked", "sentAt": "-009999-01-02T01:59:59Z", "originalTimestamp": "9999-12-30T22:00:00Z", "timestamp": at});
        let body = json!({"batch": [item], "writeKey": stage.token, "sentAt": "9999-12-30T22:00:00Z"});
        assert_eq!(stage.request(Method::POST, "/v1/batch", &[], &body).await.0, StatusCode::OK);
        stage.call(Method::POST, "/users/delete", json!({"id": id})).await;
        stage.pass(jiff::SignedDuration::from_mins(6)).await;
    }
    let (_, parked) = stage.manage(Method::GET, "/parked", &Value::Null).await;
    assert_eq!(parked["parked"], json!([]));
}

/// Paths that nobody should ask for.
const PATHS: [&str; 21] = [
    "%00",
    "%ff",
    "%c0%af",
    "..",
    "../..",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/",
    "\\..\\",
    "//",
    ".",
    ";",
    "%",
    "%zz",
    "%0d%0aSet-Cookie:x=y",
    "~",
    "'\"",
    "{x}",
    "*",
    "users/track/%00",
    "users%2ftrack",
    "USERS/TRACK",
];

/// Queries that nobody should ask with.
const QUERIES: [&str; 9] = [
    "",
    "?",
    "?%00=%ff",
    "?a=1&a=2&auth_token=x&auth_token=y",
    "?limit=-1",
    "?limit=99999999999999999999",
    "?version=x",
    "?id=%ff",
    "?id=1&id=2",
];

/// Where paths begin.
const DOORS: [&str; 14] = [
    "/api/v2/",
    "/v1/",
    "/l/c/",
    "/l/u/",
    "/l/o/",
    "/l/v/",
    "/l/",
    "/manage/v1/",
    "/manage/v1/projects/",
    "/manage/v1/parked/",
    "/manage/v1/projects/prj_a/profiles/",
    "/manage/v1/projects/prj_a/suppressions/",
    "/manage/v1/projects/prj_a/tokens/",
    "/manage/",
];

#[tokio::test]
async fn no_path_query_or_header_is_more_than_a_4xx() {
    let stage = Stage::new(6).await;
    let long = "x".repeat(60_000);
    for door in DOORS {
        for path in PATHS.into_iter().chain([long.as_str()]) {
            for query in QUERIES {
                let uri = format!("{door}{path}{query}");
                for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
                    let request = Request::builder()
                        .method(method.clone())
                        .uri(&uri)
                        .header("authorization", format!("Bearer {ADMIN_KEY}"));
                    let Ok(request) = request.body(Body::from("{}")) else { continue };
                    let answer = send(&stage, request).await;
                    let known = door.ends_with("profiles/") && answer.status == StatusCode::OK;
                    assert!(
                        answer.status.is_client_error() || known || lifts(door, &method, answer.status),
                        "{method} {}: {}",
                        &uri[..uri.len().min(90)],
                        answer.status
                    );
                    assert!(
                        clear(door, &answer),
                        "{method} {}: {} {:?} {}",
                        &uri[..uri.len().min(90)],
                        answer.status,
                        answer.header("content-type"),
                        answer.text
                    );
                }
            }
        }
    }
    let request = Request::post("/api/v2/users/track")
        .header("x-long", "y".repeat(1_000_000))
        .header("content-type", "\u{7f}".replace('\u{7f}', "x/é"));
    let answer = send(&stage, request.body(Body::from("{\"id\":1}")).expect("a request")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_nothing_stored(&stage).await;
}

/// Lifting a suppression that there is not is done already.
fn lifts(door: &str, method: &Method, status: StatusCode) -> bool {
    door.ends_with("suppressions/") && *method == Method::DELETE && status == StatusCode::NO_CONTENT
}

/// An error says what is wrong in its door's own shape: JSON for programs, a page for recipients.
fn clear(door: &str, answer: &crate::Answer) -> bool {
    if !answer.status.is_client_error() {
        return true;
    }
    let json = answer.json();
    let says = json["message"].is_string() || json["error"]["message"].is_string();
    let page = answer.header("content-type").starts_with("text/html") && answer.text.contains("<h1>");
    says || (door.starts_with("/l/") && page)
}

#[tokio::test]
async fn a_malformed_request_of_an_operator_is_refused_in_words_and_changes_nothing() {
    let stage = Stage::new(7).await;
    let before = stage.show("").await;
    let project = format!("/manage/v1/projects/{}", stage.project);
    let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
    let steps = |depth: usize| {
        format!(
            "{{\"id\":\"cmp_x\",\"name\":\"x\",\"kind\":\"workflow\",\"trigger\":{{\"event\":\"e\",\"filters\":[{}{}]}}}}",
            "{\"any\":[".repeat(depth),
            "]}".repeat(depth)
        )
    };
    let bodies: Vec<Vec<u8>> = [
        String::new(),
        "x".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "7".to_owned(),
        "{".to_owned(),
        "{\"name\":7}".to_owned(),
        "{\"label\":null}".to_owned(),
        "{\"id\":\"prj_../x\",\"name\":\"x\"}".to_owned(),
        "{\"name\":\"x\",\"from\":\"Ann\\r\\nBcc: x <a@b.cc>\"}".to_owned(),
        "{\"name\":\" \"}".to_owned(),
        format!("{{\"name\":\"{}\",\"label\":\"{}\"}}", "x".repeat(300), "x".repeat(300)),
        "{\"name\":\"\\ud800\"}".to_owned(),
        "{\"name\":\"x\",\"extra\":1,\"label\":\"x\"}".to_owned(),
        deep.clone(),
        steps(40),
        steps(100),
        format!("{{\"id\":\"cmp_x\",\"name\":\"{}\"}}", "x".repeat(HUGE)),
    ]
    .into_iter()
    .map(String::into_bytes)
    .chain([b"{\"name\":\"\xff\"}".to_vec()])
    .collect();
    for body in bodies {
        for (method, path) in [
            (Method::POST, "/manage/v1/projects".to_owned()),
            (Method::PUT, project.clone()),
            (Method::POST, format!("{project}/tokens")),
            (Method::PUT, format!("{project}/campaigns/cmp_x")),
        ] {
            let request =
                Request::builder().method(method).uri(&path).header("authorization", format!("Bearer {ADMIN_KEY}"));
            let answer = send(&stage, request.body(Body::from(body.clone())).expect("a request")).await;
            let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
            assert!(answer.status.is_client_error(), "{path} {shown}: {} {}", answer.status, answer.text);
            assert!(answer.json()["error"]["message"].is_string(), "{path} {shown}: {}", answer.text);
        }
    }
    assert_eq!(stage.show("").await, before);
    assert_eq!(stage.show("/campaigns").await["campaigns"], json!([]));
    assert_eq!(
        stage.manage(Method::GET, "/projects", &Value::Null).await.1["projects"].as_array().map(Vec::len),
        Some(1)
    );
    assert_nothing_stored(&stage).await;
}
