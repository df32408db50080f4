#![doc = include_str!("../README.md")]

pub mod batch;
pub mod calls;
pub mod catalog;
pub mod chance;
pub mod clients;
pub mod clock;
pub mod commands;
pub mod control;
pub mod copies;
pub mod deliveries;
pub mod error;
pub mod hold;
mod item;
pub mod log;
pub mod mailer;
pub mod outage;
pub mod parked;
pub mod planted;
pub mod profiles;
pub mod pulses;
pub mod queues;
pub mod resources;
pub mod runs;
pub mod settings;
pub mod spill;
pub mod status;
mod table;
pub mod timers;
pub mod turns;

pub use chance::Chance;
pub use clients::Clients;
pub use clock::Clock;
pub use error::{Error, Kind, Result};
pub use hold::Hold;
pub use settings::Settings;
pub use table::Stored;
