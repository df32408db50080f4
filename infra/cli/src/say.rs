//! Words to the person at the terminal. Results go to standard output, progress and errors to standard error; colours
//! only to a terminal.

use std::io::Write as _;
use std::time::Duration;

use console::{Style, Term};
use indicatif::{ProgressBar, ProgressStyle};

/// A line of results. A reader who has gone (`| head`) is no error.
pub(crate) fn line(text: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{}", text.as_ref()));
}

/// A line to standard error.
pub(crate) fn aside(text: impl AsRef<str>) {
    drop(writeln!(std::io::stderr().lock(), "{}", text.as_ref()));
}

/// A question to the terminal, without a line's end.
pub(crate) fn ask(question: &str) {
    let mut err = std::io::stderr().lock();
    drop(write!(err, "{question}").and_then(|()| err.flush()));
}

/// Why a command could not be done, with all causes.
pub(crate) fn failure(error: &anyhow::Error) {
    let label = Style::new().for_stderr().red().bold().apply_to("error");
    aside(format!("{label}: {error:#}"));
}

/// Whether somebody reads along.
pub(crate) fn is_terminal() -> bool {
    Term::stdout().is_term()
}

/// Columns to write in: the terminal's, within reason.
pub(crate) fn width() -> usize {
    Term::stdout().size_checked().map_or(120, |(_, columns)| usize::from(columns)).clamp(60, 120)
}

/// Heavy text.
pub(crate) fn bold(text: impl Into<String>) -> String {
    Style::new().bold().apply_to(text.into()).to_string()
}

/// Text in the background.
pub(crate) fn dim(text: impl Into<String>) -> String {
    Style::new().dim().apply_to(text.into()).to_string()
}

/// Something good.
pub(crate) fn green(text: impl Into<String>) -> String {
    Style::new().green().apply_to(text.into()).to_string()
}

/// Something to look at.
pub(crate) fn yellow(text: impl Into<String>) -> String {
    Style::new().yellow().apply_to(text.into()).to_string()
}

/// Something bad.
pub(crate) fn red(text: impl Into<String>) -> String {
    Style::new().red().apply_to(text.into()).to_string()
}

/// Something to copy.
pub(crate) fn cyan(text: impl Into<String>) -> String {
    Style::new().cyan().apply_to(text.into()).to_string()
}

/// Work without a known end; on standard error, and nothing where that is no terminal.
pub(crate) fn spinner(what: impl Into<String>) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(what.into());
    if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {msg} {elapsed:.dim}") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// Work with a known end, counted in `unit`.
pub(crate) fn bar(what: &'static str, length: u64, unit: &str) -> ProgressBar {
    let bar = ProgressBar::new(length).with_message(what);
    let template = format!("{{msg}} {{bar:30.cyan/dim}} {unit} {{pos}} of {{len}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style.progress_chars("━━─"));
    }
    bar
}
