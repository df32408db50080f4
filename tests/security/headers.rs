//! Header injection: what data brings into a subject, a sender's name, an answer's address or a recipient's stays there.

use std::collections::BTreeMap;

use dunlin_local::Mail;
use dunlin_tests::Stage;
use http::{Method, StatusCode};
use mailparse::MailHeaderMap;
use serde_json::json;

/// Data in every header that a campaign can fill.
const FILLED: &str = "
id: cmp_filled
name: Filled
kind: transactional
trigger: {event: Bought}
from: '{{ event.shop }} <shop@larkspur.example>'
reply_to: '{{ event.answer }}'
message:
  subject: '{{ event.order }}'
  text: Thank you
";

/// Texts that are, or become in some program, the end of a header.
const BREAKS: [&str; 16] = [
    "x\r\nBcc: eve@evil.example",
    "x\nBcc: eve@evil.example",
    "x\rBcc: eve@evil.example",
    "x\r\n\r\n<script>alert(1)</script>",
    "x\r\n Bcc: eve@evil.example",
    "x\0\r\nBcc: eve@evil.example",
    "x\u{2028}Bcc: eve@evil.example",
    "x\u{2029}Bcc: eve@evil.example",
    "x\u{85}Bcc: eve@evil.example",
    "x\u{b}Bcc: eve@evil.example",
    "x\u{c}Bcc: eve@evil.example",
    "x%0d%0aBcc: eve@evil.example",
    "=?utf-8?q?x=0D=0ABcc:_eve@evil.example?=",
    "=?utf-8?b?eA0KQmNjOiBldmVAZXZpbC5leGFtcGxl?=",
    "x\", \"y\" <eve@evil.example>, \"z",
    "x>, <eve@evil.example",
];

/// The header lines of a message as they are on the wire, folded ones joined.
fn fields(raw: &[u8]) -> Vec<(String, String)> {
    let end = raw.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("an end of the headers");
    let head = std::str::from_utf8(&raw[..end]).expect("a head is text");
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        assert!(!line.contains(['\r', '\n', '\0']) && line.len() <= 998, "{line:?}");
        match (line.strip_prefix([' ', '\t']), fields.last_mut()) {
            (Some(more), Some((_, value))) => value.push_str(&format!(" {more}")),
            _ => {
                let (name, value) = line.split_once(':').expect("a name and a value");
                fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
    }
    fields
}

/// The headers are those of a harmless mail, once each, and the mail is for `to` and from the shop alone.
fn assert_ours(mail: &Mail, harmless: &[String], to: &str) {
    let fields = fields(&mail.raw);
    let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, harmless, "{fields:#?}");
    let parsed = mailparse::parse_mail(&mail.raw).expect("a mail");
    let people = |name: &str| {
        let header = parsed.headers.get_first_header(name).expect("a header");
        let list = mailparse::addrparse_header(header).expect("addresses");
        list.iter()
            .map(|one| match one {
                mailparse::MailAddr::Single(one) => one.addr.clone(),
                mailparse::MailAddr::Group(group) => format!("a group {group:?}"),
            })
            .collect::<Vec<_>>()
    };
    assert_eq!((people("To"), mail.to.clone()), (vec![to.to_owned()], vec![to.to_owned()]));
    assert_eq!(people("From"), ["shop@larkspur.example"]);
    let body = parsed.parts().find(|part| part.ctype.mimetype == "text/plain").expect("a text");
    assert_eq!(body.get_body().expect("a body").trim(), "Thank you");
}

/// What a mail program shows of a header.
fn shown(mail: &Mail, name: &str) -> String {
    let parsed = mailparse::parse_mail(&mail.raw).expect("a mail");
    parsed.headers.get_first_value(name).unwrap_or_default()
}

async fn bought(stage: &Stage, order: &str, shop: &str, answer: &str) {
    stage.track("ann", "Bought", json!({"order": order, "shop": shop, "answer": answer})).await;
    stage.world.settle().await;
}

#[tokio::test]
async fn no_data_begins_a_header_of_its_own() {
    let stage = Stage::new(1).await;
    stage.publish(FILLED).await;
    stage.identify("ann", json!({})).await;
    bought(&stage, "One", "Shop", "answers@larkspur.example").await;
    let first = stage.mails().pop().expect("a mail");
    let harmless: Vec<String> = fields(&first.raw).into_iter().map(|(name, _)| name).collect();
    assert!(harmless.contains(&"reply-to".to_owned()));
    let mut sent = BTreeMap::new();
    for (number, text) in BREAKS.into_iter().enumerate() {
        for (place, order, shop, answer) in [
            ("subject", text, "Shop", "answers@larkspur.example"),
            ("from", "One", text, "answers@larkspur.example"),
            ("reply-to", "One", "Shop", text),
            ("reply-to's name", "One", "Shop", &format!("{text} <answers@larkspur.example>")),
        ] {
            let before = stage.mails().len();
            // The number makes it another event than the one before.
            bought(
                &stage,
                &format!("{order}{}", if place == "subject" { String::new() } else { format!(" {number}") }),
                shop,
                answer,
            )
            .await;
            for mail in stage.mails().split_off(before) {
                assert_ours(&mail, &harmless, "ann@example.com");
                *sent.entry(place).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(sent.get("subject"), Some(&BREAKS.len()), "a subject is put on one line and sent: {sent:?}");
    assert_eq!(sent.get("reply-to"), None, "what is no address is no address to answer to: {sent:?}");
    stage.pass(jiff::SignedDuration::from_mins(1)).await;
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_header_shows_the_text_that_was_written_and_no_encoded_word_of_the_datas() {
    let stage = Stage::new(2).await;
    stage.publish(FILLED).await;
    stage.identify("ann", json!({})).await;
    for text in ["=?utf-8?q?Your_bank?=", "=?utf-8?b?WW91ciBiYW5r?= x", "x =?utf-8?q?=0D=0ABcc:_eve?="] {
        let before = stage.mails().len();
        bought(&stage, text, text, "answers@larkspur.example").await;
        let mail = stage.mails().split_off(before).pop().expect("a mail");
        for name in ["Subject", "From"] {
            let shown = shown(&mail, name);
            assert!(!shown.contains("Your bank") && !shown.contains(['\r', '\n']), "{name}: {shown:?}");
        }
    }
}

#[tokio::test]
async fn an_address_that_says_more_than_one_address_is_refused_or_is_one_recipient() {
    let stage = Stage::new(3).await;
    stage.publish(FILLED).await;
    let bad = [
        "ann@example.com\r\nBcc: eve@evil.example",
        "ann@example.com\nBcc: eve@evil.example",
        "ann@exam\0ple.com",
        "ann\r\n@example.com",
        "ann@exam\u{2028}ple.com",
        "ann@exam\u{2029}ple.com",
        "ann@exam\u{85}ple.com",
        "ann@exam\u{a0}ple.com",
        "ann@exam\u{200b}ple.com",
        "ann@exam\u{202e}ple.com",
        "ann@example.com, eve@evil.example",
        "ann@example.com;eve@evil.example",
        "Ann <ann@example.com>",
        "<ann@example.com>",
        "=?utf-8?q?ann?=@exa mple.com",
        "ann@[127.0.0.1]",
        "ann@example.com>",
        "\"ann\r\nBcc: x\"@example.com",
    ];
    for email in bad {
        let body = json!({"auth_token": stage.token, "id": "ann", "email": email});
        let (status, answer) = stage.request(Method::POST, "/api/v2/users/track", &[], &body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{email:?}");
        assert!(answer["message"].as_str().is_some_and(|text| text.contains("email")), "{answer}");
    }
    crate::assert_nothing_stored(&stage).await;
    for (number, email) in [
        "\"a b\"@example.com",
        "o'hara+x=y@example.com",
        "=?utf-8?q?ann?=@example.com",
        "\"eve@evil.example,\"@example.com",
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("odd-{number}");
        let body = json!({"auth_token": stage.token, "id": id, "email": email});
        let (status, _) = stage.request(Method::POST, "/api/v2/users/track", &[], &body).await;
        if status != StatusCode::OK {
            continue;
        }
        let before = stage.mails().len();
        let data = json!({"order": id, "shop": "S", "answer": "answers@larkspur.example"});
        stage.track(&id, "Bought", data).await;
        stage.world.settle().await;
        for mail in stage.mails().split_off(before) {
            let to: Vec<(String, String)> = fields(&mail.raw).into_iter().filter(|(name, _)| name == "to").collect();
            assert_eq!((mail.to.clone(), to.len()), (vec![email.to_owned()], 1));
            assert!(to[0].1.contains(email) && !to[0].1.contains(">,"), "{to:?}");
        }
    }
}
