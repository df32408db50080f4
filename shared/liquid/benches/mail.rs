//! Renders and parses per second of a mail of 10 KB with 20 variables and a loop.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a bench may panic and look at the clock"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use dunlin_liquid::{Escape, RenderOptions, Template};
use serde_json::{Value, json};

/// How long each figure is measured.
const MEASURED: Duration = Duration::from_secs(2);
const MAIL_BYTES: usize = 10 * 1024;
const VARIABLES: usize = 20;

fn main() {
    let (source, data) = mail();
    let template = Template::parse(&source).expect("the mail parses");
    let now = "2026-11-21T12:00:00Z".parse().expect("a valid instant");
    let options = RenderOptions { escape: Escape::Html, ..RenderOptions::new(now) };
    let rendered = template.render(&data, &options).expect("the mail renders");
    println!("a mail of {} bytes renders to {} bytes", source.len(), rendered.len());
    report("renders", || {
        black_box(template.render(black_box(&data), &options).expect("the mail renders"));
    });
    report("parses", || {
        black_box(Template::parse(black_box(&source)).expect("the mail parses"));
    });
}

fn report(what: &str, mut once: impl FnMut()) {
    for _ in 0..1000 {
        once();
    }
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < MEASURED {
        for _ in 0..100 {
            once();
        }
        count += 100;
    }
    let seconds = start.elapsed().as_secs_f64() / f64::from(count);
    println!("{what}: {:.0} per second ({:.1} µs each)", 1.0 / seconds, seconds * 1e6);
}

/// The source and its data.
fn mail() -> (String, Value) {
    let mut source = String::from("<html><body>\n");
    let mut user = serde_json::Map::new();
    for index in 0..VARIABLES {
        let name = format!("property_{index}");
        user.insert(name.clone(), json!(format!("value {index} <of> Ada")));
        let filter = match index % 4 {
            0 => " | default: 'friend'",
            1 => " | upcase",
            _ => "",
        };
        let _ = writeln!(source, "<p class=\"line\">Dear {{{{ user.{name}{filter} }}}},</p>");
    }
    source.push_str(
        "<ul>{% for item in event.items %}{% if item.price > 2 %}<li>{{ forloop.index }}. \
         {{ item.name }}: {{ item.price | precision: 2 }}</li>{% endif %}{% endfor %}</ul>\n",
    );
    let tail = "</body></html>\n";
    while source.len() + tail.len() < MAIL_BYTES {
        source.push_str("<td style=\"padding: 0 8px; color: #334\">Plain text of a mail.</td>\n");
    }
    source.push_str(tail);
    let items: Vec<Value> = (0..10).map(|index| json!({ "name": format!("Tea {index}"), "price": index })).collect();
    (source, json!({ "user": user, "event": { "items": items } }))
}
