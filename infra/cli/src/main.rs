#![doc = include_str!("../README.md")]

mod admin;
mod args;
mod aws;
mod bench;
mod bill;
mod check;
mod client;
mod demo;
mod dev;
mod doctor;
mod draw;
mod examples;
mod incident;
mod keys;
mod migrate;
mod parked;
mod pause;
mod project;
mod push;
mod run;
mod say;
mod simulate;
mod walk;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    run::run(args::Args::parse())
}
