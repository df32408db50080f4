//! The same seed gives the same trace, so that what a seed finds can be found again.

use dunlin_local::{Fault, FaultKind, Service, When};
use dunlin_tests::Stage;
use jiff::SignedDuration;
use serde_json::json;

use crate::{DAY, NUDGE, RECEIPT};

/// Everything that left and everything that went wrong, in order.
async fn trace(seed: u64) -> String {
    let stage = Stage::with_examples(seed).await;
    stage.publish(RECEIPT).await;
    stage.publish(NUDGE).await;
    let fault = |kind| Fault::new(kind, When::Chance(0.03));
    let kinds = [FaultKind::Throttle, FaultKind::TimeoutApplied, FaultKind::DuplicateDelivery, FaultKind::Reorder];
    let faults = kinds.into_iter().map(|kind| match kind {
        FaultKind::Throttle | FaultKind::TimeoutApplied => fault(kind).at(Service::DynamoDb),
        _ => fault(kind),
    });
    stage.world.cloud().faults().set(faults.collect());
    for n in 0..12 {
        let id = format!("p{}", n % 5);
        stage.identify(&id, json!({ "n": n })).await;
        stage.track(&id, ["Bought", "Looked", "Signed up"][n % 3], json!({ "order": n })).await;
        stage.pass(SignedDuration::from_mins(7)).await;
    }
    stage.pass(40 * DAY).await;
    let mails = stage
        .mails()
        .into_iter()
        .map(|mail| format!("{} {} {} {:?}\n", mail.at, mail.id, mail.subject, mail.raw.len()));
    let faults = stage.world.cloud().faults();
    let struck = faults.injected().into_iter().map(|one| format!("{} {} {:?}\n", one.at, one.operation, one.kind));
    format!("{}{}{}", mails.collect::<String>(), struck.collect::<String>(), faults.requests())
}

#[tokio::test]
async fn the_same_seed_gives_the_same_trace_and_another_seed_another() {
    let first = trace(7).await;
    assert_eq!(first, trace(7).await);
    assert_ne!(first, trace(8).await);
}
