use mailparse::MailHeaderMap;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::event_name::EventName;
use crate::ids::EventId;
use crate::link::Kind;
use crate::token::Keyring;

const BASE: &str = "https://links.example.com";

/// Everything a mail is made from, owned.
struct Case {
    ring: Keyring,
    project: ProjectId,
    delivery: DeliveryId,
    campaign: CampaignId,
    user: UserId,
    email: Email,
    tags: Vec<String>,
    properties: Properties,
    event: TriggerEvent,
    journey: Properties,
    tracking: Tracking<'static>,
    partials: BTreeMap<String, String>,
}

const OFF: Tracking<'static> = Tracking { opens: false, clicks: false, conversions: false, utm_source: None };
const ON: Tracking<'static> = Tracking { opens: true, clicks: true, conversions: true, utm_source: Some("dunlin") };

fn now() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().expect("an instant")
}

fn map(value: &serde_json::Value) -> Properties {
    value.as_object().cloned().expect("an object")
}

impl Case {
    fn new() -> Self {
        Self::with(json!({ "name": "Ann" }), json!({ "item": "Socks & <Shoes>" }))
    }

    fn with(properties: serde_json::Value, data: serde_json::Value) -> Self {
        let event = TriggerEvent {
            id: EventId::derive(&["e"]),
            name: EventName::parse("Purchased Item").expect("a name"),
            at: now(),
            data: map(&data),
        };
        Self {
            ring: Keyring::parse("k1:0123456789abcdef0123456789abcdef").expect("a keyring"),
            project: ProjectId::parse("prj_demo").expect("an id"),
            delivery: DeliveryId::derive(&["d"]),
            campaign: CampaignId::parse("cmp_welcome").expect("an id"),
            user: UserId::parse("42").expect("a user"),
            email: Email::parse("ann@example.com").expect("an address"),
            tags: vec!["vip".into()],
            properties: map(&properties),
            event,
            journey: map(&json!({"order": {"total": 30}})),
            tracking: OFF,
            partials: BTreeMap::new(),
        }
    }

    fn occasion(&self) -> Occasion<'_> {
        Occasion {
            project: &self.project,
            delivery: &self.delivery,
            campaign: &self.campaign,
            campaign_name: "Welcome",
            person: Person { id: &self.user, email: &self.email, tags: &self.tags, properties: &self.properties },
            event: &self.event,
            journey: &self.journey,
            now: now(),
            links: Links::new(BASE, &self.ring).expect("a base"),
            tracking: self.tracking,
        }
    }

    fn templates(&self) -> Templates<'_> {
        Templates {
            from: "Shop <shop@example.com>",
            reply_to: None,
            subject: "Hello",
            preheader: None,
            html: None,
            text: Some("Hello"),
            partials: &self.partials,
        }
    }

    fn render(&self, templates: &Templates<'_>) -> Result<Rendered, Unsendable> {
        render(templates, &self.occasion())
    }

    fn html(&self, html: &str) -> String {
        let templates = Templates { html: Some(html), ..self.templates() };
        self.render(&templates).expect("a mail").html.expect("html")
    }

    fn link(&self, kind: Kind, url: &str) -> Link {
        let path = url.strip_prefix(BASE).expect("our base");
        let text = path.get(format!("/l/{}/", kind.letter()).len()..).expect("a link");
        Link::parse(kind, text, &self.ring).expect("a signed link")
    }

    fn target(&self, html: &str) -> String {
        let url = html.split('"').nth(1).expect("a link");
        match self.link(Kind::Click, url).purpose {
            Purpose::Click(target) => target.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_field_is_personal_and_only_html_is_escaped() {
    let case = Case::new();
    let templates = Templates {
        from: "{{ user.name }} at {{ campaign.name }} <shop@example.com>",
        reply_to: Some("{{ user.email }}"),
        subject: "{{ event.item }}, {{ event.name }}",
        html: Some("<p>{{ event.item }} {{ user.tags | join: ',' }}</p>"),
        text: Some("{{ event.item }} {{ user.id }} {{ event.triggered_at }}"),
        ..case.templates()
    };
    let mail = case.render(&templates).expect("a mail");
    assert_eq!(mail.from.to_string(), "\"Ann at Welcome\" <shop@example.com>");
    assert_eq!(mail.reply_to.map(|reply| reply.to_string()).as_deref(), Some("ann@example.com"));
    assert_eq!(mail.subject, "Socks & <Shoes>, Purchased Item");
    assert_eq!(mail.html.as_deref(), Some("<p>Socks &amp; &lt;Shoes&gt; vip</p>"));
    assert_eq!(mail.text.as_deref(), Some("Socks & <Shoes> 42 2026-03-02T09:00:00Z"));
}

#[test]
fn a_property_cannot_pose_as_the_persons_id_or_address_but_an_events_name_is_its_own() {
    let case = Case::with(json!({ "id": "1", "email": "x@y.zz", "tags": "no" }), json!({ "name": "Socks" }));
    let text = "{{ user.id }} {{ user.email }} {{ user.tags[0] }} {{ event.name }}";
    let mail = case.render(&Templates { text: Some(text), ..case.templates() }).expect("a mail");
    assert_eq!(mail.text.as_deref(), Some("42 ann@example.com vip Socks"));
}

#[test]
fn an_empty_sender_subject_or_body_discards_the_mail_with_that_reason() {
    let case = Case::new();
    let base = case.templates();
    let table = [
        (Templates { from: "{{ user.nobody }}", ..base }, "empty_from"),
        (Templates { reply_to: Some("{{ user.nobody }}"), ..base }, "empty_reply_to"),
        (Templates { subject: " {% if user.nobody %}Hi{% endif %}\n", ..base }, "empty_subject"),
        (Templates { text: Some("{{ user.nobody }}"), html: Some(" \n"), ..base }, "empty_body"),
        (Templates { text: None, ..base }, "empty_body"),
    ];
    for (templates, code) in table {
        let reason = case.render(&templates).expect_err(code);
        assert_eq!((reason.code(), reason.is_discard()), (code, true), "{reason}");
    }
    assert!(case.render(&Templates { reply_to: Some(" "), ..base }).expect("a mail").reply_to.is_none());
}

#[test]
fn what_does_not_work_fails_with_its_field_line_and_column() {
    let case = Case::new();
    let base = case.templates();
    let long = "x".repeat(SUBJECT_BYTES + 1);
    let table = [
        (Templates { from: "shop", ..base }, "bad_sender_address", "from is not"),
        (Templates { reply_to: Some("a@b.cc, d@e.ff"), ..base }, "bad_sender_address", "reply-to is not"),
        (Templates { html: Some("<p>\n  {% if %}"), ..base }, "template_error", "html, line 2, column "),
        (Templates { text: Some("{{ 1 | divided_by: 0 }}"), ..base }, "template_error", "text, line 1, column 1"),
        (Templates { subject: &long, ..base }, "mail_too_large", "subject is longer than 900 bytes"),
    ];
    for (templates, code, shown) in table {
        let reason = case.render(&templates).expect_err(code);
        assert_eq!((reason.code(), reason.is_discard()), (code, false), "{reason}");
        assert!(reason.to_string().starts_with(shown), "{reason}");
    }
}

#[test]
fn a_mail_over_the_limit_fails() {
    let case = Case::new();
    let html = "{% for i in (1..90000) %}<p>thirty bytes of text, or about</p>{% endfor %}";
    let reason = case.render(&Templates { html: Some(html), ..case.templates() }).expect_err("too large");
    assert!(!reason.is_discard(), "{reason}");
    let tracked = "{% for i in (1..9000) %}<a href='https://a.b/{{ i }}'>x</a>{% endfor %}";
    let case = Case { tracking: ON, ..case };
    let reason = case.render(&Templates { html: Some(tracked), ..case.templates() }).expect_err("too large");
    assert_eq!(reason.code(), "mail_too_large");
}

#[test]
fn links_lead_over_the_redirect_to_a_signed_target_with_its_parameters() {
    let case = Case { tracking: ON, ..Case::new() };
    let html = case.html("<a class=x href='https://shop.example/a?b=c&amp;utm_source=mine#d'>go</a>");
    assert!(html.starts_with("<a class=x href=\"https://links.example.com/l/c/"), "{html}");
    let delivery = case.delivery.as_str();
    let expected = format!(
        "https://shop.example/a?b=c&utm_source=mine&vero_id=42&vero_conv={delivery}&utm_medium=email&utm_campaign=Welcome#d"
    );
    assert_eq!(case.target(html.strip_prefix("<a class=x ").expect("a link")), expected);
}

#[test]
fn an_address_never_goes_into_a_url() {
    let case = Case { tracking: ON, user: UserId::parse("ann@example.com").expect("a user"), ..Case::new() };
    let target = case.target(&case.html("<a href=\"https://shop.example/\">go</a>"));
    assert!(target.contains("vero_conv=") && !target.contains("vero_id") && !target.contains("ann"), "{target}");
}

#[test]
fn without_click_tracking_links_keep_their_target() {
    let tracking = Tracking { conversions: true, ..OFF };
    let case = Case { tracking, ..Case::new() };
    let html = case.html("<a href='https://shop.example/?a=b'>go</a>");
    let delivery = case.delivery.as_str();
    assert_eq!(html, format!("<a href=\"https://shop.example/?a=b&amp;vero_id=42&amp;vero_conv={delivery}\">go</a>"));
}

#[test]
fn what_is_not_a_web_link_is_left_alone() {
    let case = Case { tracking: Tracking { opens: false, ..ON }, ..Case::new() };
    let kept = [
        "<a href=\"mailto:shop@example.com\">x</a>",
        "<a href='tel:+4912'>x</a>",
        "<a href=\"#top\">x</a>",
        "<a href=\"\">x</a>",
        "<a href=\"/relative\">x</a>",
        "<a name=x>x</a>",
        "<a href=\"shop://item/1\">x</a>",
        "<!-- <a href=\"https://a.b\"> --><p title='<a href=\"https://a.b\">'>x",
    ];
    for html in kept {
        assert_eq!(case.html(html), html);
    }
    let long = format!("<a href=\"https://a.b/{}\">x</a>", "x".repeat(crate::limits::TARGET_BYTES));
    assert_eq!(case.html(&long), long);
}

#[test]
fn a_script_that_data_brings_as_a_link_loses_its_target() {
    for url in ["javascript:alert(1)", " JaVa\nScript:alert(1)", "data:text/html,<script>", "vbscript:x"] {
        let case = Case::with(json!({}), json!({ "url": url }));
        let html = case.html("<a href=\"{{ event.url }}\">x</a>");
        assert!(!html.to_lowercase().contains("href") && !html.contains("alert"), "{html}");
    }
    assert_eq!(Case::new().html("<a href=\"&#106;avascript&colon;alert(1)\">x</a>"), "<a>x</a>");
}

#[test]
fn data_cannot_bring_markup_into_the_mail() {
    let evil = "\"><script>alert(1)</script><a href=\"https://evil.example";
    let case = Case { tracking: ON, ..Case::with(json!({ "name": evil }), json!({ "url": evil })) };
    let html = case.html("<p title=\"{{ user.name }}\">{{ user.name }}</p><a href=\"{{ event.url }}\">x</a>");
    assert!(!html.contains("<script") && !html.contains("\"https://evil"), "{html}");
    assert_eq!(html.matches("<a ").count(), 1, "{html}");
}

#[test]
fn the_pixel_and_the_preheader_stand_inside_the_body_once() {
    let case = Case { tracking: Tracking { opens: true, ..OFF }, ..Case::new() };
    let html = "<html><body class=x><p>Hi</p></body></html>";
    let templates = Templates { html: Some(html), preheader: Some("Look, {{ event.item }}"), ..case.templates() };
    let shown = case.render(&templates).expect("a mail").html.expect("html");
    assert!(shown.starts_with("<html><body class=x><div style=\"display:none"), "{shown}");
    assert!(shown.contains("Look, Socks &amp; &lt;Shoes&gt;</div><p>Hi</p><img src=\""), "{shown}");
    assert!(shown.ends_with("width:1px\"></body></html>"), "{shown}");
    for html in ["<p>Hi", "<body><p>Hi", "<body></body><body></body>", "<p>Hi</p></body>"] {
        let shown = case.html(html);
        assert_eq!(shown.matches("<img").count(), 1, "{shown}");
    }
    let pixel = case.html("<p>Hi</p>");
    let url = pixel.split('"').nth(1).expect("a pixel");
    assert_eq!(case.link(Kind::Open, url).delivery, case.delivery);
}

#[test]
fn unsubscribe_and_permalink_print_links_and_their_bare_urls() {
    let case = Case { tracking: ON, ..Case::new() };
    let html = "{{ url.unsubscribe }} <a href=\"{{ url.unsubscribe_link }}\">no</a>";
    let text = "{{ url.unsubscribe }} {{ url.permalink_link }}";
    let mail = case.render(&Templates { html: Some(html), text: Some(text), ..case.templates() }).expect("a mail");
    let (unsubscribe, view) = (case.occasion().unsubscribe_url(), case.occasion().view_url());
    let expected = format!("<a href=\"{unsubscribe}\">Unsubscribe</a> <a href=\"{unsubscribe}\">no</a><img");
    assert!(mail.html.expect("html").starts_with(&expected));
    assert_eq!(mail.text, Some(format!("{unsubscribe} {view}")));
    assert!(mail.uses_permalink);
    assert_eq!(case.link(Kind::Unsubscribe, &unsubscribe).purpose, Purpose::Unsubscribe(case.user.clone()));
    let html = case.html("{{ url.permalink }}");
    assert!(html.starts_with(&format!("<a href=\"{view}\">View in browser</a>")), "{html}");
    assert!(!case.render(&case.templates()).expect("a mail").uses_permalink);
}

#[test]
fn data_that_looks_like_what_stands_in_for_a_link_stays_text() {
    // Who writes data may know everything but our key.
    let (case, other) = (Case::new(), Keyring::parse("k1:fedcba9876543210fedcba9876543210").expect("a keyring"));
    let guess = Occasion { links: Links::new(BASE, &other).expect("a base"), ..case.occasion() };
    for (stand_in, _) in context::Context::new(&guess).anchors {
        let case = Case::with(json!({}), json!({ "item": stand_in }));
        let html = case.html("<p title=\"{{ event.item }}\">{{ event.item }}</p>");
        assert_eq!(html, format!("<p title=\"{stand_in}\">{stand_in}</p>"));
    }
}

#[test]
fn a_copy_is_kept_only_for_a_mail_that_links_to_it_and_is_html() {
    let case = Case::new();
    let text = "{{ event.item }} {{ url.permalink }}";
    let mail = case.render(&Templates { text: Some(text), ..case.templates() }).expect("a mail");
    let copy = mail.copy().expect("a copy");
    assert!(copy.contains("<pre style=\"white-space:pre-wrap\">Socks &amp; &lt;Shoes&gt; https://"), "{copy}");
    let mail = case.render(&Templates { html: Some("<p>{{ url.permalink }}"), ..case.templates() }).expect("a mail");
    assert_eq!(mail.copy(), mail.html);
    assert_eq!(case.render(&case.templates()).expect("a mail").copy(), None);
}

#[test]
fn a_text_part_is_made_from_the_html_and_is_not_tracked() {
    let case = Case { tracking: ON, ..Case::new() };
    let html = "<h1>Hi {{ user.name }}</h1><p>{{ event.item }} <a href=\"https://a.b/c\">here</a></p>";
    let mail = case.render(&Templates { html: Some(html), text: None, ..case.templates() }).expect("a mail");
    assert_eq!(mail.text.as_deref(), Some("Hi Ann\r\n\r\nSocks & <Shoes> here (https://a.b/c)"));
}

#[test]
fn partials_are_rendered_and_a_broken_one_fails_with_its_name() {
    let mut case = Case::new();
    case.partials.insert("footer".into(), "Bye {{ user.name }}".into());
    let templates = Templates { text: Some("{% render 'footer' %}{% include 'footer' %}"), ..case.templates() };
    assert!(case.render(&templates).expect("a mail").text.expect("text").ends_with("Bye Ann"));
    case.partials.insert("broken".into(), "{% if %}".into());
    let reason = case.render(&case.templates()).expect_err("a reason");
    assert!(reason.to_string().starts_with("partial `broken`, line 1"), "{reason}");
}

#[test]
fn the_same_input_is_the_same_mail_byte_for_byte() {
    let case = Case { tracking: ON, ..Case::new() };
    let html = "<p>{{ 'now' | date: '%s' }} {{ user.name }} <a href='https://a.b'>x</a></p>";
    let templates = Templates { html: Some(html), ..case.templates() };
    assert_eq!(bytes(&case, &templates), bytes(&case, &templates));
}

fn bytes(case: &Case, templates: &Templates<'_>) -> Vec<u8> {
    let occasion = case.occasion();
    let url = occasion.unsubscribe_url();
    let envelope =
        Envelope { to: &case.email, delivery: &case.delivery, now: now(), unsubscribe_url: Some(url.as_str()) };
    case.render(templates).expect("a mail").mime(&envelope).expect("a message")
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

    #[test]
    fn any_markup_at_all_becomes_a_mail(html in "\\PC*|(<[a-z/! ]{0,6}|[&#x;a-z0-9\"'=> ]|href=|</a>|<a |body|é){0,40}") {
        let case = Case { tracking: ON, ..Case::new() };
        let source = format!("{{% raw %}}{}{{% endraw %}}", html.replace("{%", ""));
        let templates = Templates { html: Some(&source), text: None, ..case.templates() };
        match case.render(&templates) {
            Ok(_) | Err(Unsendable::Empty(_)) => {}
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

#[test]
fn a_mail_has_what_the_check_of_a_template_knows_and_nothing_else() {
    let case = Case::new();
    let context = context::Context::new(&case.occasion());
    for globals in [&context.plain, &context.html] {
        for (root, known) in crate::campaign::FIELDS {
            let there: Vec<&String> = globals[root].as_object().expect("an object").keys().collect();
            assert_eq!(there, known, "{root}");
        }
    }
}
