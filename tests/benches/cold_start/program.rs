//! What is measured: the functions as `sam build` made them, and beside `evaluate` the same in Node and Python.

use std::env::consts::ARCH;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use dunlin_aws::settings::Setting;

use crate::Outcome;

/// How to make the functions for this machine.
const BUILD: &str = "infra/build ";

/// A function that can be started.
pub(crate) struct Program {
    /// Its name in the table; ours are called like their crates.
    pub(crate) name: &'static str,
    /// What is executed.
    pub(crate) executable: PathBuf,
    /// What an interpreter is given to run.
    pub(crate) script: Option<PathBuf>,
    /// Megabytes (of 10^6 bytes) of the executable; none for an interpreter, which Lambda brings along.
    pub(crate) megabytes: Option<f64>,
    /// The settings it needs.
    pub(crate) settings: &'static [Setting],
}

/// Each function with the settings it needs, in the order of the pipeline: each finds on its queue what those before it
/// put there. `sweep` is first, since it repeats hints.
const FUNCTIONS: [(&str, &[Setting]); 9] = [
    ("sweep", dunlin_sweep::SETTINGS),
    ("intake", dunlin_intake::SETTINGS),
    ("evaluate", dunlin_evaluate::SETTINGS),
    ("schedule", dunlin_schedule::SETTINGS),
    ("send", dunlin_send::SETTINGS),
    ("hook", dunlin_hook::SETTINGS),
    ("feedback", dunlin_feedback::SETTINGS),
    ("link", dunlin_link::SETTINGS),
    ("manage", dunlin_manage::SETTINGS),
];

/// Our functions, as they would be deployed.
///
/// # Errors
/// When one was not built, or for another processor: with how to build it.
pub(crate) fn ours(root: &Path) -> Outcome<Vec<Program>> {
    FUNCTIONS.into_iter().map(|(name, settings)| our(root, name, settings)).collect()
}

fn our(root: &Path, name: &'static str, settings: &'static [Setting]) -> Outcome<Program> {
    // SAM calls a folder like the template's resource: `Sweep`.
    let (first, rest) = name.split_at(1);
    let folder = if sam(ARCH) == "arm64" { ".aws-sam/build" } else { "target/sam-x86_64" };
    let executable = root.join(format!("{folder}/{}{rest}/bootstrap", first.to_ascii_uppercase()));
    let Some(built_for) = processor(&executable) else {
        return Err(format!("{} is not there: run `{BUILD}{}`", executable.display(), sam(ARCH)).into());
    };
    if built_for != ARCH {
        return Err(format!("{} is for {built_for}: run `{BUILD}{}`", executable.display(), sam(ARCH)).into());
    }
    let megabytes = Some(fs::metadata(&executable)?.len() as f64 / 1e6);
    Ok(Program { name, executable, script: None, megabytes, settings })
}

/// The thin functions that `run` has installed; those that it has not are left out.
pub(crate) fn others(root: &Path) -> Vec<Program> {
    let (here, found) = (root.join("tests/benches/cold_start"), root.join("target/cold-start"));
    let node = (here.join("node/node_modules").exists()).then(|| found.join("node"));
    let python = Some(found.join("python/bin/python"));
    [("node", node, here.join("node/function.mjs")), ("python", python, here.join("python/function.py"))]
        .into_iter()
        .filter_map(|(name, executable, script)| {
            let (executable, script) = (executable.filter(|executable| executable.exists())?, Some(script));
            Some(Program { name, executable, script, megabytes: None, settings: dunlin_evaluate::SETTINGS })
        })
        .collect()
}

impl Program {
    /// Its name with the version that its interpreter tells.
    pub(crate) fn version(&self) -> Outcome<String> {
        let said = Command::new(&self.executable).arg("--version").output()?.stdout;
        let said = String::from_utf8_lossy(&said);
        let number = said.split_whitespace().last().unwrap_or("of no version").trim_start_matches('v');
        Ok(format!("{} {number}", self.name))
    }
}

/// The processor that an executable is for, by its ELF header (`e_machine`); none if it is not there or not ELF.
fn processor(executable: &Path) -> Option<&'static str> {
    let mut header = [0; 20];
    File::open(executable).ok()?.read_exact(&mut header).ok()?;
    match header {
        [0x7f, b'E', b'L', b'F', .., 0x3e, 0] => Some("x86_64"),
        [0x7f, b'E', b'L', b'F', .., 0xb7, 0] => Some("aarch64"),
        [0x7f, b'E', b'L', b'F', ..] => Some("another processor"),
        _ => None,
    }
}

/// SAM's name for a processor.
fn sam(processor: &str) -> &str {
    if processor == "aarch64" { "arm64" } else { processor }
}
