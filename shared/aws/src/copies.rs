//! Copies of mails that link to themselves, for "view online". One object a mail, kept only for mails
//! that use `url.permalink` (a PUT costs $5 a million).

use aws_sdk_s3::primitives::ByteStream;
use dunlin_core::ids::{DeliveryId, ProjectId};

use crate::error::{Error, Kind, Result};

/// Where copies lie in the bucket.
pub const PREFIX: &str = "mail/";

/// The copies in the bucket.
#[derive(Clone, Debug)]
pub struct Copies {
    s3: aws_sdk_s3::Client,
    bucket: String,
}

impl Copies {
    /// The copies in `bucket` (`Settings::bucket`).
    #[must_use]
    pub fn new(s3: aws_sdk_s3::Client, bucket: String) -> Self {
        Self { s3, bucket }
    }

    /// Keeps a mail's HTML as `mail/<project>/<delivery>`; the same mail again is the same object.
    ///
    /// # Errors
    /// When S3 does not take it.
    pub async fn put(&self, project: &ProjectId, delivery: &DeliveryId, html: &str) -> Result<()> {
        let request = self.s3.put_object().bucket(&self.bucket).key(key(project, delivery));
        let request = request.content_type("text/html; charset=utf-8").body(ByteStream::from(html.as_bytes().to_vec()));
        request.send().await.map(drop).map_err(Error::of("put copy"))
    }

    /// A mail's HTML; nothing when it was never kept or is gone.
    ///
    /// # Errors
    /// When S3 does not answer, or the object is not text ([`Kind::Invalid`]).
    pub async fn get(&self, project: &ProjectId, delivery: &DeliveryId) -> Result<Option<String>> {
        let request = self.s3.get_object().bucket(&self.bucket).key(key(project, delivery));
        let object = match request.send().await.map_err(Error::of("get copy")) {
            Ok(object) => object,
            Err(error) if error.kind == Kind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let content = object.body.collect().await.map_err(|error| Error::new(Kind::Unavailable, "get copy", error))?;
        let text = String::from_utf8(content.to_vec());
        text.map(Some).map_err(|error| Error::new(Kind::Invalid, "get copy", error))
    }
}

fn key(project: &ProjectId, delivery: &DeliveryId) -> String {
    format!("{PREFIX}{project}/{delivery}")
}
