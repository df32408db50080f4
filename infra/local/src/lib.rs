#![doc = include_str!("../README.md")]

mod cloud;
mod connector;
mod door;
mod due;
mod dynamodb;
mod error;
pub mod faults;
pub mod folder;
mod journal;
pub mod meter;
pub mod outbox;
pub mod prices;
mod reply;
mod s3;
mod ses;
pub mod sqs;
mod store;
pub mod world;

pub use cloud::Cloud;
pub use connector::{Answer, connector, http_client};
pub use error::{Broken, CloudError};
pub use faults::{Fault, Faults, Injected, Kind as FaultKind, Side, When};
pub use meter::{Count, Meter, Service, Usage};
pub use outbox::{Mail, Outbox};
pub use ses::Quota;
pub use sqs::{Depth, Message, MessageAttribute, Sqs};
pub use world::{Door, Function, Handler, Lambda, Uninvoked, World};

/// The account that everything belongs to.
const ACCOUNT: &str = "000000000000";
/// The region that everything is in.
const REGION: &str = "us-east-1";
