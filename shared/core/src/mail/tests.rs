//! Mails as they are rendered: fields, links, markup, partials; the message is in `message`.

mod message;

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

proptest! {
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
