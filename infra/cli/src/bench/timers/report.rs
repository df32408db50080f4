//! The tables, for people.

use crate::bench::report::grouped;
use crate::bench::timers::Report;
use crate::bench::timers::due::Due;
use crate::bench::timers::matching::{Cost, Matching};
use crate::say;

/// How late the last one may be, in seconds (`promises.md`: P7).
const LATE: f64 = 60.0;

impl Report {
    /// Prints it.
    pub(crate) fn show(&self) {
        if let Some(first) = self.due.first() {
            say::line(format!("{} are due within one minute, in virtual time, while others wait", whole(first.due)));
            table(&DUE, &self.due);
            self.due.iter().for_each(verdict);
        }
        if !self.matching.is_empty() {
            say::line("");
            say::line("One event, evaluated, while carts wait for one like it");
            table(&matching_columns(), &self.matching);
        }
        if let Some(peak) = self.peak_mebibytes {
            say::line(say::dim(format!("peak memory {} MiB", grouped(peak as f64))));
        }
    }
}

/// A column's name, and how it reads.
type Column<T> = (&'static str, fn(&T) -> String);

const DUE: [Column<Due>; 11] = [
    ("waiting", |one| whole(one.waiting)),
    ("moved", |one| whole(one.moved)),
    ("lost", |one| whole(one.lost)),
    ("twice", |one| whole(one.twice)),
    ("last late", |one| format!("{:.1} s", one.late_seconds)),
    ("longest sweep", |one| format!("{:.1} s", one.longest_seconds)),
    ("to find: requests", |one| whole(one.found_requests)),
    ("read units", |one| grouped(one.found_units)),
    ("each", |one| each(one.found_units, one)),
    ("all: read, each", |one| each(one.read_units, one)),
    ("write, each", |one| each(one.write_units, one)),
];

fn matching_columns() -> [Column<Matching>; 4] {
    [
        ("waiting", |one| whole(one.waiting)),
        ("about nobody who waits", |one| cost(one.nobody)),
        ("about one who waits", |one| cost(one.one)),
        ("about one of a person's 1,000", |one| cost(one.of_many)),
    ]
}

fn cost(cost: Cost) -> String {
    format!("{:.2} requests, {:.2} read, {:.2} write", cost.requests, cost.read_units, cost.write_units)
}

fn each(units: f64, one: &Due) -> String {
    format!("{:.3}", units / one.due.max(1) as f64)
}

fn whole(count: u64) -> String {
    grouped(count as f64)
}

fn table<T>(columns: &[Column<T>], rows: &[T]) {
    let cells: Vec<Vec<String>> = rows.iter().map(|row| columns.iter().map(|(_, of)| of(row)).collect()).collect();
    let width = |place: usize, name: &str| {
        let widest = cells.iter().filter_map(|row| row.get(place)).map(|cell| cell.chars().count()).max();
        widest.unwrap_or(0).max(name.chars().count())
    };
    let widths: Vec<usize> = columns.iter().enumerate().map(|(place, (name, _))| width(place, name)).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        cells.zip(&widths).map(|(cell, width)| format!("{cell:>width$}", width = *width)).collect::<Vec<_>>().join("  ")
    };
    say::line(say::dim(line(&mut columns.iter().map(|(name, _)| *name))));
    for row in &cells {
        say::line(line(&mut row.iter().map(String::as_str)));
    }
}

fn verdict(one: &Due) {
    let met = one.lost == 0 && one.twice == 0 && one.late_seconds <= LATE;
    let told = if met { say::green("met") } else { say::red("not met") };
    let failed = if one.failed == 0 {
        String::new()
    } else {
        format!(", {} of {} sweeps were ended or failed, {} hints", one.failed, one.sweeps, whole(one.hints))
    };
    say::line(format!("P7  none lost, the last ≤ {LATE:.0} s late, among {}: {told}{failed}", whole(one.waiting)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::timers::matching::CARTS;

    #[test]
    fn the_column_of_many_carts_says_how_many() {
        let [.., (name, _)] = matching_columns();
        assert!(name.contains(&whole(CARTS)), "{name}");
    }
}
