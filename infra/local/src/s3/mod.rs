//! S3, path style: the few operations dunlin uses, over a folder or in memory.

mod objects;
mod xml;

use bytes::Bytes;
use http::{Method, Request};
use percent_encoding::percent_decode_str;

use crate::error::CloudError;
use crate::meter::{Count, Meter, Service};
use crate::reply::{self, Refusal, Reply};
use objects::Object;
pub(crate) use objects::Objects;

/// Most keys of one page of a list (API reference, `ListObjectsV2`).
const MAX_KEYS: usize = 1000;

/// The buckets.
pub(crate) struct S3 {
    objects: Objects,
    meter: Meter,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The operation as S3 names it.
    pub(crate) operation: &'static str,
    bucket: String,
    key: String,
}

/// Reads what a path-style request asks for.
pub(crate) fn asked(request: &Request<Bytes>) -> Asked {
    let path = request.uri().path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let of_the_lifecycle = request.uri().query().is_some_and(|query| query.split('&').any(|part| part == "lifecycle"));
    let operation = match (request.method(), key.is_empty()) {
        (&Method::GET, true) if of_the_lifecycle => "GetBucketLifecycleConfiguration",
        (&Method::PUT, true) => "CreateBucket",
        (&Method::HEAD, true) => "HeadBucket",
        (&Method::GET, true) => "ListObjectsV2",
        (&Method::PUT, false) => "PutObject",
        (&Method::GET, false) => "GetObject",
        (&Method::HEAD, false) => "HeadObject",
        (&Method::DELETE, false) => "DeleteObject",
        _ => "Unknown",
    };
    Asked { operation, bucket: decoded(bucket), key: decoded(key) }
}

/// A refusal as S3 writes it.
pub(crate) fn refuse(refusal: &Refusal) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{}</Code><Message>{}</Message><RequestId>local</RequestId></Error>",
        xml::escape(refusal.code),
        xml::escape(&refusal.message)
    );
    reply::with_body(refusal.status, "application/xml", body)
}

fn internal(error: &CloudError) -> Refusal {
    Refusal::internal("InternalError", format!("the object cannot be read or written: {error}"))
}

impl S3 {
    pub(crate) fn new(objects: Objects, meter: Meter) -> Self {
        Self { objects, meter }
    }

    /// Makes a bucket unless it is there.
    pub(crate) fn create_bucket(&self, bucket: &str) -> Result<(), CloudError> {
        self.objects.create_bucket(bucket)
    }

    /// Answers one request.
    pub(crate) fn answer(&self, asked: &Asked, request: &Request<Bytes>) -> Reply {
        self.meter.add(Service::S3, asked.operation, &Count::of(1, 0));
        let result = self.dispatch(asked, request);
        let mut answer = result.unwrap_or_else(|refusal| refuse(&refusal));
        if request.method() == Method::HEAD {
            *answer.body_mut() = Bytes::new();
        }
        answer
    }

    fn dispatch(&self, asked: &Asked, request: &Request<Bytes>) -> Result<Reply, Refusal> {
        let Asked { operation, bucket, key } = asked;
        let exists = self.objects.has_bucket(bucket).map_err(|error| internal(&error))?;
        if !exists && *operation != "CreateBucket" {
            return Err(Refusal::with_status(404, "NoSuchBucket", "The specified bucket does not exist"));
        }
        match *operation {
            "CreateBucket" => self.objects.create_bucket(bucket).map(|()| empty(200)).map_err(|error| internal(&error)),
            "HeadBucket" => Ok(empty(200)),
            "GetBucketLifecycleConfiguration" => {
                let text = "The lifecycle configuration does not exist";
                Err(Refusal::with_status(404, "NoSuchLifecycleConfiguration", text))
            }
            "ListObjectsV2" => self.list(bucket, request),
            "PutObject" => self.put(bucket, key, request),
            "GetObject" | "HeadObject" => self.get(bucket, key),
            "DeleteObject" => self.objects.delete(bucket, key).map(|()| empty(204)).map_err(|error| internal(&error)),
            _ => Err(Refusal::with_status(501, "NotImplemented", "this operation is not offered here")),
        }
    }

    fn put(&self, bucket: &str, key: &str, request: &Request<Bytes>) -> Result<Reply, Refusal> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let chunked = header("content-encoding").is_some_and(|encoding| encoding.contains("aws-chunked"));
        if chunked || header("x-amz-trailer").is_some() {
            let text = "aws-chunked bodies are not offered here: calculate request checksums only when required";
            return Err(Refusal::with_status(501, "NotImplemented", text));
        }
        if header("if-none-match") == Some("*")
            && self.objects.get(bucket, key).map_err(|error| internal(&error))?.is_some()
        {
            let text = "At least one of the pre-conditions you specified did not hold";
            return Err(Refusal::with_status(412, "PreconditionFailed", text));
        }
        let etag = self.objects.put(bucket, key, request.body().clone()).map_err(|error| internal(&error))?;
        let mut answer = empty(200);
        reply::set_header(&mut answer, "etag", &format!("\"{etag}\""));
        Ok(answer)
    }

    fn get(&self, bucket: &str, key: &str) -> Result<Reply, Refusal> {
        let object = self.objects.get(bucket, key).map_err(|error| internal(&error))?;
        let Some(Object { body, etag, .. }) = object else {
            return Err(Refusal::with_status(404, "NoSuchKey", "The specified key does not exist."));
        };
        let length = body.len().to_string();
        let mut answer = reply::with_body(200, "application/octet-stream", body);
        reply::set_header(&mut answer, "etag", &format!("\"{etag}\""));
        reply::set_header(&mut answer, "content-length", &length);
        Ok(answer)
    }

    fn list(&self, bucket: &str, request: &Request<Bytes>) -> Result<Reply, Refusal> {
        let query: Vec<(String, String)> = parameters(request.uri().query().unwrap_or_default());
        let parameter = |name: &str| query.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str());
        let prefix = parameter("prefix").unwrap_or_default();
        let after = parameter("continuation-token").or_else(|| parameter("start-after")).unwrap_or_default();
        let max = parameter("max-keys").and_then(|text| text.parse().ok()).unwrap_or(MAX_KEYS).min(MAX_KEYS);
        let mut found = self.objects.list(bucket, prefix, after, max + 1).map_err(|error| internal(&error))?;
        let truncated = found.len() > max;
        found.truncate(max);
        Ok(reply::with_body(200, "application/xml", xml::list(bucket, prefix, max, &found, truncated)))
    }
}

fn parameters(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn empty(status: u16) -> Reply {
    let mut answer = reply::with_body(status, "application/xml", Bytes::new());
    answer.headers_mut().remove(http::header::CONTENT_TYPE);
    answer
}
