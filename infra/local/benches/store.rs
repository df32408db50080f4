//! How fast the durable cloud is on this machine: messages sent and acknowledged after they are on
//! the disk, alone and beside DynamoDB writes, against an `fdatasync` for each message.
//!
//! `cargo bench -p dunlin-local --bench store`

#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, clippy::panic)]

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use dunlin_aws::Clock;
use dunlin_local::Cloud;
use http::Request;

const SECONDS: f64 = 3.0;
const BODY: usize = 400;

fn request(target: &str, body: String) -> Request<Bytes> {
    Request::post("/").header("x-amz-target", target).body(Bytes::from(body)).unwrap()
}

fn send(caller: usize, n: u64, entries: u64) -> Request<Bytes> {
    let body = "x".repeat(BODY);
    let url = "http://aws.local/0/dunlin-events.fifo";
    if entries == 1 {
        let message = format!(
            r#"{{"QueueUrl":"{url}","MessageBody":"{body}","MessageGroupId":"u{n}","MessageDeduplicationId":"{caller}-{n}"}}"#
        );
        return request("AmazonSQS.SendMessage", message);
    }
    let entries: Vec<String> = (0..entries)
        .map(|e| {
            format!(
                r#"{{"Id":"{e}","MessageBody":"{body}","MessageGroupId":"u{n}","MessageDeduplicationId":"{caller}-{n}-{e}"}}"#
            )
        })
        .collect();
    request("AmazonSQS.SendMessageBatch", format!(r#"{{"QueueUrl":"{url}","Entries":[{}]}}"#, entries.join(",")))
}

/// Messages a second from `callers` at once, and DynamoDB puts a second beside them.
async fn run(cloud: &Cloud, callers: usize, entries: u64, puts: bool) -> (f64, f64) {
    let stop = Arc::new(AtomicBool::new(false));
    let (sent, put) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut tasks = Vec::new();
    let begun = Instant::now();
    let start = begun.elapsed().as_nanos() as usize + callers * 1_000_003 + entries as usize;
    for caller in 0..callers {
        let (cloud, stop, sent) = (cloud.clone(), Arc::clone(&stop), Arc::clone(&sent));
        tasks.push(tokio::spawn(async move {
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                n += 1;
                let answer = cloud.answer(send(start + caller * 1000, n, entries)).await.unwrap();
                assert!(answer.status().is_success(), "{answer:?}");
                sent.fetch_add(entries, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }));
    }
    if puts {
        let (cloud, stop, put) = (cloud.clone(), Arc::clone(&stop), Arc::clone(&put));
        tasks.push(tokio::spawn(async move {
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                n += 1;
                let item = format!(
                    r#"{{"TableName":"dunlin-runs","Item":{{"pk":{{"S":"{n}"}},"sk":{{"S":"-"}},"b":{{"S":"{}"}}}}}}"#,
                    "x".repeat(BODY)
                );
                let answer = cloud.answer(request("DynamoDB_20120810.PutItem", item)).await.unwrap();
                assert!(answer.status().is_success(), "{answer:?}");
                put.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }));
    }
    tokio::time::sleep(Duration::from_secs_f64(SECONDS)).await;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let seconds = begun.elapsed().as_secs_f64();
    (sent.load(Ordering::Relaxed) as f64 / seconds, put.load(Ordering::Relaxed) as f64 / seconds)
}

fn syncs_a_second(folder: &std::path::Path) -> f64 {
    let mut file = File::create(folder.join("sync")).unwrap();
    let begun = Instant::now();
    let mut n = 0;
    while begun.elapsed().as_secs_f64() < 1.0 {
        file.write_all(&[0; BODY]).unwrap();
        file.sync_data().unwrap();
        n += 1;
    }
    f64::from(n) / begun.elapsed().as_secs_f64()
}

fn main() {
    let folder = std::env::temp_dir().join(format!("dunlin-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let syncs = syncs_a_second(&folder);
    println!("one fdatasync each: {syncs:.0}/s");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let cloud = Cloud::open(&folder, Clock::System, 1).unwrap();
        for (callers, entries, puts) in
            [(1, 1, false), (64, 1, false), (256, 1, false), (64, 10, false), (64, 1, true), (256, 1, true), (64, 10, true)]
        {
            let (messages, puts_a_second) = run(&cloud, callers, entries, puts).await;
            println!(
                "{callers:>4} callers x {entries:>2}: {messages:>7.0} durable messages/s ({:.0}x one sync each), {puts_a_second:>6.0} puts/s beside",
                messages / syncs
            );
        }
    });
    let memory = Cloud::in_memory(Clock::System, 1).unwrap();
    runtime.block_on(async {
        let (messages, puts) = run(&memory, 2, 1, true).await;
        println!("in memory: {messages:.0} messages/s beside {puts:.0} puts/s");
    });
    let _ = std::fs::remove_dir_all(&folder);
}
