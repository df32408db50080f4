//! What can be said to `dunlin migrate`.

use clap::Args as Options;

use crate::admin::Door;

/// Options of `migrate`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin migrate cmp_trial                               who is where: versions, steps, and how many runs
  dunlin migrate cmp_trial --same                        what would become of them; nothing is done
  dunlin migrate cmp_trial --same --move old-wait=wait-2 --end gone --yes

A run whose wait is the same in the new version keeps its instant. Any other takes its new step at once; where that
waits for a length of time, it counts from when the run began to wait. Runs at steps that are not named stay. It may be
repeated: what was done is not done again. To count or to move, the whole table of runs is read, page by page: some $0.16
for ten million runs.")]
pub(crate) struct Migrate {
    /// The campaign
    #[arg(value_name = "CAMPAIGN")]
    pub(crate) campaign: String,
    /// Its project
    #[arg(long, env = "DUNLIN_PROJECT", default_value = crate::project::DEMO, value_name = "ID")]
    pub(crate) project: String,
    /// The version that runs go to; the newest where none is given
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<u32>,
    /// Move the runs at one step to another
    #[arg(long = "move", value_name = "OLD=NEW", value_parser = pair)]
    pub(crate) moves: Vec<(String, String)>,
    /// End the runs at a step
    #[arg(long = "end", value_name = "STEP")]
    pub(crate) ends: Vec<String>,
    /// Move the runs at all other steps whose names the new version has, too
    #[arg(long)]
    pub(crate) same: bool,
    /// Do it
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print JSON: one version and step a line, or what was done
    #[arg(long)]
    pub(crate) json: bool,
    /// Where.
    #[command(flatten)]
    pub(crate) door: Door,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => Ok((from.to_owned(), to.to_owned())),
        _ => Err("say it like `old-step=new-step`".to_owned()),
    }
}
