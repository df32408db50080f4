//! The page: a table that reads without colours, scripts or pictures.

use dunlin_core::status::{Component, DAYS, Day, State as How};
use jiff::civil::Date;
use jiff::{Span, Timestamp, tz::TimeZone};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Shown;

/// Plain CSS, light and dark by the reader's setting.
const CSS: &str = "
:root { color-scheme: light dark; --ok: #2e7d4f; --late: #b7791f; --down: #b3261e; --none: #8886; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; padding: .6rem .5rem; border-bottom: 1px solid #8884; vertical-align: top; }
.ok { color: var(--ok); } .late { color: var(--late); } .down { color: var(--down); font-weight: 600; }
.bar { display: flex; gap: 1px; height: 1.4rem; }
.bar span { flex: 1; background: var(--none); }
.bar .ok { background: var(--ok); } .bar .late { background: var(--late); } .bar .down { background: var(--down); }
small { opacity: .75; }
";

pub(super) fn page(shown: &Shown) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="refresh" content="60";
                title { "Status" }
                style { (PreEscaped(CSS)) }
            }
            body {
                main {
                    h1 { "Status" }
                    p role="status" { strong { (shown.summary()) "." } }
                    table {
                        thead { tr { th scope="col" { "Component" } th scope="col" { "Now" } th scope="col" { "The last " (DAYS) " days" } } }
                        tbody {
                            @for (component, state) in &shown.states { (row(shown, *component, *state)) }
                            @for name in Component::NOT_OFFERED {
                                tr { th scope="row" { (name) } td { "not offered yet" } td {} }
                            }
                        }
                    }
                    p { small { (readings(shown)) " Days are days of UTC." } }
                }
            }
        }
    }
}

fn readings(shown: &Shown) -> String {
    let at = shown.history.at;
    if at == Timestamp::MIN {
        return "No readings have been taken yet.".to_owned();
    }
    format!("Readings are taken once a minute, the last at {}.", at.strftime("%Y-%m-%d %H:%M:%S UTC"))
}

fn row(shown: &Shown, component: Component, state: How) -> Markup {
    let today = TimeZone::UTC.to_datetime(shown.at).date();
    let unwell: Vec<_> = shown.unwell(component).collect();
    let said = format!("{} of the last {DAYS} days were not all well", unwell.len());
    html! {
        tr {
            th scope="row" { (component.name()) }
            td class=(class(state)) { (state) }
            td {
                div.bar role="img" aria-label=(said) {
                    @for date in (0..DAYS).rev().filter_map(|ago| ago_of(today, ago)) { (one(shown, component, date)) }
                }
                @if !unwell.is_empty() {
                    details {
                        summary { (said) }
                        ul {
                            @for (day, tally) in unwell {
                                li {
                                    (day.date) ": " (tally.down_minutes) " min down, " (tally.delayed_minutes)
                                    " min delayed (by up to " (tally.longest_delay_seconds) " s)"
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn ago_of(today: Date, ago: usize) -> Option<Date> {
    today.checked_sub(Span::new().days(i64::try_from(ago).ok()?)).ok()
}

/// One day of the bar; one without readings is grey.
fn one(shown: &Shown, component: Component, date: Date) -> Markup {
    let day: Option<&Day> = shown.history.days.iter().find(|day| day.date == date);
    let tally = day.and_then(|day| day.tally(component));
    let class = match (day, tally) {
        (None, _) => "",
        (Some(_), None) => "ok",
        (Some(_), Some(tally)) if tally.down_minutes > 0 => "down",
        (Some(_), Some(_)) => "late",
    };
    html! { span class=(class) title=(date) {} }
}

fn class(state: How) -> &'static str {
    match state {
        How::Operational => "ok",
        How::Unknown => "",
        How::Delayed { .. } => "late",
        How::Down => "down",
    }
}
