//! The message as SES gets it: its parts and headers, whatever stands in the data.

use super::*;

fn bytes(case: &Case, templates: &Templates<'_>) -> Vec<u8> {
    let occasion = case.occasion();
    let url = occasion.unsubscribe_url();
    let envelope =
        Envelope { to: &case.email, delivery: &case.delivery, now: now(), unsubscribe_url: Some(url.as_str()) };
    case.render(templates).expect("a mail").mime(&envelope).expect("a message")
}

#[test]
fn the_same_input_is_the_same_mail_byte_for_byte() {
    let case = Case { tracking: ON, ..Case::new() };
    let html = "<p>{{ 'now' | date: '%s' }} {{ user.name }} <a href='https://a.b'>x</a></p>";
    let templates = Templates { html: Some(html), ..case.templates() };
    assert_eq!(bytes(&case, &templates), bytes(&case, &templates));
}

const HEADERS: [&str; 11] = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "X-Dunlin-Delivery",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "MIME-Version",
    "Content-Type",
];

#[test]
fn the_message_has_both_parts_and_exactly_our_headers() {
    let case = Case::new();
    let templates = Templates {
        from: "Müller & Söhne <shop@example.com>",
        reply_to: Some("help@example.com"),
        subject: "Grüße – 日本語",
        html: Some("<p>Grüße</p>"),
        text: Some("Grüße"),
        ..case.templates()
    };
    let bytes = bytes(&case, &templates);
    let mail = mailparse::parse_mail(&bytes).expect("a message");
    let names: Vec<String> = mail.headers.iter().map(mailparse::MailHeader::get_key).collect();
    assert_eq!(names, HEADERS);
    let header = |name: &str| mail.headers.get_first_value(name).expect(name);
    assert_eq!(header("From"), "Müller & Söhne <shop@example.com>");
    assert_eq!(header("To"), "<ann@example.com>");
    assert_eq!(header("Reply-To"), "<help@example.com>");
    assert_eq!(header("Subject"), "Grüße – 日本語");
    assert_eq!(header("Date"), "Mon, 2 Mar 2026 09:00:00 +0000");
    assert_eq!(header("Message-ID"), format!("<{}@example.com>", case.delivery));
    assert_eq!(header("X-Dunlin-Delivery"), case.delivery.as_str());
    assert_eq!(header("List-Unsubscribe"), format!("<{}>", case.occasion().unsubscribe_url()));
    assert_eq!(header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert_eq!(mail.ctype.mimetype, "multipart/alternative");
    let parts: Vec<(String, String)> = mail
        .subparts
        .iter()
        .map(|part| (part.ctype.mimetype.clone(), part.get_body().expect("a body").trim_end().to_owned()))
        .collect();
    assert_eq!(parts, [("text/plain".into(), "Grüße".into()), ("text/html".into(), "<p>Grüße</p>".into())]);
    assert!(bytes.split(|b| *b == b'\n').all(|line| line.len() < 998), "lines are short enough for SMTP");
}

#[test]
fn transactional_mail_need_not_offer_to_unsubscribe() {
    let case = Case::new();
    let envelope = Envelope { to: &case.email, delivery: &case.delivery, now: now(), unsubscribe_url: None };
    let mail = case.render(&case.templates()).expect("a mail");
    let bytes = mail.mime(&envelope).expect("a message");
    assert!(!String::from_utf8_lossy(&bytes).contains("List-Unsubscribe"));
    let forged = Envelope { unsubscribe_url: Some("mailto:a@b.cc>\r\nBcc: x@y.zz"), ..envelope };
    assert_eq!(mail.mime(&forged), Err(MimeError::UnsubscribeUrl));
}

#[test]
fn tags_have_only_characters_that_ses_takes() {
    let case = Case::new();
    for (name, value) in tags(&case.project, &case.delivery, &case.campaign) {
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        assert!(plain(&name) && plain(&value) && value.len() <= 256, "{name} {value}");
    }
}

const ATTEMPTS: [&str; 13] = [
    "\r\nBcc: x@y.zz",
    "\nX: y",
    "\r",
    "\u{2028}",
    "\0",
    "\"",
    "\\",
    "<x@y.zz>",
    ",",
    ";",
    "=?utf-8?Q?=0D=0ABcc:?=",
    "é",
    " ",
];

/// Texts that try to begin a header, end a quote or add an address, and any others.
fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![proptest::sample::select(&ATTEMPTS[..]).prop_map(str::to_owned), "[a-zA-Z: ]{1,20}"];
    let line = prop_oneof![proptest::sample::select(&ATTEMPTS[5..]).prop_map(str::to_owned), "[a-zA-Z: ]{1,20}"];
    let joined = |parts: Vec<String>| parts.concat();
    prop_oneof![
        2 => proptest::collection::vec(part, 0..8).prop_map(joined),
        2 => proptest::collection::vec(line, 0..8).prop_map(joined),
        1 => any::<String>(),
    ]
}

#[test]
fn a_line_break_in_data_ends_in_the_subject_as_a_space_and_fails_a_name() {
    let case = Case::with(json!({ "x": "Hi\r\nBcc: x@y.zz\r\n\r\nbody" }), json!({}));
    let mail = case.render(&Templates { subject: "{{ user.x }}", ..case.templates() }).expect("a mail");
    assert_eq!(mail.subject, "Hi Bcc: x@y.zz body");
    let from = "{{ user.x }} <shop@example.com>";
    let reason = case.render(&Templates { from, ..case.templates() }).expect_err("a reason");
    assert_eq!(reason.to_string(), "from has a control character in its name");
}

proptest! {
    #[test]
    fn no_data_can_add_a_header(subject in hostile(), name in hostile(), body in hostile()) {
        let case = Case::with(json!({ "name": name, "subject": subject }), json!({ "body": body }));
        let base = Templates {
            subject: "Hi {{ user.subject }}",
            html: Some("<p>{{ event.body }}</p>"),
            text: Some("x{{ event.body }}"),
            reply_to: Some("help@example.com"),
            ..case.templates()
        };
        let named = Templates {
            from: "\"{{ user.name }}\" <shop@example.com>",
            reply_to: Some("{{ user.name }} <help@example.com>"),
            ..base
        };
        // A name that cannot stand in a header fails its mail; the rest is then sent under a plain one.
        let rendered = case.render(&named).or_else(|_| case.render(&base)).expect("a mail");
        let url = case.occasion().unsubscribe_url();
        let envelope =
            Envelope { to: &case.email, delivery: &case.delivery, now: now(), unsubscribe_url: Some(url.as_str()) };
        let bytes = rendered.mime(&envelope).expect("a message");
        let mail = mailparse::parse_mail(&bytes).expect("a message");
        let names: Vec<String> = mail.headers.iter().map(mailparse::MailHeader::get_key).collect();
        prop_assert_eq!(names, HEADERS);
        prop_assert_eq!(mail.subparts.len(), 2);
        for (header, address) in [("From", "shop@example.com"), ("Reply-To", "help@example.com"), ("To", "ann@example.com")] {
            let header = mail.headers.get_first_header(header).expect("a header");
            let [only] = &*mailparse::addrparse_header(header).expect("addresses").into_inner() else {
                return Err(TestCaseError::fail("not one address"));
            };
            prop_assert!(matches!(only, mailparse::MailAddr::Single(single) if single.addr == address), "{only:?}");
        }
    }
}
