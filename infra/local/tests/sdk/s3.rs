use aws_sdk_s3::primitives::ByteStream;
use dunlin_aws::Clock;
use dunlin_local::Cloud;

use crate::{Folder, cloud, s3_client, start};

async fn a_round_trip(cloud: &Cloud) {
    let client = s3_client(cloud);
    let put =
        |key: &str| client.put_object().bucket("dunlin-store").key(key).body(ByteStream::from_static(b"hello")).send();
    for key in ["spill/2026/b & c", "spill/2026/a", "view/1"] {
        let etag = put(key).await.unwrap().e_tag;
        assert_eq!(etag.as_deref(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    }
    let got = client.get_object().bucket("dunlin-store").key("spill/2026/b & c").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().into_bytes(), "hello");
    let head = client.head_object().bucket("dunlin-store").key("view/1").send().await.unwrap();
    assert_eq!(head.content_length, Some(5));

    let page = client.list_objects_v2().bucket("dunlin-store").prefix("spill/").max_keys(1).send().await.unwrap();
    assert_eq!(page.contents()[0].key(), Some("spill/2026/a"));
    let next = client.list_objects_v2().bucket("dunlin-store").prefix("spill/");
    let next = next.set_continuation_token(page.next_continuation_token).send().await.unwrap();
    assert_eq!(next.contents()[0].key(), Some("spill/2026/b & c"));
    assert_eq!(next.is_truncated, Some(false));

    client.delete_object().bucket("dunlin-store").key("view/1").send().await.unwrap();
    let gone = client.get_object().bucket("dunlin-store").key("view/1").send().await;
    assert!(gone.unwrap_err().into_service_error().is_no_such_key());
}

#[tokio::test]
async fn objects_in_memory_come_back_as_they_were_put() {
    a_round_trip(&cloud()).await;
}

#[tokio::test]
async fn objects_in_a_folder_come_back_as_they_were_put() {
    let folder = Folder::fresh();
    a_round_trip(&Cloud::open(&folder.0, Clock::virtual_at(start()), 1).unwrap()).await;
}
