//! Prints the OpenAPI document.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(dunlin_manage::document().as_bytes())
}
