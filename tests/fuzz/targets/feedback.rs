//! A message of the feedback queue: reading is total, and the same text inside SNS's envelope says the same.

#![no_main]

use dunlin_core::feedback::{Arrival, SuppressionReason};
use dunlin_fuzz::NOW;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|input: &str| {
    let Ok(arrival) = Arrival::parse(input, NOW) else { return };
    let Arrival::Ses(feedback) = &arrival else { return };
    assert!(!feedback.kind.name().is_empty() || input.contains("\"\""));
    if feedback.suppresses() == Some(SuppressionReason::HardBounce) {
        assert!(feedback.kind.proves_acceptance() && !feedback.kind.is_soft_bounce());
    }
    let has_type = serde_json::from_str::<serde_json::Value>(input).is_ok_and(|value| value.get("Type").is_some());
    if !has_type {
        let wrapped = json!({"Type": "Notification", "Message": input}).to_string();
        assert_eq!(Arrival::parse(&wrapped, NOW).ok().as_ref(), Some(&arrival));
    }
});
