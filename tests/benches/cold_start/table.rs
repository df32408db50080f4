//! The numbers, as a table.

use crate::program::Program;

/// Milliseconds to the first poll that we want at most.
const FIRST_POLL: f64 = 40.0;
/// Megabytes in memory that we want to stay below.
const MEMORY: f64 = 30.0;
/// What the columns are called.
const HEADS: [&str; 8] =
    ["size MB", "first poll ms", "at most", "first call ms", "at most", "warm call ms", "init MB", "peak MB"];
/// Characters of a column.
const WIDTH: usize = 14;

/// What was measured of one program.
pub(crate) struct Samples {
    /// Its name.
    pub(crate) name: &'static str,
    /// Megabytes of its executable.
    pub(crate) size: Option<f64>,
    /// Milliseconds from its start to its first poll, one a start.
    pub(crate) first_poll: Vec<f64>,
    /// Milliseconds of its first invocation, one a start.
    pub(crate) first_call: Vec<f64>,
    /// Milliseconds of the others, all starts together.
    pub(crate) warm_call: Vec<f64>,
    /// Megabytes it held at its first poll, one a start.
    pub(crate) init: Vec<f64>,
    /// Megabytes it held at most, one a start.
    pub(crate) peak: Vec<f64>,
}

impl Samples {
    /// None yet.
    pub(crate) fn of(program: &Program) -> Self {
        let none = Vec::new;
        let (name, size) = (program.name, program.megabytes);
        Self { name, size, first_poll: none(), first_call: none(), warm_call: none(), init: none(), peak: none() }
    }

    fn columns(&self) -> [Option<f64>; 8] {
        let (first_poll, first_call) = (&self.first_poll, &self.first_call);
        [
            self.size,
            Some(median(first_poll)),
            Some(most(first_poll)),
            Some(median(first_call)),
            Some(most(first_call)),
            Some(median(&self.warm_call)),
            Some(median(&self.init)),
            Some(most(&self.peak)),
        ]
    }

    fn meets_the_goal(&self) -> bool {
        median(&self.first_poll) <= FIRST_POLL && most(&self.peak) < MEMORY
    }
}

/// Prints everything: the table, the others as multiples of `evaluate`, and who meets the goal.
pub(crate) fn show(all: &[Samples], others: &[Samples]) {
    line("", &HEADS.map(|head| head.to_owned()));
    for samples in all.iter().chain(others) {
        let cells = samples.columns().map(|cell| cell.map_or_else(|| "-".to_owned(), |number| format!("{number:.1}")));
        line(samples.name, &cells);
    }
    if let Some(evaluate) = all.iter().find(|samples| samples.name == "evaluate") {
        let ours = evaluate.columns();
        for other in others {
            let mut theirs = other.columns().into_iter();
            let ratios = ours.map(|our| match (our, theirs.next().flatten()) {
                (Some(our), Some(their)) => format!("{:.1} x", their / our),
                _ => "-".to_owned(),
            });
            line(&format!("{}/evaluate", other.name), &ratios);
        }
    }
    let (meet, miss): (Vec<&Samples>, Vec<&Samples>) = all.iter().partition(|samples| samples.meets_the_goal());
    println!("\ngoal: {FIRST_POLL} ms to the first poll (median) and less than {MEMORY} MB (peak)");
    println!("met by: {}\nmissed by: {}", names(&meet), names(&miss));
}

fn line(name: &str, cells: &[String]) {
    let cells: String = cells.iter().map(|cell| format!("{cell:>WIDTH$}")).collect();
    println!("{name:<16}{cells}");
}

fn names(samples: &[&Samples]) -> String {
    let names: Vec<&str> = samples.iter().map(|samples| samples.name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn most(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(f64::NAN, f64::max)
}
