//! From a request's body to its fields: bounded before it is read, bounded again while it is unpacked,
//! and decoded by what it is, since labels are not always truthful.

use std::borrow::Cow;
use std::io::Read;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use dunlin_core::call::Properties;
use dunlin_core::limits::{BODY_BYTES, JSON_KEYS};
use flate2::read::MultiGzDecoder;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt;
use serde_json::Value;

use crate::json;
use crate::reply::Refusal;

/// The first bytes of everything that is gzip; no JSON or form text begins with them.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads a body of at most [`BODY_BYTES`]; a longer one is refused unread when its header admits it.
pub(crate) async fn read(headers: &HeaderMap, mut body: Body) -> Result<Bytes, Refusal> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > BODY_BYTES as u64) {
        return Err(too_large());
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::body("the body ended early: send it again"))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > BODY_BYTES {
            return Err(too_large());
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    Ok([first, rest.freeze()].concat().into())
}

/// The fields of a body.
pub(crate) fn decode(headers: &HeaderMap, bytes: &[u8]) -> Result<Properties, Refusal> {
    let bytes = unpack(headers, bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Refusal::body("the body is not UTF-8 text"))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let label = headers.get(CONTENT_TYPE).and_then(|label| label.to_str().ok()).unwrap_or_default();
    let labelled_json = label.to_ascii_lowercase().contains("json");
    if text.is_empty() {
        return Ok(Properties::new());
    }
    if text.starts_with('{') || labelled_json || !text.contains('=') {
        return match json::parse(text) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(Refusal::body("the body must be a JSON object")),
            Err(error) => {
                Err(Refusal::body(format!("the body is not JSON: line {}, column {}", error.line(), error.column())))
            }
        };
    }
    form(text)
}

fn unpack<'a>(headers: &HeaderMap, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, Refusal> {
    if bytes.starts_with(&GZIP) {
        let mut unpacked = Vec::new();
        let mut bounded = MultiGzDecoder::new(bytes).take(BODY_BYTES as u64 + 1);
        bounded.read_to_end(&mut unpacked).map_err(|_| Refusal::body("the body is not whole gzip data"))?;
        return if unpacked.len() > BODY_BYTES { Err(too_large()) } else { Ok(Cow::Owned(unpacked)) };
    }
    let label = headers.get(CONTENT_ENCODING).map_or(Ok("identity"), |label| label.to_str()).unwrap_or("unreadable");
    match label.trim().to_ascii_lowercase().as_str() {
        "" | "identity" | "gzip" | "x-gzip" => Ok(Cow::Borrowed(bytes)),
        _ => Err(Refusal::field("content-encoding", "must be gzip or absent")),
    }
}

/// A form; a repeated `name[]` makes an array, of a repeated `name` the last counts.
fn form(text: &str) -> Result<Properties, Refusal> {
    let mut fields = Properties::new();
    let mut replaced = false;
    for (count, (name, value)) in form_urlencoded::parse(text.as_bytes()).enumerate() {
        if count >= JSON_KEYS {
            return Err(Refusal::body(format!("the form has more than {JSON_KEYS} fields")));
        }
        replaced = replaced || name.contains('\u{fffd}') || value.contains('\u{fffd}');
        let value = Value::String(value.into_owned());
        match name.strip_suffix("[]") {
            Some(name) => match fields.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(items) => items.push(value),
                other => *other = Value::Array(vec![value]),
            },
            None => drop(fields.insert(name.into_owned(), value)),
        }
    }
    let sent = text.contains('\u{fffd}') || text.to_ascii_lowercase().contains("%ef%bf%bd");
    if replaced && !sent {
        return Err(Refusal::body("the form is not UTF-8 text"));
    }
    Ok(fields)
}

fn too_large() -> Refusal {
    Refusal::large(format!("the body is larger than {BODY_BYTES} bytes: send less at a time"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut gz = GzEncoder::new(Vec::new(), Compression::best());
        gz.write_all(bytes).expect("in memory");
        gz.finish().expect("in memory")
    }

    fn decoded(label: &str, body: &[u8]) -> Result<Value, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, label.parse().expect("a header"));
        decode(&headers, body).map(Value::Object)
    }

    #[test]
    fn a_body_is_decoded_by_what_it_is_and_not_by_its_label() {
        let json = br#" {"id":"7","data":{"a":1}}"#;
        let want = Ok(json!({"id": "7", "data": {"a": 1}}));
        for label in ["application/json", "text/plain", "application/x-www-form-urlencoded", ""] {
            assert_eq!(decoded(label, json), want, "{label}");
            assert_eq!(decoded(label, &gzip(json)), want, "gzip {label}");
            assert_eq!(decoded(label, &[b"\xef\xbb\xbf".as_slice(), json].concat()), want, "BOM {label}");
        }
        let form = b"id=7&email=a%2Bb%40example.com&add%5B%5D=x&add[]=y&id=8&note=a+b";
        for label in ["application/x-www-form-urlencoded; charset=utf-8", "text/plain", ""] {
            let want = json!({"id": "8", "email": "a+b@example.com", "add": ["x", "y"], "note": "a b"});
            assert_eq!(decoded(label, form), Ok(want), "{label}");
        }
        assert_eq!(decoded("application/json", b" \n"), Ok(json!({})));
    }

    #[test]
    fn what_is_not_a_body_of_ours_is_refused_with_its_reason() {
        let cases: [(&str, &[u8], &str); 8] = [
            ("application/json", b"{\"id\":", "the body is not JSON: line 1, column 6"),
            ("application/json", b"id=7", "the body is not JSON: line 1, column 1"),
            ("application/json", b"[1]", "the body must be a JSON object"),
            ("application/json", b"{\"id\":\"\xff\"}", "the body is not UTF-8 text"),
            ("application/json", b"{\"n\":1e999}", "the body is not JSON: line 1, column 10"),
            ("application/x-www-form-urlencoded", b"id=J%FCrgen", "the form is not UTF-8 text"),
            ("", b"nonsense", "the body is not JSON: line 1, column 2"),
            ("", &[0x1f, 0x8b, 0x08, 0x00], "the body is not whole gzip data"),
        ];
        for (label, body, why) in cases {
            assert_eq!(decoded(label, body), Err(Refusal::body(why)), "{label} {body:?}");
        }
        assert_eq!(decoded("", "id=\u{fffd}".as_bytes()), Ok(json!({"id": "\u{fffd}"})));
    }

    #[test]
    fn a_gzip_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![b' '; 300 * 1024 * 1024]);
        assert!(bomb.len() < BODY_BYTES);
        assert_eq!(decoded("application/json", &bomb), Err(too_large()));
        let members = gzip(&vec![b' '; BODY_BYTES / 2 + 1]).repeat(2);
        assert_eq!(decoded("application/json", &members), Err(too_large()));
    }

    #[test]
    fn json_deeper_than_a_stack_is_refused() {
        let deep = format!("{{\"data\":{}", "[".repeat(400_000));
        assert!(decoded("application/json", deep.as_bytes()).is_err());
    }

    #[test]
    fn a_form_of_a_million_fields_is_refused() {
        let many = "a=&".repeat(100_000);
        assert_eq!(decoded("", many.as_bytes()), Err(Refusal::body("the form has more than 1000 fields")));
    }

    #[test]
    fn an_encoding_we_do_not_unpack_is_named() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, "br".parse().expect("a header"));
        assert_eq!(decode(&headers, b"{}"), Err(Refusal::field("content-encoding", "must be gzip or absent")));
        headers.insert(CONTENT_ENCODING, "gzip".parse().expect("a header"));
        assert_eq!(decode(&headers, b"{}"), Ok(Properties::new()), "unpacked on the way");
    }
}
