use aws_sdk_sesv2::error::ProvideErrorMetadata as _;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageTag, RawMessage};
use dunlin_local::{Cloud, Quota};
use serde_json::Value;

use crate::{cloud, pass, ses_client};

const MAIL: &str = "From: Shop <shop@example.com>\r\nTo: ada@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <ours@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n";

fn raw(mail: &str) -> EmailContent {
    EmailContent::builder().raw(RawMessage::builder().data(Blob::new(mail)).build().unwrap()).build()
}

fn to(address: &str) -> Destination {
    Destination::builder().to_addresses(address).build()
}

fn send(
    client: &aws_sdk_sesv2::Client,
    address: &str,
) -> aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder {
    client
        .send_email()
        .from_email_address("shop@example.com")
        .destination(to(address))
        .content(raw(MAIL))
        .configuration_set_name("dunlin-mail")
        .email_tags(MessageTag::builder().name("delivery").value("dlv_1").build().unwrap())
}

/// The events that arrive within a minute, with their types.
fn events(cloud: &Cloud) -> Vec<(String, Value)> {
    pass(cloud, 60);
    let messages = cloud.sqs().receive("dunlin-feedback", 10);
    let parsed = messages.iter().map(|message| serde_json::from_str::<Value>(&message.body).unwrap());
    parsed.map(|event| (event["eventType"].as_str().unwrap().to_owned(), event)).collect()
}

#[tokio::test]
async fn a_mail_reaches_the_outbox_and_its_events_come_back() {
    let cloud = cloud();
    let id = send(&ses_client(&cloud), "ada@example.org").send().await.unwrap().message_id.unwrap();

    let mail = cloud.outbox().get(&id).unwrap();
    assert_eq!(mail.to, ["ada@example.org"]);
    assert_eq!(mail.subject, "Grüße");
    assert_eq!(mail.tags, [("delivery".to_owned(), "dlv_1".to_owned())]);
    let raw = String::from_utf8(mail.raw).unwrap();
    assert!(raw.contains(&format!("Message-ID: <{id}@email.amazonses.com>")), "{raw}");
    assert!(!raw.contains("ours@example.com"), "{raw}");
    assert_eq!(cloud.outbox().count(), 1);
    assert_eq!(cloud.outbox().list(10, 0).len(), 1);

    let events = events(&cloud);
    assert_eq!(events.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["Send", "Delivery"]);
    let mail = &events[0].1["mail"];
    assert_eq!(mail["messageId"], Value::String(id));
    assert_eq!(mail["tags"]["delivery"][0], "dlv_1");
    assert_eq!(mail["timestamp"], "2026-03-01T09:00:00.000Z");
    assert_eq!(events[1].1["delivery"]["recipients"][0], "ada@example.org");
}

#[tokio::test]
async fn the_simulator_bounces_complains_and_suppresses() {
    for (address, expected, pointer, value) in [
        ("bounce+1@simulator.amazonses.com", vec!["Send", "Bounce"], "/bounce/bounceSubType", "General"),
        (
            "complaint@simulator.amazonses.com",
            vec!["Send", "Delivery", "Complaint"],
            "/complaint/complaintFeedbackType",
            "abuse",
        ),
        ("suppressionlist@simulator.amazonses.com", vec!["Send", "Bounce"], "/bounce/bounceSubType", "Suppressed"),
    ] {
        let cloud = cloud();
        send(&ses_client(&cloud), address).send().await.unwrap();
        let events = events(&cloud);
        assert_eq!(events.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), expected);
        assert_eq!(events.last().unwrap().1.pointer(pointer).unwrap(), value);
    }
}

#[tokio::test]
async fn a_mail_without_configuration_set_has_no_events() {
    let cloud = cloud();
    send(&ses_client(&cloud), "ada@example.org").set_configuration_set_name(None).send().await.unwrap();
    assert!(events(&cloud).is_empty());
}

#[tokio::test]
async fn what_ses_refuses_is_refused_with_its_codes() {
    let client = ses_client(&cloud());
    let refused = send(&client, "gräta@example.org").send().await.unwrap_err().into_service_error();
    assert!(refused.is_bad_request_exception(), "{refused:?}");
    let refused = send(&client, "a@example.org").configuration_set_name("other").send().await;
    assert!(refused.unwrap_err().into_service_error().is_not_found_exception());
    let many = (0..51).map(|n| format!("a{n}@example.org")).collect();
    let many = send(&client, "x").destination(Destination::builder().set_to_addresses(Some(many)).build());
    assert!(many.send().await.unwrap_err().into_service_error().is_bad_request_exception());
    let text = Content::builder().data("x").build().unwrap();
    let simple = Message::builder().subject(text.clone()).body(Body::builder().text(text).build()).build();
    let simple = send(&client, "a@example.org").content(EmailContent::builder().simple(simple).build());
    assert_eq!(simple.send().await.unwrap_err().into_service_error().code(), Some("BadRequestException"));
}

#[tokio::test]
async fn over_quota_is_an_error_and_not_a_queue() {
    let cloud = cloud();
    let client = ses_client(&cloud);
    cloud.set_send_quota(Some(Quota { per_second: 1, per_day: 10 }));
    send(&client, "a@example.org").send().await.unwrap();
    let refused = send(&client, "b@example.org").send().await.unwrap_err().into_service_error();
    assert!(refused.is_too_many_requests_exception(), "{refused:?}");
    pass(&cloud, 1);
    send(&client, "b@example.org").send().await.unwrap();
    let quota = client.get_account().send().await.unwrap().send_quota.unwrap();
    assert_eq!((quota.max_send_rate, quota.sent_last24_hours), (1.0, 2.0));
}
