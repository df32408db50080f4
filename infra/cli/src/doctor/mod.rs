//! `dunlin doctor`: looks at everything from top to bottom, and says what to mend. What should be there is what
//! `dunlin_aws::resources` lists.

mod away;
mod bucket;
mod front;
mod here;
mod mail;
mod people;
mod queues;
mod refusal;
mod report;
mod stage;
mod tables;
#[cfg(test)]
mod tests;

use crate::args::Doctor;
use crate::run::Outcome;
use crate::say;

/// Looks, and prints what was found.
pub(crate) async fn doctor(asked: Doctor) -> anyhow::Result<Outcome> {
    let looking = say::spinner("looking");
    let mut report = report::Report::default();
    if asked.aws {
        away::look(&asked, &mut report).await;
    } else {
        here::look(&asked, &mut report).await;
    }
    looking.finish_and_clear();
    report.show(asked.json);
    Ok(report.outcome())
}
