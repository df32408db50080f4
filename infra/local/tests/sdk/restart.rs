use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue::S;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, RawMessage};
use dunlin_aws::Clock;
use dunlin_local::Cloud;

use crate::{Folder, dynamodb_client, pass, s3_client, ses_client, sqs_client, start};

fn open(folder: &Path) -> Cloud {
    Cloud::open(folder, Clock::virtual_at(start()), 42).unwrap()
}

const EVENTS: &str = "http://aws.local/0/dunlin-events.fifo";

fn send(cloud: &Cloud, body: &str) -> aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder {
    let send = sqs_client(cloud).send_message().queue_url(EVENTS).message_group_id("user");
    send.message_deduplication_id(body).message_body(body)
}

#[tokio::test]
async fn a_cloud_opened_again_continues_where_it_was() {
    let folder = Folder::fresh();
    let first_mail;
    {
        let cloud = open(&folder.0);
        for body in ["one", "two", "three"] {
            send(&cloud, body).send().await.unwrap();
        }
        let received = cloud.sqs().receive("dunlin-events.fifo", 1);
        cloud.sqs().delete("dunlin-events.fifo", &[received[0].receipt.clone()]);
        let received = cloud.sqs().receive("dunlin-events.fifo", 1);
        assert_eq!(received[0].body, "two");

        let put = dynamodb_client(&cloud).put_item().table_name("dunlin-runs").item("pk", S("a".into()));
        put.item("sk", S("b".into())).send().await.unwrap();
        let put = s3_client(&cloud).put_object().bucket("dunlin-store").key("k").body(ByteStream::from_static(b"v"));
        put.send().await.unwrap();
        first_mail = mail(&cloud).await;
    }
    let cloud = open(&folder.0);
    assert_eq!(cloud.sqs().depth("dunlin-events.fifo").total(), 2);
    assert_eq!(send(&cloud, "three").send().await.unwrap().sequence_number.unwrap().len(), 20);
    assert_eq!(cloud.sqs().depth("dunlin-events.fifo").total(), 2, "a known deduplication id stays known");
    let received = cloud.sqs().receive("dunlin-events.fifo", 10);
    assert_eq!(received.iter().map(|message| message.body.as_str()).collect::<Vec<_>>(), ["two", "three"]);
    assert_eq!(received[0].attributes["ApproximateReceiveCount"], "2");

    let got = dynamodb_client(&cloud).get_item().table_name("dunlin-runs").key("pk", S("a".into()));
    assert!(got.key("sk", S("b".into())).send().await.unwrap().item.is_some());
    assert!(s3_client(&cloud).get_object().bucket("dunlin-store").key("k").send().await.is_ok());
    assert_eq!(cloud.outbox().get(&first_mail).unwrap().subject, "hi");
    pass(&cloud, 1);
    assert_eq!(cloud.sqs().receive("dunlin-feedback", 10).len(), 2);
    assert_ne!(mail(&cloud).await, first_mail, "ids do not repeat after a restart with the same seed");
}

async fn mail(cloud: &Cloud) -> String {
    let raw = RawMessage::builder().data(Blob::new("From: a@example.com\r\nSubject: hi\r\n\r\nx")).build().unwrap();
    let send = ses_client(cloud).send_email().content(EmailContent::builder().raw(raw).build());
    let send = send.destination(Destination::builder().to_addresses("b@example.com").build());
    send.configuration_set_name("dunlin-mail").send().await.unwrap().message_id.unwrap()
}

/// The file as a SIGKILL would leave it: copied while the cloud still runs, without a checkpoint.
#[tokio::test]
async fn what_was_acknowledged_is_in_the_file_at_that_moment() {
    let (folder, copy) = (Folder::fresh(), Folder::fresh());
    let cloud = open(&folder.0);
    for n in 0..50 {
        send(&cloud, &n.to_string()).send().await.unwrap();
    }
    std::fs::create_dir_all(&copy.0).unwrap();
    for name in ["dunlin.sqlite", "dunlin.sqlite-wal"] {
        std::fs::copy(folder.0.join(name), copy.0.join(name)).unwrap();
    }
    assert_eq!(open(&copy.0).sqs().depth("dunlin-events.fifo").visible, 50);
}
