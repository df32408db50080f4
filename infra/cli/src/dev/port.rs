//! Ports of this machine.

use std::io::ErrorKind;
use std::net::Ipv4Addr;

use anyhow::Context as _;
use tokio::net::TcpListener;

/// Listens on a port of this machine only; `option` is what chooses another one.
pub(crate) async fn bind(port: u16, option: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => {
                anyhow::anyhow!(
                    "port {port} is in use by another program: stop it, or choose another port with {option}"
                )
            }
            _ => anyhow::Error::new(error),
        })
        .with_context(|| format!("cannot listen on 127.0.0.1:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_busy_port_is_named_with_the_option_that_chooses_another() {
        let first = bind(0, "--port").await.expect("any port");
        let port = first.local_addr().expect("an address").port();
        let error = format!("{:#}", bind(port, "--port").await.expect_err("refused"));
        assert!(error.contains(&format!("port {port} is in use")) && error.contains("--port"), "{error}");
    }
}
