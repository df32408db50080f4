//! What can be said to `dunlin parked`.

use clap::{Args as Options, Subcommand};

use crate::admin::Door;

/// Options of `parked`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin parked list --kind sends                        which mails could not be done, and why
  dunlin parked show prk_5f0c                            one with its text, which holds personal data
  dunlin parked redrive prk_5f0c                         back to its queue
  dunlin parked redrive --reason 'does not parse' --yes  all of those, without asking
  dunlin parked discard --project prj_old                for good

The text goes back as it was, with all its ids: what was done is not done again. Parked tasks are kept for 90 days.
What lies in the dead-letter queues `dunlin doctor` says, with the line that brings it back.")]
pub(crate) struct Parked {
    /// What to do.
    #[command(subcommand)]
    pub(crate) act: Act,
}

/// What to do with parked tasks.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Act {
    /// List them with their reasons
    List(List),
    /// Show one with its text
    Show(Show),
    /// Put them back on their queues
    Redrive(Change),
    /// Discard them for good
    Discard(Change),
}

/// Which of them.
#[derive(Clone, Debug, Default, Options)]
pub(crate) struct Which {
    /// Only those of this project
    #[arg(long, value_name = "ID")]
    pub(crate) project: Option<String>,
    /// Only those of this queue: events, backlog, steps, sends, sends-transactional, sends-backlog or feedback
    #[arg(long, value_name = "QUEUE")]
    pub(crate) kind: Option<String>,
    /// Only those whose reason has this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// Options of `parked list`.
#[derive(Clone, Debug, Options)]
pub(crate) struct List {
    /// Which of them.
    #[command(flatten)]
    pub(crate) which: Which,
    /// At most so many
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub(crate) limit: usize,
    /// Print JSON: one task a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Where.
    #[command(flatten)]
    pub(crate) door: Door,
}

/// Options of `parked show`.
#[derive(Clone, Debug, Options)]
pub(crate) struct Show {
    /// Its id
    pub(crate) id: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Where.
    #[command(flatten)]
    pub(crate) door: Door,
}

/// Options of `parked redrive` and `parked discard`.
#[derive(Clone, Debug, Options)]
pub(crate) struct Change {
    /// Their ids; else all that --project, --kind and --reason leave
    #[arg(value_name = "ID", conflicts_with_all = ["project", "kind", "reason"])]
    pub(crate) ids: Vec<String>,
    /// Which of them.
    #[command(flatten)]
    pub(crate) which: Which,
    /// Do it to many without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print JSON: one task a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Where.
    #[command(flatten)]
    pub(crate) door: Door,
}
