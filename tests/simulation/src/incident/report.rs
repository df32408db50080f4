//! What was promised, what happened, and whether it held.

use std::fmt;

/// One promise of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What was promised.
    pub promised: String,
    /// What happened, in figures.
    pub happened: String,
    /// Whether it held; none where nothing was promised and the figure only tells what was played.
    pub held: Option<bool>,
}

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Line by line.
    pub lines: Vec<Line>,
}

impl Report {
    /// Adds a promise and what became of it.
    pub fn promise(&mut self, promised: impl Into<String>, happened: impl Into<String>, held: bool) {
        self.lines.push(Line { promised: promised.into(), happened: happened.into(), held: Some(held) });
    }

    /// Adds what was played, or what is not.
    pub fn tell(&mut self, what: impl Into<String>, figures: impl Into<String>) {
        self.lines.push(Line { promised: what.into(), happened: figures.into(), held: None });
    }

    /// Whether every promise held.
    #[must_use]
    pub fn held(&self) -> bool {
        self.lines.iter().all(|line| line.held != Some(false))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            let held = match line.held {
                Some(true) => "held",
                Some(false) => "BROKEN",
                None => "",
            };
            writeln!(out, "{} | {} | {held}", line.promised, line.happened)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_broken_promise_breaks_the_report() {
        let mut report = Report::default();
        report.tell("played", "all");
        report.promise("nothing is lost", "0 lost", true);
        assert!(report.held());
        report.promise("nothing comes twice", "1 twice", false);
        assert!(!report.held());
        assert!(report.to_string().contains("nothing comes twice | 1 twice | BROKEN"));
    }
}
