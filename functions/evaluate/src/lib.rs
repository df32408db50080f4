#![doc = include_str!("../README.md")]

mod batch;
mod entering;
mod person;

use dunlin_aws::catalog::Catalog;
use dunlin_aws::clients::Warm;
use dunlin_aws::commands::Commands;
use dunlin_aws::control::Control;
use dunlin_aws::parked::Parked;
use dunlin_aws::profiles::Profiles;
use dunlin_aws::pulses::Pulses;
use dunlin_aws::runs::Runs;
use dunlin_aws::settings::Setting;
use dunlin_aws::waiters::Waiters;
use dunlin_aws::{Clients, Clock, Hold, Settings, resources};

/// The settings it needs; `infra/template.yaml` gives it these and no others.
pub const SETTINGS: &[Setting] = &[Setting::Region, Setting::Prefix, Setting::Queues];
/// The connections it opens at init.
pub const WARM: Warm = Warm { table: Some(resources::CONTROL), queue: Some(resources::SENDS) };

/// What `evaluate` may touch: profiles, runs, waiters, timers, the steps queue, the lanes of mails; it reads campaigns and parks poison.
#[derive(Clone, Debug)]
pub struct Evaluate {
    profiles: Profiles,
    runs: Runs,
    waiters: Waiters,
    commands: Commands,
    catalog: Catalog,
    parked: Parked,
    hold: Hold,
    pulses: Pulses,
    clock: Clock,
}

impl Evaluate {
    /// Builds the function once, at cold start.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings) -> Self {
        Self {
            profiles: Profiles::new(clients, &settings.prefix),
            runs: Runs::new(clients, &settings.prefix),
            waiters: Waiters::new(clients, &settings.prefix),
            commands: Commands::new(clients, settings),
            catalog: Catalog::new(Control::new(clients, &settings.prefix), clients.clock.clone()),
            parked: Parked::new(clients, &settings.prefix),
            hold: Hold::new(clients, settings),
            pulses: Pulses::new(clients, &settings.prefix),
            clock: clients.clock.clone(),
        }
    }
}
