//! A form body of the Track API, with JSON text in its fields: the first byte picks the endpoint.

#![no_main]

use dunlin_fuzz::{holds, taker};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

const PATHS: [&str; 4] = ["events/track", "users/track", "users/edit", "users/tags/edit"];

fuzz_target!(|input: &[u8]| {
    let Some((pick, body)) = input.split_first() else { return };
    let path = PATHS[usize::from(*pick) % PATHS.len()];
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let (taker, headers) = (taker(), HeaderMap::from_iter([(CONTENT_TYPE, form)]));
    match taker.track(path, &headers, body) {
        Ok(messages) => holds(&taker, &messages),
        Err(status) => assert!(status.is_client_error(), "{status}"),
    }
});
