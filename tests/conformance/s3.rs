//! S3: the spill and the copies of mails.

use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use futures::{StreamExt as _, TryStreamExt as _};

use crate::aws::Aws;
use crate::documents::{s3_api, s3_guide};
use crate::rule::{Checked, Rule, Wrong, holds, refused, rule, same, some};

const PUT: &str = s3_api!("PutObject");
const LIST: &str = s3_api!("ListObjectsV2");
const CONSISTENCY: &str = s3_guide!("Welcome");

pub(crate) const RULES: &[Rule] = &[
    rule!(an_object_comes_back_as_it_was, "An object comes back byte by byte", s3_api!("GetObject")),
    rule!(a_put_replaces_the_object, "A put replaces the object of its key, and the next read sees it", CONSISTENCY),
    rule!(an_object_may_be_empty, "An object may be empty", PUT),
    rule!(the_entity_tag_is_the_md5, "The entity tag of a plain put is the MD5 of the object", s3_api!("Object")),
    rule!(a_missing_object_is_no_such_key, "`GetObject` of a missing key is `NoSuchKey`", s3_api!("GetObject")),
    rule!(
        a_missing_bucket_is_no_such_bucket,
        "A bucket that is not there is `NoSuchBucket`",
        "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
    ),
    rule!(a_deleted_object_is_gone, "A deleted object is gone for the next read and list", CONSISTENCY),
    rule!(a_delete_of_a_missing_object_succeeds, "`DeleteObject` of a missing key succeeds", s3_api!("DeleteObject")),
    rule!(a_list_shows_what_was_just_put, "A list shows what was put before it", CONSISTENCY),
    rule!(a_list_is_sorted_by_utf8_bytes, "`ListObjectsV2` lists keys in the order of their UTF-8 bytes", LIST),
    rule!(a_list_has_only_its_prefix, "`Prefix` limits a list to keys that begin with it", LIST),
    rule!(a_list_has_pages, "`MaxKeys` ends a page; `NextContinuationToken` goes on behind it", LIST),
    rule!(a_page_has_at_most_1000_keys, "A page has at most 1,000 keys", LIST),
    rule!(an_empty_list_is_no_error, "A list of nothing has no keys and is not truncated", LIST),
    rule!(a_key_may_have_any_character, "A key may have spaces, signs and any Unicode", s3_guide!("object-keys")),
];

async fn put(aws: &Aws, key: &str, body: &[u8]) -> Result<PutObjectOutput, Wrong> {
    Ok(aws.s3.put_object().bucket(&aws.bucket).key(key).body(ByteStream::from(body.to_vec())).send().await?)
}

async fn get(aws: &Aws, key: &str) -> Result<Vec<u8>, Wrong> {
    let object = aws.s3.get_object().bucket(&aws.bucket).key(key).send().await?;
    let body = object.body.collect().await.map_err(|_| Wrong::Otherwise("a body that breaks off".to_owned()))?;
    Ok(body.to_vec())
}

async fn list(aws: &Aws, prefix: &str) -> Result<Vec<String>, Wrong> {
    let page = aws.s3.list_objects_v2().bucket(&aws.bucket).prefix(prefix).send().await?;
    Ok(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect())
}

async fn an_object_comes_back_as_it_was(aws: &Aws) -> Checked {
    let key = aws.fresh("object");
    let body: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    put(aws, &key, &body).await?;
    holds(get(aws, &key).await? == body, "other bytes")
}

async fn a_put_replaces_the_object(aws: &Aws) -> Checked {
    let key = aws.fresh("object");
    for body in ["first", "second", "third"] {
        put(aws, &key, body.as_bytes()).await?;
        same("read", String::from_utf8_lossy(&get(aws, &key).await?).as_ref(), body)?;
    }
    Ok(())
}

async fn an_object_may_be_empty(aws: &Aws) -> Checked {
    let key = aws.fresh("object");
    put(aws, &key, b"").await?;
    same("bytes", get(aws, &key).await?.len(), 0)
}

async fn the_entity_tag_is_the_md5(aws: &Aws) -> Checked {
    let tag = put(aws, &aws.fresh("object"), b"hello").await?.e_tag;
    same("tag", tag.as_deref(), Some("\"5d41402abc4b2a76b9719d911017c592\""))
}

async fn a_missing_object_is_no_such_key(aws: &Aws) -> Checked {
    let get = aws.s3.get_object().bucket(&aws.bucket).key(aws.fresh("none"));
    refused(get.send().await, &["NoSuchKey"])
}

async fn a_missing_bucket_is_no_such_bucket(aws: &Aws) -> Checked {
    let nowhere = aws.fresh("none");
    refused(aws.s3.get_object().bucket(&nowhere).key("a").send().await, &["NoSuchBucket"])?;
    let put = aws.s3.put_object().bucket(&nowhere).key("a").body(ByteStream::from_static(b"x"));
    refused(put.send().await, &["NoSuchBucket"])
}

async fn a_deleted_object_is_gone(aws: &Aws) -> Checked {
    let key = aws.fresh("object");
    put(aws, &key, b"x").await?;
    aws.s3.delete_object().bucket(&aws.bucket).key(&key).send().await?;
    refused(aws.s3.get_object().bucket(&aws.bucket).key(&key).send().await, &["NoSuchKey"])?;
    holds(list(aws, &key).await?.is_empty(), "it is listed")
}

async fn a_delete_of_a_missing_object_succeeds(aws: &Aws) -> Checked {
    aws.s3.delete_object().bucket(&aws.bucket).key(aws.fresh("none")).send().await?;
    Ok(())
}

async fn a_list_shows_what_was_just_put(aws: &Aws) -> Checked {
    let folder = aws.fresh("folder");
    for count in 1..=5 {
        put(aws, &format!("{folder}/{count}"), b"x").await?;
        same("keys", list(aws, &folder).await?.len(), count)?;
    }
    Ok(())
}

async fn a_list_is_sorted_by_utf8_bytes(aws: &Aws) -> Checked {
    let folder = aws.fresh("folder");
    let sorted = ["!", "0", "10", "9", "A", "a", "a-b", "a/b", "ab", "é"].map(|name| format!("{folder}/{name}"));
    for key in sorted.iter().rev() {
        put(aws, key, b"x").await?;
    }
    let found = list(aws, &folder).await?;
    let names = |keys: &[String]| keys.iter().map(|key| key.replace(&folder, "")).collect::<Vec<_>>();
    same("order", names(&found), names(&sorted))
}

async fn a_list_has_only_its_prefix(aws: &Aws) -> Checked {
    let folder = aws.fresh("folder");
    for name in ["spill/1", "spill/2", "spill", "spillage", "mail/1"] {
        put(aws, &format!("{folder}/{name}"), b"x").await?;
    }
    same("keys", list(aws, &format!("{folder}/spill/")).await?.len(), 2)
}

async fn a_list_has_pages(aws: &Aws) -> Checked {
    let folder = aws.fresh("folder");
    for n in 1..=3 {
        put(aws, &format!("{folder}/{n}"), b"x").await?;
    }
    let ask = || aws.s3.list_objects_v2().bucket(&aws.bucket).prefix(&folder).max_keys(2);
    let page = ask().send().await?;
    same("keys", page.contents().len(), 2)?;
    same("truncated", page.is_truncated(), Some(true))?;
    let token = some("NextContinuationToken", page.next_continuation_token)?;
    let next = ask().continuation_token(token).send().await?;
    same("keys", next.contents().len(), 1)?;
    same("truncated", next.is_truncated(), Some(false))?;
    holds(next.contents()[0].key() == Some(&format!("{folder}/3")), "another key")
}

async fn a_page_has_at_most_1000_keys(aws: &Aws) -> Checked {
    let folder = aws.fresh("folder");
    let puts = futures::stream::iter(0..1_001).map(|n| {
        let key = format!("{folder}/{n:04}");
        async move { put(aws, &key, b"").await }
    });
    puts.buffer_unordered(20).try_collect::<Vec<_>>().await?;
    let page = aws.s3.list_objects_v2().bucket(&aws.bucket).prefix(&folder).max_keys(2_000).send().await?;
    same("keys", page.contents().len(), 1_000)?;
    same("truncated", page.is_truncated(), Some(true))
}

async fn an_empty_list_is_no_error(aws: &Aws) -> Checked {
    let page = aws.s3.list_objects_v2().bucket(&aws.bucket).prefix(aws.fresh("none")).send().await?;
    holds(page.contents().is_empty() && page.is_truncated() != Some(true), "keys, or more to come")
}

async fn a_key_may_have_any_character(aws: &Aws) -> Checked {
    let folder = aws.fresh("folder");
    for name in ["a b & c", "50%+1=x?y", "a:b;c@d", "(é 🐦)", "<'>", "#1"] {
        let key = format!("{folder}/{name}");
        put(aws, &key, name.as_bytes()).await?;
        holds(get(aws, &key).await? == name.as_bytes(), format!("{name} is not read"))?;
        holds(list(aws, &key).await? == [key.as_str()], format!("{name} is not listed"))?;
    }
    Ok(())
}
