//! Sweeps that have more to do than time to do it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use dunlin_aws::resources::STEPS;
use dunlin_aws::timers::{Timer, Timers, Walk};
use dunlin_aws::{Chance, Clients, Clock};
use dunlin_core::ids::{ProjectId, RunId};
use dunlin_core::task::{Step, from_text};
use dunlin_local::{Answer, Broken, Cloud, http_client};
use dunlin_sweep::Sweep;
use futures::future::BoxFuture;
use http::{Request, Response};
use jiff::SignedDuration;
use tokio::sync::Notify;

/// Timers due at one instant: three times as many as a sweep hands over while each request takes [`SLOW`].
const TIMERS: usize = 5_000;
/// What each request takes, one after the other.
const SLOW: SignedDuration = SignedDuration::from_millis(200);
/// When Lambda ends a sweep (`infra/template.yaml`).
const TIMEOUT: SignedDuration = SignedDuration::from_secs(55);

/// AWS, slow; whoever asks after his time is up gets no answer any more.
#[derive(Clone, Debug)]
struct Slow {
    cloud: Cloud,
    clock: Clock,
    until: Arc<AtomicI64>,
    over: Arc<Notify>,
}

impl Answer for Slow {
    fn answer(&self, request: Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, Broken>> {
        let slow = self.clone();
        Box::pin(async move {
            slow.clock.advance_to(slow.clock.now() + SLOW);
            if slow.clock.now().as_millisecond() > slow.until.load(Ordering::Relaxed) {
                slow.over.notify_one();
                std::future::pending::<()>().await;
            }
            Answer::answer(&slow.cloud, request).await
        })
    }
}

#[tokio::test]
async fn what_is_due_at_one_instant_is_handed_over_however_many_sweeps_it_takes() {
    let clock = Clock::virtual_at(dunlin_tests::start());
    let cloud = Cloud::in_memory(clock.clone(), 1).expect("a cloud");
    let (until, over) = (Arc::new(AtomicI64::new(i64::MAX)), Arc::new(Notify::new()));
    let slow = Slow { cloud: cloud.clone(), clock: clock.clone(), until: Arc::clone(&until), over: Arc::clone(&over) };
    let settings = dunlin_tests::settings();
    let clients = Clients::in_process(http_client(slow), clock.clone(), Chance::seeded(1));
    let fast = Clients::in_process(http_client(cloud.clone()), clock.clone(), Chance::seeded(2));
    let (timers, due_at) = (Timers::new(&fast, &settings.prefix), clock.now() + SignedDuration::from_mins(10));
    let project = ProjectId::derive(&["larkspur"]);
    for n in 0..TIMERS {
        let run = RunId::derive(&[&n.to_string()]);
        timers.put(&Timer { project: project.clone(), run, moves: 1, due_at }).await.expect("put");
    }
    let sweep = Sweep::new(&clients, &settings);
    let mut sweeps = 0;
    while timers.cursor(Walk::Due).await.expect("read").is_none_or(|cursor| cursor.upto < due_at) {
        sweeps += 1;
        assert!(sweeps < 20, "a sweep that starts over for ever");
        until.store((clock.now() + TIMEOUT).as_millisecond(), Ordering::Relaxed);
        tokio::select! {
            swept = sweep.handle() => swept.expect("swept"),
            () = over.notified() => panic!("ended by its time-out"),
        }
    }
    let (queue, mut handed, mut messages) = (format!("{}{}", settings.prefix, STEPS.name()), BTreeSet::new(), 0);
    clock.advance_to(due_at + TIMEOUT);
    loop {
        let received = cloud.sqs().receive(&queue, 10);
        if received.is_empty() {
            break;
        }
        messages += received.len();
        handed.extend(received.iter().filter_map(|message| Some(from_text::<Step>(&message.body).ok()?.run)));
    }
    println!("{sweeps} sweeps, {messages} hints");
    assert_eq!((handed.len(), messages), (TIMERS, TIMERS), "each once");
    assert!(sweeps > 1, "one sweep had time for it all");
}
