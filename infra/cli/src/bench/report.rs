//! The figures, beside what the project promises (`promises.md`: P4, P5, P16).

use serde::Serialize;

use crate::bench::cost::{Costs, Million};
use crate::bench::intake::Taken;
use crate::bench::latency::Latency;
use crate::bench::road::Gone;
use crate::say;

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// Whether the build is optimised; one that is not says nothing about speed.
    pub(crate) optimised: bool,
    /// Cores.
    pub(crate) cores: usize,
    /// A write with `fdatasync`, in milliseconds: half of them, and 99 of 100.
    pub(crate) sync_ms: [f64; 2],
    /// Acknowledged, one event a call.
    pub(crate) one_a_call: Taken,
    /// Acknowledged, in batches.
    pub(crate) in_batches: Taken,
    /// Events, evaluated.
    pub(crate) events: Gone,
    /// Mails, sent.
    pub(crate) mails: Gone,
    /// Times at moderate load.
    pub(crate) latency: Latency,
    /// Peak memory of all phases, load generator included, in MiB.
    pub(crate) peak_mebibytes: Option<u64>,
    /// What AWS would charge.
    pub(crate) costs: Costs,
}

/// A figure and its promise.
struct Row {
    what: String,
    measured: f64,
    unit: &'static str,
    promise: Option<Promise>,
}

enum Promise {
    AtLeast(&'static str, f64),
    AtMost(&'static str, f64),
}

impl Report {
    /// Prints it for people.
    pub(crate) fn show(&self) {
        if !self.optimised {
            say::line(say::yellow("This build is not optimised: `cargo run --release -- bench` measures."));
        }
        say::line(format!(
            "{} cores, shared by dunlin and the load generator; a write with fdatasync takes {:.2} ms, {:.2} ms at p99",
            self.cores, self.sync_ms[0], self.sync_ms[1]
        ));
        say::line("");
        self.speeds().iter().for_each(Row::show);
        if let Some(peak) = self.peak_mebibytes {
            Row { what: "peak memory, all phases".to_owned(), measured: peak as f64, unit: "MiB", promise: None }
                .show();
        }
        for (what, gone) in [("events", self.events), ("mails", self.mails)] {
            if !gone.complete {
                say::line(say::yellow(format!("only {} {what} arrived in time; the figure is theirs", gone.count)));
            }
        }
        say::line("");
        self.prices();
    }

    fn speeds(&self) -> Vec<Row> {
        let row = |what: &str, measured, unit, promise| Row { what: what.to_owned(), measured, unit, promise };
        let Latency { rate, .. } = self.latency;
        vec![
            row(
                "acknowledged, one event a call",
                self.one_a_call.per_second,
                "/s",
                Some(Promise::AtLeast("P4", 17_000.0)),
            ),
            row("  its answer, p50", self.one_a_call.p50_ms, "ms", None),
            row("  its answer, p99", self.one_a_call.p99_ms, "ms", None),
            row(
                "acknowledged, batches of 200",
                self.in_batches.per_second,
                "/s",
                Some(Promise::AtLeast("P4", 100_000.0)),
            ),
            row("events end to end", self.events.per_second, "/s", None),
            row("mails end to end", self.mails.per_second, "/s", None),
            row(&format!("call to evaluated at {rate}/s, p50"), self.latency.evaluated_p50_ms, "ms", None),
            row("  p99", self.latency.evaluated_p99_ms, "ms", Some(Promise::AtMost("P5", 2_000.0))),
            row(&format!("call to mail at {rate}/s, p50"), self.latency.mail_p50_ms, "ms", None),
            row("  p99", self.latency.mail_p99_ms, "ms", None),
        ]
    }

    fn prices(&self) {
        let Costs { events, batched, mails, delays } = &self.costs;
        say::line(format!(
            "{:<28}{:>13}{:>13}{:>13}{:>16}",
            "A million on AWS", "events", "in batches", "mails", "delays of 30 d"
        ));
        type Get = fn(&Million) -> f64;
        let rows: [(&str, Get); 7] = [
            ("API Gateway requests", |million| million.gateway_requests),
            ("SQS requests", |million| million.sqs_requests),
            ("DynamoDB write units", |million| million.write_units),
            ("DynamoDB read units", |million| million.read_units),
            ("S3 requests", |million| million.s3_requests),
            ("Lambda invocations", |million| million.invocations),
            ("Lambda GB-seconds", |million| million.gigabyte_seconds),
        ];
        for (name, get) in rows {
            let columns: String =
                [events, batched, mails, delays].map(|million| format!("{:>13}", grouped(get(million)))).concat();
            say::line(format!("  {name:<26}{columns}"));
        }
        say::line("");
        for (what, million, most) in [
            ("a million events, one a call", events, 2.5),
            ("a million events, in batches", batched, 0.5),
            ("a million mails beside SES", mails, 3.0),
            ("a million delays of 30 days", delays, 1.0),
        ] {
            let promise = Some(Promise::AtMost("P16", most));
            Row { what: what.to_owned(), measured: million.dollars, unit: "$", promise }.show();
        }
    }
}

impl Row {
    fn show(&self) {
        let measured = number(self.measured, self.unit);
        let beside = self.promise.as_ref().map_or_else(String::new, |promise| promise.beside(self.measured, self.unit));
        say::line(format!("{:<38}{measured:>14}   {beside}", self.what));
    }
}

impl Promise {
    /// Whether it is met, or by how much it is not.
    fn beside(&self, measured: f64, unit: &str) -> String {
        let (name, sign, promised, met) = match *self {
            Self::AtLeast(name, least) => (name, "≥", least, measured >= least),
            Self::AtMost(name, most) => (name, "≤", most, measured <= most),
        };
        let promise = say::dim(format!("{name}  {sign} {:<12}", number(promised, unit)));
        let verdict = if met {
            say::green("met")
        } else {
            say::red(format!("not met: {:.0} % of it", measured / promised * 100.0))
        };
        format!("{promise} {verdict}")
    }
}

/// A number with its unit, as precise as it is worth.
fn number(value: f64, unit: &str) -> String {
    match unit {
        "$" => format!("${value:.2}"),
        "ms" if value < 100.0 => format!("{value:.1} ms"),
        "/s" => format!("{} /s", grouped(value)),
        _ => format!("{} {unit}", grouped(value)),
    }
}

/// A whole number with commas between thousands.
pub(crate) fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value <= -0.5 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let table = [(0.0, "0"), (999.4, "999"), (1_000.0, "1,000"), (1_234_567.0, "1,234,567"), (-1_500.0, "-1,500")];
        for (value, expected) in table {
            assert_eq!(grouped(value), expected);
        }
    }

    #[test]
    fn a_promise_that_is_not_met_says_by_how_much() {
        console::set_colors_enabled(false);
        assert!(Promise::AtLeast("P4", 17_000.0).beside(8_500.0, "/s").ends_with("not met: 50 % of it"));
        assert!(Promise::AtMost("P5", 2_000.0).beside(20.0, "ms").ends_with("met"));
    }
}
