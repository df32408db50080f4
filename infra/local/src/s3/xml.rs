//! The XML that S3 answers with.

use std::fmt::Write as _;

use super::objects::Listed;

/// Text with XML's special characters escaped.
pub(super) fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
        escaped
    })
}

/// One page of `ListObjectsV2`. The continuation token is the page's last key.
pub(super) fn list(bucket: &str, prefix: &str, max: usize, found: &[Listed], truncated: bool) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{}</Name><Prefix>{}</Prefix><MaxKeys>{max}</MaxKeys><KeyCount>{}</KeyCount><IsTruncated>{truncated}</IsTruncated>",
        escape(bucket),
        escape(prefix),
        found.len()
    );
    if let Some(last) = found.last().filter(|_| truncated) {
        let _ = write!(xml, "<NextContinuationToken>{}</NextContinuationToken>", escape(&last.key));
    }
    for listed in found {
        let _ = write!(
            xml,
            "<Contents><Key>{}</Key><LastModified>{:.3}</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
            escape(&listed.key),
            listed.modified_at,
            listed.etag,
            listed.size
        );
    }
    xml.push_str("</ListBucketResult>");
    xml
}
