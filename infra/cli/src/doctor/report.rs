//! What was found: one line for each check, and what to do about it.

use console::pad_str;
use serde::Serialize;
use serde_json::json;

use crate::run::Outcome;
use crate::say;

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Health {
    /// As it should be.
    Ok,
    /// It could not be looked at.
    Unknown,
    /// It works, and should be mended.
    Warning,
    /// It does not work, or loses something.
    Wrong,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    /// What was looked at.
    pub(crate) check: String,
    /// How it is.
    pub(crate) health: Health,
    /// What was seen.
    pub(crate) found: Vec<String>,
    /// What to do, where it is not as it should be.
    pub(crate) mend: Vec<String>,
    /// Whether there was no answer to look at.
    #[serde(skip)]
    pub(crate) is_refused: bool,
    /// Whether nobody answered: then the same service need not be asked again.
    #[serde(skip)]
    pub(crate) is_unreached: bool,
}

impl Finding {
    /// A check that has found nothing wrong yet.
    pub(crate) fn of(check: impl Into<String>) -> Self {
        Self {
            check: check.into(),
            health: Health::Ok,
            found: Vec::new(),
            mend: Vec::new(),
            is_refused: false,
            is_unreached: false,
        }
    }

    /// Something to know.
    pub(crate) fn saw(mut self, what: impl Into<String>) -> Self {
        self.found.push(what.into());
        self
    }

    /// Something that should be mended, unless it is `right`.
    pub(crate) fn warn_unless(self, right: bool, what: impl Into<String>, mend: impl Into<String>) -> Self {
        self.unless(right, Health::Warning, what, mend)
    }

    /// Something that must be mended, unless it is `right`.
    pub(crate) fn wrong_unless(self, right: bool, what: impl Into<String>, mend: impl Into<String>) -> Self {
        self.unless(right, Health::Wrong, what, mend)
    }

    /// Something that must be mended.
    pub(crate) fn wrong(self, what: impl Into<String>, mend: impl Into<String>) -> Self {
        self.unless(false, Health::Wrong, what, mend)
    }

    /// A check that cannot be made.
    pub(crate) fn unknown(check: impl Into<String>, because: impl Into<String>) -> Self {
        Self { health: Health::Unknown, ..Self::of(check).saw(because) }
    }

    fn unless(mut self, right: bool, health: Health, what: impl Into<String>, mend: impl Into<String>) -> Self {
        if !right {
            self.health = self.health.max(health);
            self.found.push(what.into());
            self.mend.push(mend.into());
            self.mend.dedup();
        }
        self
    }

    fn show(&self, next: Option<&Self>) {
        let label = pad_str(
            match self.health {
                Health::Ok => "ok",
                Health::Unknown => "not seen",
                Health::Warning => "warning",
                Health::Wrong => "wrong",
            },
            8,
            console::Alignment::Left,
            None,
        );
        let label = match self.health {
            Health::Ok => say::green(label),
            Health::Unknown => say::dim(label),
            Health::Warning => say::yellow(label),
            Health::Wrong => say::red(label),
        };
        say::line(format!("{label}  {:<31}  {}", self.check, self.found.join("; ")));
        // The same advice for the next one is given there.
        for mend in self.mend.iter().filter(|_| next.is_none_or(|next| next.mend != self.mend)) {
            say::line(format!("          → {mend}"));
        }
    }
}

/// Everything that was looked at, from top to bottom.
#[derive(Debug, Default)]
pub(crate) struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Adds a finding; whether what was looked at can be built on.
    pub(crate) fn add(&mut self, finding: Finding) -> bool {
        let stands = matches!(finding.health, Health::Ok | Health::Warning);
        self.findings.push(finding);
        stands
    }

    /// Adds checks that cannot be made.
    pub(crate) fn skip(&mut self, checks: &[&str], because: &str) {
        self.findings.extend(checks.iter().map(|check| Finding::unknown(*check, because)));
    }

    /// What was found about something; for tests.
    #[cfg(test)]
    pub(crate) fn find(&self, check: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.check == check)
    }

    /// Those that are not as they should be; for tests.
    #[cfg(test)]
    pub(crate) fn not_well(&self) -> Vec<(&str, Health)> {
        let not_well = self.findings.iter().filter(|finding| finding.health != Health::Ok);
        not_well.map(|finding| (finding.check.as_str(), finding.health)).collect()
    }

    /// Whether anything is wrong.
    pub(crate) fn outcome(&self) -> Outcome {
        let wrong = self.findings.iter().any(|finding| finding.health == Health::Wrong);
        if wrong { Outcome::Unwell } else { Outcome::Well }
    }

    /// Prints it.
    pub(crate) fn show(&self, as_json: bool) {
        let count = |health| self.findings.iter().filter(|finding| finding.health == health).count();
        let [wrong, warnings, unknown] = [Health::Wrong, Health::Warning, Health::Unknown].map(count);
        if as_json {
            let summary =
                json!({ "wrong": wrong, "warnings": warnings, "notSeen": unknown, "findings": self.findings });
            say::line(format!("{summary:#}"));
            return;
        }
        for (number, finding) in self.findings.iter().enumerate() {
            finding.show(self.findings.get(number + 1));
        }
        say::line("");
        say::line(match (wrong, warnings, unknown) {
            (0, 0, 0) => format!("{} checks, all is well", self.findings.len()),
            _ => format!("{} checks: {wrong} wrong, {warnings} warnings, {unknown} not seen", self.findings.len()),
        });
    }
}
