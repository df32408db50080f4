//! `dunlin incident`: an incident of a comparable system, played against dunlin; what was promised beside what happened.

use anyhow::Context as _;
use dunlin_aws::Clock;
use dunlin_simulation::incident::{Asked, INCIDENTS, Line, Report};

use crate::args;
use crate::run::Outcome;
use crate::say;

/// Plays one incident, or lists all of them where none is named.
pub(crate) async fn incident(asked: args::Incident) -> anyhow::Result<Outcome> {
    let Some(name) = &asked.name else {
        for incident in &INCIDENTS {
            say::line(format!("{}  {}", say::cyan(incident.name), incident.story));
        }
        say::line("");
        say::line(say::dim("`dunlin incident NAME` plays one in full; `--fraction 0.1` a tenth of it."));
        return Ok(Outcome::Well);
    };
    let known = || INCIDENTS.iter().map(|incident| incident.name).collect::<Vec<_>>().join(", ");
    let incident = dunlin_simulation::incident::Incident::find(name)
        .with_context(|| format!("there is no incident `{name}`: there are {}", known()))?;
    let playing = say::spinner(format!("playing {name}"));
    let server = vec![std::env::current_exe().context("cannot find this program")?, "dev".into()];
    let started = Clock::System.now();
    let report = incident.play(Asked { fraction: asked.fraction, seed: asked.seed, server }).await;
    let took = Clock::System.now().duration_since(started);
    playing.finish_and_clear();
    say::line(format!("{}  {}", say::bold(name), incident.story));
    say::line("");
    show(&report);
    say::line("");
    let (fraction, seed) = (asked.fraction, asked.seed);
    say::line(say::dim(format!("fraction {fraction}, seed {seed}, {:.0} seconds", took.as_secs_f64())));
    Ok(if report.held() { Outcome::Well } else { Outcome::Unwell })
}

/// The table.
fn show(report: &Report) {
    let width = |of: fn(&Line) -> &str, least: usize| {
        report.lines.iter().map(|line| of(line).chars().count()).chain([least]).max().unwrap_or(least)
    };
    let (first, second) = (width(|line| &line.promised, 8), width(|line| &line.happened, 8));
    say::line(say::dim(format!("{:<first$}  {:<second$}  held", "promised", "happened")));
    for Line { promised, happened, held } in &report.lines {
        let held = match held {
            Some(true) => say::green("yes"),
            Some(false) => say::red("NO"),
            None => String::new(),
        };
        say::line(format!("{promised:<first$}  {happened:<second$}  {held}"));
    }
}
