//! Event data in every field of a mail: its text is the subject, the sender's name, the link and the body. Whatever it is,
//! the message has our headers once each and no others, no markup of the data's, and no link that runs.

#![no_main]

use std::collections::BTreeMap;

use dunlin_core::call::Properties;
use dunlin_core::email::Email;
use dunlin_core::event_name::EventName;
use dunlin_core::ids::{CampaignId, DeliveryId, EventId, ProjectId, UserId, digest};
use dunlin_core::link::Links;
use dunlin_core::mail::{Envelope, Occasion, Person, Templates, Tracking, render};
use dunlin_core::task::TriggerEvent;
use dunlin_core::token::Keyring;
use dunlin_fuzz::NOW;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 9] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "X-Dunlin-Delivery",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "MIME-Version",
];

fuzz_target!(|input: &str| {
    // A key that the input does not know: libFuzzer reads what we compare, and would write what stands in for a link.
    let ring = Keyring::parse(&format!("k1:{}", digest(&[input]))).expect("a keyring");
    let partials = BTreeMap::new();
    let (project, delivery) = (ProjectId::derive(&["p"]), DeliveryId::derive(&["d"]));
    let campaign = CampaignId::parse("cmp_fuzz").expect("an id");
    let (id, email) = (UserId::parse("42").expect("an id"), Email::parse("ann@example.com").expect("an address"));
    let to = Email::parse(input).unwrap_or_else(|_| email.clone());
    let event = TriggerEvent {
        id: EventId::derive(&["e"]),
        name: EventName::parse("Bought").expect("a name"),
        at: NOW,
        data: Properties::from_iter([("x".to_owned(), input.into())]),
    };
    let occasion = Occasion {
        project: &project,
        delivery: &delivery,
        campaign: &campaign,
        campaign_name: input,
        person: Person { id: &id, email: &email, tags: &[], properties: &Properties::new() },
        event: &event,
        journey: &event.data,
        now: NOW,
        links: Links::new("https://mail.example.com", &ring).expect("a base"),
        tracking: Tracking { opens: true, clicks: input.len() % 2 == 0, conversions: true, utm_source: Some("dunlin") },
    };
    let templates = Templates {
        from: "{{ event.x }} <shop@example.com>",
        reply_to: None,
        subject: "A {{ event.x }}",
        preheader: Some("{{ event.x }}"),
        html: Some("<body><p title=\"{{ event.x }}\">{{ event.x }}</p><a href=\"{{ event.x }}\">x</a></body>"),
        text: None,
        partials: &partials,
    };
    let Ok(mail) = render(&templates, &occasion) else { return };
    let html = mail.html.as_deref().unwrap_or_default();
    assert_eq!((html.matches("<p ").count(), html.matches("<a").count(), html.matches("<img").count()), (1, 1, 1));
    assert!(!html.contains("<script") && !html.contains("<svg"));
    let url = occasion.unsubscribe_url();
    let envelope = Envelope { to: &to, delivery: &delivery, now: NOW, unsubscribe_url: Some(&url) };
    let raw = mail.mime(&envelope).expect("a message");
    let head = raw.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(&raw[..], |end| &raw[..end]);
    let head = std::str::from_utf8(head).expect("a head is text");
    for line in head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])) {
        let name = line.split(':').next().unwrap_or_default();
        assert!(NAMES.contains(&name) || name.starts_with("Content-"), "{head}");
        assert!(!line.contains(['\r', '\n', '\0']) && line.len() <= 998, "{head}");
    }
    for name in NAMES.iter().take(8) {
        let count = head.split("\r\n").filter(|line| line.starts_with(&format!("{name}:"))).count();
        assert_eq!(count, 1, "{name} in {head}");
    }
});
