//! Verdicts: what became of each rule at one place, and the file that keeps them for the table.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

use futures::{FutureExt as _, StreamExt as _, stream};

use crate::aws::Aws;
use crate::place::Place;
use crate::rule::{Checked, Rule, Section, Service, Wrong};

/// Rules that are asked at the same time: some really wait.
const AT_ONCE: usize = 6;

/// What became of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Kept,
    /// Not there, or not to be asked; why.
    NotOffered(String),
    /// What happened instead.
    Broken(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => write!(f, "✓"),
            Self::NotOffered(why) if why.is_empty() => write!(f, "–"),
            Self::NotOffered(why) => write!(f, "– {why}"),
            Self::Broken(what) => write!(f, "✗ {what}"),
        }
    }
}

impl Verdict {
    /// Reads what `to_string` wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mark, words) = text.split_once(' ').unwrap_or((text, ""));
        match mark {
            "✓" => Some(Self::Kept),
            "–" => Some(Self::NotOffered(words.to_owned())),
            "✗" => Some(Self::Broken(words.to_owned())),
            _ => None,
        }
    }

    fn of(checked: Checked) -> Self {
        let plain = |words: String| words.replace(['\n', '\t', '|'], " ");
        match checked {
            Ok(()) => Self::Kept,
            Err(Wrong::NotOffered(why)) => Self::NotOffered(plain(why)),
            Err(Wrong::Otherwise(what)) => Self::Broken(plain(what)),
        }
    }
}

/// The verdicts of one place, by rule.
pub(crate) struct Verdicts(BTreeMap<String, Verdict>);

impl Verdicts {
    /// Asks every rule.
    pub(crate) async fn of(place: &Place, sections: &'static [Section]) -> Self {
        let rules = sections.iter().flat_map(|section| section.rules.iter().map(|rule| (section.service, rule)));
        // A local cloud begins and ends with each rule; elsewhere all rules share what is made.
        let shared = if place.is_local() { None } else { Some(Aws::begin(place, true).await) };
        let asked = |(service, rule): (Service, &'static Rule)| {
            let shared = shared.as_ref();
            async move {
                let verdict = match shared {
                    Some(aws) => ask(aws, service, rule).await,
                    None => ask(&Aws::begin(place, rule.live).await, service, rule).await,
                };
                (rule.id.to_owned(), verdict)
            }
        };
        // One after the other where all share a table: moto's transactions fail while others write.
        let (of_table, others): (Vec<_>, Vec<_>) = rules.partition(|(service, _)| *service == Service::DynamoDb);
        let one_by_one = if place.is_local() { AT_ONCE } else { 1 };
        let mut found: BTreeMap<_, _> = stream::iter(of_table).map(&asked).buffer_unordered(one_by_one).collect().await;
        // A new account of AWS sends one mail a second.
        let at_once = if place.is_aws() { 1 } else { AT_ONCE };
        found.extend(stream::iter(others).map(&asked).buffer_unordered(at_once).collect::<Vec<_>>().await);
        if let Some(aws) = &shared {
            aws.end().await;
        }
        Self(found)
    }

    /// The rules that were broken, with what happened instead.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.which(|verdict| matches!(verdict, Verdict::Broken(_)))
    }

    /// The rules about what is not there, and nobody says why.
    pub(crate) fn lacking(&self) -> Vec<String> {
        self.which(|verdict| matches!(verdict, Verdict::NotOffered(why) if why.is_empty()))
    }

    fn which(&self, is_one: impl Fn(&Verdict) -> bool) -> Vec<String> {
        let ones = self.0.iter().filter(|(_, verdict)| is_one(verdict));
        ones.map(|(rule, verdict)| format!("{rule}: {verdict}")).collect()
    }

    /// How many of each.
    pub(crate) fn counts(&self) -> String {
        let count = |mark: char| self.0.values().filter(|verdict| verdict.to_string().starts_with(mark)).count();
        format!("{} ✓, {} ✗, {} –", count('✓'), count('✗'), count('–'))
    }

    /// The verdict on a rule.
    pub(crate) fn get(&self, rule: &Rule) -> Option<&Verdict> {
        self.0.get(rule.id)
    }

    /// Keeps them for the table.
    pub(crate) fn write(&self, name: &str) {
        let lines: Vec<String> = self.0.iter().map(|(rule, verdict)| format!("{rule}\t{verdict}\n")).collect();
        std::fs::create_dir_all(folder()).expect("a folder");
        std::fs::write(file(name), lines.concat()).expect("written");
    }

    /// What was kept of a place that was asked before.
    pub(crate) fn read(name: &str) -> Option<Self> {
        let text = std::fs::read_to_string(file(name)).ok()?;
        let lines = text.lines().filter_map(|line| line.split_once('\t'));
        Some(Self(lines.filter_map(|(rule, verdict)| Some((rule.to_owned(), Verdict::parse(verdict)?))).collect()))
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("conformance")
}

fn file(name: &str) -> PathBuf {
    folder().join(format!("{name}.tsv"))
}

async fn ask(aws: &Aws, service: Service, rule: &Rule) -> Verdict {
    if let Some(why) = aws.lacks(service) {
        return Verdict::NotOffered(why.to_owned());
    }
    let checked = AssertUnwindSafe((rule.check)(aws)).catch_unwind().await;
    Verdict::of(checked.unwrap_or_else(|_| Err(Wrong::Otherwise("the check panicked".to_owned()))))
}
