//! A JSON body of the Track API: the first byte picks the endpoint, the rest is the body.

#![no_main]

use dunlin_fuzz::{holds, taker};
use http::HeaderMap;
use libfuzzer_sys::fuzz_target;

const PATHS: [&str; 8] = [
    "events/track",
    "users/track",
    "users/edit",
    "users/tags/edit",
    "users/unsubscribe",
    "users/resubscribe",
    "users/reidentify",
    "users/delete",
];

fuzz_target!(|input: &[u8]| {
    let Some((pick, body)) = input.split_first() else { return };
    let path = PATHS[usize::from(*pick) % PATHS.len()];
    let taker = taker();
    match taker.track(path, &HeaderMap::new(), body) {
        Ok(messages) => holds(&taker, &messages),
        Err(status) => assert!(status.is_client_error(), "{status}"),
    }
});
