#![doc = include_str!("../README.md")]

pub mod baskets;
mod clients;
pub mod crashes;
pub mod deeds;
pub mod entries;
pub mod hopes;
pub mod house;
pub mod incident;
pub mod journeys;
pub mod judge;
pub mod model;
pub mod observed;
pub mod overload;
pub mod play;
pub mod rest;
pub mod rounds;
pub mod scenario;
pub mod sim;
pub mod visits;
pub mod workload;
