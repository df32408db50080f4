//! When two claims never hold together.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;

use super::Claim;
use crate::condition::{Condition, History, PropertyCondition};
use crate::filter::{Scalar, Test, Threshold, instant};
use crate::property::{Owner, Property};

/// Whole numbers from here on are no longer all 64-bit floats: different ones may be equal to one value.
const INEXACT: f64 = 9_007_199_254_740_992.0;

/// What a value may be, as bits of a set.
type Kinds = u8;
const NULL: Kinds = 1;
const FLAG: Kinds = 2;
const NUMBER: Kinds = 4;
/// A text that reads as a date.
const DATE: Kinds = 8;
/// Any other text.
const TEXT: Kinds = 16;
/// A list or an object.
const NESTED: Kinds = 32;
const ANYTHING: Kinds = NULL | FLAG | NUMBER | DATE | TEXT | NESTED;

/// Properties of a person that are of one kind in every project: path, kinds, and what they are. The Track API takes
/// others for some of them, and does nothing with them.
const KNOWN: [(&str, Kinds, &str); 4] = [
    ("email", NULL | TEXT, "an address"),
    ("id", DATE | TEXT, "a text"),
    ("ianaTimezone", NULL | TEXT, "the name of a time zone"),
    ("timezone", NULL | NUMBER | TEXT, "a time zone or an offset"),
];

/// Why a claim never holds, by what its property is.
pub(super) fn never(claim: &Claim<'_>) -> Option<String> {
    let Condition::Property(PropertyCondition { property, test }) = claim.condition else { return None };
    let known = KNOWN.iter().find(|(path, ..)| property.owner() == Owner::User && property.path() == *path);
    let (_, kinds, words) = known?;
    let (test, holds) = positive(test, claim.holds);
    (kinds & accepted(&test, holds) == 0).then(|| format!("never holds: `{property}` is {words}"))
}

/// The property that must have a value for a claim to hold.
pub(super) fn needed<'c>(claim: &Claim<'c>) -> Option<&'c Property> {
    let Condition::Property(PropertyCondition { property, test }) = claim.condition else { return None };
    let (test, holds) = positive(test, claim.holds);
    (NULL & accepted(&test, holds) == 0).then_some(property)
}

/// Whether two claims never hold together.
pub(super) fn clash(one: &Claim<'_>, other: &Claim<'_>) -> bool {
    match (one.condition, other.condition) {
        (Condition::Property(left), Condition::Property(right)) => {
            let at_once = one.source == other.source;
            let opposite = left.test == right.test && one.holds != other.holds;
            left.property == right.property
                && ((opposite && (at_once || !is_window(&left.test)))
                    || tests(positive(&left.test, one.holds), positive(&right.test, other.holds)))
        }
        (Condition::Triggered(left), Condition::Triggered(right)) => {
            let same = left.triggered == right.triggered && left.within == right.within && left.since == right.since;
            let counts = || counts(left, one.holds).zip(counts(right, other.holds));
            same && counts().is_some_and(|((a, b), (c, d))| a > d || c > b)
        }
        _ => match (tag(one), tag(other)) {
            (Some((left, has)), Some((right, had))) => left == right && has != had,
            _ => false,
        },
    }
}

fn tag<'c>(claim: &Claim<'c>) -> Option<(&'c str, bool)> {
    match claim.condition {
        Condition::Tag { tag } => Some((tag, claim.holds)),
        Condition::NoTag { no_tag } => Some((no_tag, !claim.holds)),
        _ => None,
    }
}

/// The least and the most that a count may be; none where that is not one stretch.
pub(super) fn counts(history: &History, holds: bool) -> Option<(u64, u64)> {
    let History { at_least, at_most, exactly, .. } = *history;
    let default = if at_most.is_some() || exactly.is_some() { 0 } else { 1 };
    let least = at_least.max(exactly).unwrap_or(default);
    let most = at_most.into_iter().chain(exactly).min().unwrap_or(u64::MAX);
    match (holds, least, most) {
        _ if least > most => None,
        (true, ..) => Some((least, most)),
        (false, 0, _) => Some((most.checked_add(1)?, u64::MAX)),
        (false, _, u64::MAX) => Some((0, least - 1)),
        (false, ..) => None,
    }
}

/// A test that must not pass as one that must, where there is one.
fn positive(test: &Test, holds: bool) -> (Cow<'_, Test>, bool) {
    let turned = match test {
        _ if holds => return (Cow::Borrowed(test), true),
        Test::IsSet(set) => Test::IsSet(!set),
        Test::Equals(value) => Test::NotEquals(value.clone()),
        Test::NotEquals(value) => Test::Equals(value.clone()),
        _ => return (Cow::Borrowed(test), false),
    };
    (Cow::Owned(turned), true)
}

/// The kinds that some value which passes (or does not pass) may have.
fn accepted(test: &Test, holds: bool) -> Kinds {
    match test {
        _ if !holds => ANYTHING,
        Test::IsSet(true) => ANYTHING & !NULL,
        Test::IsSet(false) => NULL,
        Test::Equals(Scalar::Flag(_)) => FLAG,
        Test::Equals(Scalar::Number(_)) | Test::GreaterThan(Threshold::Number(_)) => NUMBER,
        Test::LessThan(Threshold::Number(_)) => NUMBER,
        Test::Equals(Scalar::Text(text)) if instant(text).is_none() => TEXT,
        Test::Equals(Scalar::Text(_)) | Test::GreaterThan(_) | Test::LessThan(_) => DATE,
        Test::InTheLast(_) | Test::InTheNext(_) => DATE,
        Test::NotEquals(_) => ANYTHING,
        Test::Contains(_) | Test::DoesNotContain(_) => DATE | TEXT,
    }
}

fn tests((left, holds): (Cow<'_, Test>, bool), (right, held): (Cow<'_, Test>, bool)) -> bool {
    accepted(&left, holds) & accepted(&right, held) == 0
        || excludes((&left, holds), (&right, held))
        || excludes((&right, held), (&left, holds))
}

/// Whether what passes `left` surely does not pass `right`.
fn excludes((left, holds): (&Test, bool), (right, held): (&Test, bool)) -> bool {
    match (left, right) {
        _ if !holds => false,
        (Test::Equals(value), Test::NotEquals(other)) if value == other => true,
        (Test::Equals(Scalar::Number(number)), _) if number.as_f64().is_none_or(|n| n.abs() >= INEXACT) => false,
        (Test::Equals(value), _) => !is_window(right) && passes(right, value.clone()) != held,
        (Test::GreaterThan(low), Test::LessThan(_)) => held && !passes(right, low.clone().into()),
        (Test::Contains(part), Test::DoesNotContain(other)) if held => !part.is_empty() && part.contains(other),
        (Test::Contains(part), Test::Contains(other)) if !held => part.contains(other),
        _ => false,
    }
}

/// Whether the answer depends on the present.
fn is_window(test: &Test) -> bool {
    matches!(test, Test::InTheLast(_) | Test::InTheNext(_))
}

/// Whether a value passes a test that does not ask for the present.
fn passes(test: &Test, value: Scalar) -> bool {
    let value = match value {
        Scalar::Flag(flag) => Value::Bool(flag),
        Scalar::Number(number) => Value::Number(number),
        Scalar::Text(text) => Value::String(text),
    };
    test.passes(Some(&value), Timestamp::UNIX_EPOCH)
}
