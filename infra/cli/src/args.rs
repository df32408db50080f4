//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args as Options, Parser, Subcommand};
use dunlin_simulation::scenario::Scenario;

use crate::admin::Door;
use crate::bench::timers::Timers;
use crate::draw::Draw;
use crate::migrate::args::Migrate;
use crate::parked::args::Parked;
use crate::pause::{Delete, Pause, Resume};
use crate::walk::Walk;

/// An open, serverless e-mail automation platform, on your machine.
#[derive(Debug, Parser)]
#[command(
    name = "dunlin",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  dunlin                          everything at http://localhost:9000, data in .dunlin/
  dunlin demo                     six weeks of mails in seconds, without a server
  dunlin check examples           what is wrong with a folder of campaigns
  dunlin draw examples/welcome.yaml > welcome.svg    a campaign as a picture
  dunlin walk examples/trial.yaml what it would do for one person, and when
  dunlin push examples            publish it to the dunlin that runs here
  dunlin migrate cmp_trial        who is where in a campaign, before you move them
  dunlin parked list              which tasks could not be done, and why
  dunlin bench                    how fast this machine is, and what AWS would cost
  dunlin aws                      the local AWS alone, for `cargo lambda watch`
  dunlin doctor                   what is wrong here, or in AWS, and how to mend it
  dunlin incident                 the incidents of comparable systems, and what becomes of them here"
)]
pub(crate) struct Args {
    /// What to do; `dev` where nothing is said.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// The options of `dev`.
    #[command(flatten)]
    pub(crate) dev: Dev,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start everything on this machine (the default)
    Dev(Dev),
    /// Play the example story over six weeks of virtual time, and show the mails
    Demo(Demo),
    /// Say what is wrong with a folder of campaigns
    Check(Check),
    /// Draw a campaign as SVG, or as Mermaid text
    Draw(Draw),
    /// Say what a campaign would do for one person, step by step
    Walk(Walk),
    /// Publish a folder of campaigns
    Push(Push),
    /// Pause a campaign: it takes no entries, and its runs hold
    Pause(Pause),
    /// Resume a campaign: overdue runs go on at a rate
    Resume(Resume),
    /// Delete a campaign: it takes no entries, and its runs end
    Delete(Delete),
    /// Show who is where in a campaign, and move runs to another version, or end them
    Migrate(Migrate),
    /// List, show, redrive or discard tasks that could not be done
    Parked(Parked),
    /// Measure the durable local system, and price it by the meter
    Bench(Bench),
    /// Start the local AWS alone; the functions run under `cargo lambda watch`
    Aws(Aws),
    /// Check everything from top to bottom, here or in AWS, and say what to mend
    Doctor(Doctor),
    /// Play an incident of a comparable system, and say what held
    Incident(Incident),
    /// Play dunlin under every fault, seed by seed, and hold it against a model
    Simulate(Simulate),
}

/// Options of `dev`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin dev                                        start, or go on where it was stopped or killed
  dunlin dev --port 8080 --aws-port 0               another port, and no AWS on a port
  dunlin dev --data /var/lib/dunlin --log warn      another folder, fewer lines
  dunlin dev --examples campaigns                   publish your own folder at the start

The data folder holds keys.json (the signing key and the admin key), dunlin.sqlite (tables, queues, mails) and store/
(objects). Stop it with Ctrl-C at any moment: nothing needs to be finished.")]
pub(crate) struct Dev {
    /// The port of the APIs, the links and the outbox
    #[arg(long, default_value_t = 9000, value_name = "PORT")]
    pub(crate) port: u16,
    /// The port of the local AWS, for `AWS_ENDPOINT_URL`; 0 for none
    #[arg(long, default_value_t = 9001, value_name = "PORT")]
    pub(crate) aws_port: u16,
    /// What is kept, published and logged.
    #[command(flatten)]
    pub(crate) kept: Kept,
}

/// Options of `aws`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin aws                                                  and in another terminal: cargo lambda watch
  dunlin aws --port 9101 --functions http://localhost:9100    and: cargo lambda watch --invoke-port 9100

It polls its queues and invokes the functions, and `sweep` each minute, as Lambda does. What the functions are told is
in lambda.env of the data folder, which `cargo lambda watch` reads. While nothing is watched, messages wait. Stop it
with Ctrl-C at any moment. The data folder is that of `dunlin dev`, for one of them at a time.")]
pub(crate) struct Aws {
    /// The port of the AWS APIs and the outbox
    #[arg(long, default_value_t = 9001, value_name = "PORT")]
    pub(crate) port: u16,
    /// Where the functions are invoked and served: the address of `cargo lambda watch`
    #[arg(long, default_value = "http://localhost:9000", value_name = "URL")]
    pub(crate) functions: String,
    /// What is kept, published and logged.
    #[command(flatten)]
    pub(crate) kept: Kept,
}

/// Options of what runs on in a data folder.
#[derive(Clone, Debug, Options)]
pub(crate) struct Kept {
    /// The folder with everything that is kept
    #[arg(long, default_value = ".dunlin", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// How much to log: error, warn, info, debug, trace, or a filter like `dunlin_send=debug`
    #[arg(long, default_value = "info", value_name = "LEVEL")]
    pub(crate) log: String,
    /// The campaigns to publish at every start; else the examples (of `examples` here, or built in), once
    #[arg(long, value_name = "DIR", conflicts_with = "no_examples")]
    pub(crate) examples: Option<PathBuf>,
    /// Publish nothing at the start
    #[arg(long)]
    pub(crate) no_examples: bool,
}

/// Options of `demo`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin demo               the timeline, then the mails, shortened
  dunlin demo --mails       the mails in full
  dunlin demo --seed 7      other random numbers, the same story
  dunlin demo --fast | less as fast as it goes

Exits with 1 when the story does not end as it should.")]
pub(crate) struct Demo {
    /// Print without pauses for reading along
    #[arg(long)]
    pub(crate) fast: bool,
    /// The seed of every random number
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// Print the mails in full
    #[arg(long)]
    pub(crate) mails: bool,
}

/// Options of `check`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin check examples                                  every problem, with file, place and how to mend it
  dunlin check --schema > campaign.schema.json           the format, for an editor

Exits with 1 when a campaign would be refused.")]
pub(crate) struct Check {
    /// The folder
    #[arg(value_name = "DIR", required_unless_present = "schema")]
    pub(crate) folder: Option<PathBuf>,
    /// Print the JSON schema of a campaign file instead
    #[arg(long)]
    pub(crate) schema: bool,
}

/// Options of `push`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin push examples                                   to the dunlin that runs on this machine
  DUNLIN_ADMIN_KEY=… dunlin push campaigns --url https://mail.example.com --project prj_shop

All campaigns are checked before the first is published. Content that is published already makes no new version.")]
pub(crate) struct Push {
    /// The folder
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// The project to publish to
    #[arg(long, env = "DUNLIN_PROJECT", default_value = crate::project::DEMO, value_name = "ID")]
    pub(crate) project: String,
    /// Where to.
    #[command(flatten)]
    pub(crate) door: Door,
}

/// Options of `bench`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin bench                       about a minute
  dunlin bench --seconds 20          longer phases, steadier figures
  dunlin bench --json > bench.json   for a program
  dunlin bench timers                what waiting costs, and a minute in which much is due

Measure a release build on a machine that does nothing else: load generator and dunlin share its cores.")]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Bench {
    /// What to measure instead.
    #[command(subcommand)]
    pub(crate) part: Option<Part>,
    /// Seconds of each phase of intake and of the phase at moderate load
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
    /// Events that are followed to the end, and at most so many mails
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    pub(crate) events: u64,
    /// Connections of the load generator
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub(crate) connections: u64,
    /// Events a second at moderate load
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u64).range(10..=10_000))]
    pub(crate) rate: u64,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `bench` measures where it is asked for one thing.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Part {
    /// Count what waiting costs, and play a minute in which much is due
    Timers(Timers),
}

/// Options of `doctor`.
#[derive(Clone, Options)]
#[command(after_help = "Examples:
  dunlin doctor                                                      the dunlin of this machine
  DUNLIN_ADMIN_KEY=… dunlin doctor --aws --profile ops --region eu-west-1 --prefix dunlin-prod- --url https://mail.example.com
  dunlin doctor --json | jq '.findings[] | select(.health != \"ok\")'

It only reads. Exits with 1 when anything is wrong; a warning is not. Credentials are found as the AWS CLI finds them;
for a profile of IAM Identity Center: eval \"$(aws configure export-credentials --profile NAME --format env)\".")]
pub(crate) struct Doctor {
    /// Look at a stage in AWS instead of this machine
    #[arg(long)]
    pub(crate) aws: bool,
    /// The profile of the AWS configuration files
    #[arg(long, requires = "aws", value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The region; else that of the environment or the profile
    #[arg(long, requires = "aws", value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// What stands before every name of the stage
    #[arg(long, default_value = dunlin_aws::resources::DEFAULT_PREFIX, requires = "aws", value_name = "PREFIX")]
    pub(crate) prefix: String,
    /// The bucket; else it is called by the prefix
    #[arg(long, requires = "aws", value_name = "NAME")]
    pub(crate) bucket: Option<String>,
    /// Where the front door is; on this machine http://localhost:9000
    #[arg(long, env = "DUNLIN_URL", value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The admin key; on this machine that of the data folder
    #[arg(long, env = "DUNLIN_ADMIN_KEY", hide_env_values = true, value_name = "KEY")]
    pub(crate) admin_key: Option<String>,
    /// The data folder of the dunlin on this machine
    #[arg(long, default_value = ".dunlin", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The port of the local AWS
    #[arg(long, default_value_t = 9001, value_name = "PORT")]
    pub(crate) aws_port: u16,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `incident`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin incident                                    the list
  dunlin incident long_delays_2017                   all of it; minutes, in a release build
  dunlin incident long_delays_2017 --fraction 0.1    a tenth of it

Exits with 1 when a promise did not hold.")]
pub(crate) struct Incident {
    /// Its name; without one they are listed
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// How much of it to play
    #[arg(long, default_value_t = 1.0, value_name = "F", value_parser = fraction)]
    pub(crate) fraction: f64,
    /// The seed of every random number
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
}

/// Options of `simulate`.
#[derive(Clone, Debug, Options)]
#[command(after_help = "Examples:
  dunlin simulate --seeds 300                        what CI plays
  dunlin simulate --seeds 1 --from 4711              a seed again
  dunlin simulate --seeds 50 --scenario outage       one mix of faults only
  dunlin simulate --crashes                          every crash point, and every pair of them

Scenarios: healthy, queues, tables, handlers, mail, outage, everything, overload, journeys. Exits with 1 when a promise did not hold,
and names the seed.")]
pub(crate) struct Simulate {
    /// How many seeds to play
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0, value_name = "S")]
    pub(crate) from: u64,
    /// Play this scenario, in place of the one that each seed draws
    #[arg(long, value_name = "NAME", value_parser = scenario)]
    pub(crate) scenario: Option<Scenario>,
    /// Let an environment die at every request of some short stories, and at every pair of them, in place of seeds
    #[arg(long, conflicts_with_all = ["seeds", "from", "scenario"])]
    pub(crate) crashes: bool,
    /// Only single crash points
    #[arg(long, requires = "crashes")]
    pub(crate) single: bool,
    /// Only the stories with this in their names
    #[arg(long, requires = "crashes", value_name = "TEXT", default_value = "")]
    pub(crate) story: String,
    /// Stories played beside each other, each in a thread of its own
    #[arg(long, default_value_t = 2, value_name = "N")]
    pub(crate) threads: usize,
}

fn scenario(name: &str) -> Result<Scenario, String> {
    Scenario::find(name).ok_or_else(|| {
        let known: Vec<&str> = Scenario::ALL.iter().map(|scenario| scenario.name()).collect();
        format!("there are {}", known.join(", "))
    })
}

/// A part of the whole.
fn fraction(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(part) if part > 0.0 && part <= 1.0 => Ok(part),
        _ => Err("say a number above 0, up to 1".to_owned()),
    }
}

impl std::fmt::Debug for Doctor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Doctor").field("aws", &self.aws).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn parse(line: &str) -> Args {
        Args::try_parse_from(line.split(' ')).expect("arguments")
    }

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory as _;
        Args::command().debug_assert();
    }

    #[test]
    fn nothing_said_is_dev_at_port_9000() {
        let args = parse("dunlin");
        assert!(args.command.is_none());
        assert_eq!((args.dev.port, args.dev.aws_port), (9000, 9001));
        assert_eq!(args.dev.kept.data, PathBuf::from(".dunlin"));
    }

    #[test]
    fn the_options_of_dev_need_no_subcommand() {
        assert_eq!(parse("dunlin --port 8080").dev.port, 8080);
        assert!(matches!(parse("dunlin dev --port 8080").command, Some(Command::Dev(Dev { port: 8080, .. }))));
    }

    #[test]
    fn the_local_aws_invokes_where_cargo_lambda_watch_listens() {
        let Some(Command::Aws(aws)) = parse("dunlin aws --data elsewhere").command else { panic!("not aws") };
        assert_eq!((aws.port, aws.functions.as_str()), (9001, "http://localhost:9000"));
        assert_eq!(aws.kept.data, PathBuf::from("elsewhere"));
    }

    #[test]
    fn a_simulation_knows_its_scenarios() {
        let Some(Command::Simulate(asked)) = parse("dunlin simulate --seeds 3 --scenario mail").command else {
            panic!("none")
        };
        assert_eq!((asked.seeds, asked.from, asked.scenario), (3, 0, Some(Scenario::Mail)));
        assert!(Args::try_parse_from(["dunlin", "simulate", "--scenario", "sunny"]).is_err());
        assert!(Args::try_parse_from(["dunlin", "simulate", "--single"]).is_err());
    }

    #[test]
    fn an_incident_is_played_in_full_unless_told_otherwise() {
        let Some(Command::Incident(incident)) = parse("dunlin incident a_b_2020").command else { panic!("none") };
        assert_eq!((incident.name.as_deref(), incident.fraction), (Some("a_b_2020"), 1.0));
        assert!(Args::try_parse_from(["dunlin", "incident", "a", "--fraction", "0"]).is_err());
        assert!(Args::try_parse_from(["dunlin", "incident", "a", "--fraction", "1.5"]).is_err());
    }

    #[test]
    fn check_wants_a_folder_or_asks_for_the_schema() {
        assert!(Args::try_parse_from(["dunlin", "check"]).is_err());
        assert!(Args::try_parse_from(["dunlin", "check", "--schema"]).is_ok());
        assert!(Args::try_parse_from(["dunlin", "check", "examples"]).is_ok());
    }

    #[test]
    fn a_push_goes_to_this_machine_unless_told_otherwise() {
        let Some(Command::Push(push)) = parse("dunlin push examples --admin-key 0123456789").command else {
            panic!("not a push")
        };
        assert_eq!((push.door.url.as_str(), push.project.as_str()), ("http://localhost:9000", "prj_demo"));
        assert!(!format!("{push:?}").contains("0123456789"), "the key is not printable");
    }
}
