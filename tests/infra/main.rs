//! The template against the code: what is deployed is what the code expects, and no function may do what it does not do.

#![allow(clippy::indexing_slicing, clippy::expect_used, clippy::panic, reason = "a check that fails fails the test")]

mod alarms;
mod crashes;
mod deploy;
mod front;
mod functions;
mod mail;
mod permissions;
mod queues;
mod store;
mod story;
mod template;
mod watched;
