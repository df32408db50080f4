//! What is wrong with a campaign, where, and how to mend it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that is wrong. Shown as `error: welcome.yaml:14: steps[2].wait: what; mend`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Whether the campaign is refused for it.
    pub severity: Severity,
    /// The file, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line of the file at which that is, from 1, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Where in it: a path like `steps[2].wait`, or `line 3, column 7`. Empty for the file as a whole.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The campaign is refused.
    Error,
    /// The campaign works; look at it all the same.
    Warning,
}

impl Problem {
    /// A reason to refuse the campaign.
    #[must_use]
    pub fn error(path: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: None,
            line: None,
            path: path.into(),
            what: what.into(),
            mend: mend.into(),
        }
    }

    /// Something to look at.
    #[must_use]
    pub fn warning(path: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(path, what, mend) }
    }

    /// The same problem, in `file`, unless it names one already.
    #[must_use]
    pub fn within(mut self, file: &str) -> Self {
        self.file.get_or_insert_with(|| file.to_owned());
        self
    }

    /// The same problem, of something that stands at `path`.
    #[must_use]
    pub(super) fn below(self, path: &str) -> Self {
        Self { path: format!("{path}.{}", self.path), ..self }
    }

    /// Whether the campaign is refused for it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })?;
        if let Some(file) = &self.file {
            write!(f, ": {file}")?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.what)?;
        if !self.mend.is_empty() {
            write!(f, "; {}", self.mend)?;
        }
        Ok(())
    }
}

/// What other products call our keys, each with ours; where more than one of them fits, the first is meant.
const ELSEWHERE: [(&str, &[&str]); 20] = [
    ("ab_test", &["split"]),
    ("condition", &["when", "filter", "filters", "conditions"]),
    ("conditions", &["when", "filter", "filters"]),
    ("default", &["else"]),
    ("delay", &["wait"]),
    ("email", &["send", "message"]),
    ("end", &["exit"]),
    ("exit_if", &["exits", "filter"]),
    ("goto", &["next", "to"]),
    ("http", &["webhook"]),
    ("if", &["when", "filter", "filters", "branch", "conditions"]),
    ("otherwise", &["else"]),
    ("pause", &["wait"]),
    ("random", &["split"]),
    ("random_cohort", &["split"]),
    ("sleep", &["wait"]),
    ("segment", &["tag"]),
    ("switch", &["branch"]),
    ("then", &["next", "to"]),
    ("timeout", &["within"]),
];

/// The name that other products write like that, else the one nearest to `written`, if at most a third of its letters differ.
pub(super) fn nearest<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let written = written.to_lowercase();
    let length = written.chars().count();
    if length > 60 {
        return None;
    }
    let names: Vec<&str> = names.into_iter().collect();
    let ours = ELSEWHERE.iter().filter(|(word, _)| *word == written).flat_map(|(_, ours)| *ours);
    let known = ours.filter_map(|our| names.iter().find(|name| *name == our)).next();
    if let Some(name) = known {
        return Some(name);
    }
    let near = names.into_iter().map(|name| (distance(&written, &name.to_lowercase()), name));
    near.filter(|(distance, _)| *distance <= (length / 3).max(1)).min().map(|(_, name)| name)
}

/// "did you mean `x`?", or else the names there are.
pub(crate) fn did_you_mean<'n>(
    written: &str,
    names: impl IntoIterator<Item = &'n str> + Clone,
    otherwise: &str,
) -> String {
    if let Some(name) = nearest(written, names.clone()) {
        return format!("did you mean `{name}`?");
    }
    let known: Vec<String> = names.into_iter().take(12).map(|name| format!("`{name}`")).collect();
    if known.is_empty() {
        otherwise.trim_end_matches("; there are").to_owned()
    } else {
        format!("{otherwise} {}", known.join(", "))
    }
}

/// Letters put in, left out, replaced or swapped with their neighbour, between two short names (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let (mut above, mut row) = (Vec::new(), (0..=right.len()).collect::<Vec<usize>>());
    let mut before = None;
    for (index, a) in left.chars().enumerate() {
        let mut next = vec![index + 1];
        for (place, b) in right.iter().enumerate() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX - 1);
            let mut cost =
                (at(&row, place) + usize::from(a != *b)).min(at(&row, place + 1) + 1).min(at(&next, place) + 1);
            if place > 0 && before == Some(*b) && right.get(place - 1) == Some(&a) {
                cost = cost.min(at(&above, place - 1) + 1);
            }
            next.push(cost);
        }
        above = std::mem::replace(&mut row, next);
        before = Some(a);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        let names = ["wait", "send", "filter", "exit"];
        let table = [
            ("wiat", Some("wait")),
            ("Send", Some("send")),
            ("fliter", Some("filter")),
            ("exits", Some("exit")),
            ("Delay", Some("wait")),
            ("if", Some("filter")),
            ("timeout", None),
            ("crawl", None),
            ("", None),
        ];
        for (written, expected) in table {
            assert_eq!(nearest(written, names), expected, "{written}");
        }
    }

    #[test]
    fn what_others_call_our_keys_leads_to_keys_that_there_are() {
        let schema = crate::campaign::schema().to_string();
        for (word, ours) in ELSEWHERE {
            for our in ours {
                assert!(schema.contains(&format!("\"{our}\":")), "{word}: {our}");
                assert_eq!(nearest(word, ["name", our]), Some(*our), "{word}");
            }
        }
    }

    #[test]
    fn distance_counts_letters() {
        for (left, right, expected) in
            [("", "abc", 3), ("abc", "", 3), ("abc", "acb", 1), ("kitten", "sitting", 3), ("ca", "abc", 3)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }
}
