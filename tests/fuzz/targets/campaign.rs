//! A campaign file: what is accepted is the same again after it was stored as JSON, and checking it never ends badly.

#![no_main]

use std::collections::BTreeMap;

use dunlin_core::campaign::{self, Campaign};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    match campaign::parse("fuzz.yaml", input, &BTreeMap::new()) {
        Err(problems) => assert!(!problems.is_empty(), "a refusal says why"),
        Ok(parsed) => {
            let stored = serde_json::to_value(&parsed).expect("it is stored");
            let read: Campaign = serde_json::from_value(stored.clone()).expect("it is loaded");
            assert!(read == parsed, "a campaign changes on its way through the table");
            match campaign::from_json(stored) {
                Ok(again) => assert!(again == parsed, "a campaign changes on its way to manage"),
                Err(problems) => panic!("manage refuses what push accepts: {problems:?}"),
            }
            drop(campaign::check(&parsed));
        }
    }
});
