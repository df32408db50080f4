//! By what a call is known again: its person, its kind, and the number that its client gave it where it can carry one.

use dunlin_core::call::Action;

use crate::workload::{Person, Planned, What};

/// The kind of an action, and the number that it carries where it can.
pub(super) fn said(action: &Action) -> (&'static str, Option<u64>) {
    let number = |from: &dunlin_core::call::Properties| from.get("n").and_then(serde_json::Value::as_u64);
    match action {
        Action::Identify { properties, .. } => ("identify", number(properties)),
        Action::Edit { changes } => ("edit", number(changes)),
        Action::Tags { add, .. } => (if add.is_empty() { "untag" } else { "tag" }, None),
        Action::Unsubscribe => ("unsubscribe", None),
        Action::Resubscribe => ("resubscribe", None),
        Action::Reidentify { .. } => ("reidentify", None),
        Action::Delete => ("delete", None),
        Action::Enter { data, .. } => ("enter", number(data)),
        Action::Track { data, .. } => ("track", number(data)),
    }
}

/// The same of a call that a client made.
pub(super) fn key(planned: &Planned) -> (Person, &'static str, Option<u64>) {
    let (kind, carries) = match planned.what {
        What::Identify { .. } => ("identify", true),
        What::Edit { .. } | What::Born { .. } => ("edit", true),
        What::Tag { add } => (if add { "tag" } else { "untag" }, false),
        What::Track { .. } | What::Remember { .. } | What::Flood { .. } => ("track", true),
        What::Unsubscribe => ("unsubscribe", false),
        What::Resubscribe => ("resubscribe", false),
        What::Delete => ("delete", false),
    };
    (planned.person, kind, carries.then_some(planned.number))
}
