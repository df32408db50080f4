#![doc = include_str!("../README.md")]

mod diagram;
mod mermaid;
mod svg;

pub use diagram::{Arrow, Box, Diagram, Shape};
pub use mermaid::mermaid;
pub use svg::svg;

#[cfg(test)]
mod tests;
