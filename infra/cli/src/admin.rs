//! `manage` over HTTP, with the admin key: what `push` and `parked` ask it, and what it answers.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args as Options;
use dunlin_core::campaign::Problem;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::{Answer, Client, is_local};
use crate::keys::Keys;

/// Where `manage` is, and the key that opens it.
#[derive(Clone, Options)]
pub(crate) struct Door {
    /// Where dunlin is
    #[arg(long, env = "DUNLIN_URL", default_value = "http://localhost:9000")]
    pub(crate) url: String,
    /// The admin key; of the data folder where none is given and dunlin is on this machine
    #[arg(long, env = "DUNLIN_ADMIN_KEY", hide_env_values = true, value_name = "KEY")]
    pub(crate) admin_key: Option<String>,
    /// The data folder of the dunlin on this machine
    #[arg(long, default_value = ".dunlin", value_name = "DIR")]
    pub(crate) data: PathBuf,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Door").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Door {
    /// A client that shows the key: the one given, else of the dunlin on this machine.
    pub(crate) fn open(&self) -> anyhow::Result<Client> {
        let key = match &self.admin_key {
            Some(key) => key.clone(),
            None if is_local(&self.url) => local(&self.data)?,
            None => bail!("the admin key is missing: give --admin-key or set DUNLIN_ADMIN_KEY"),
        };
        Client::new(&self.url, &key)
    }
}

fn local(data: &Path) -> anyhow::Result<String> {
    let missing = || format!("there are no keys in {}: start `dunlin` here, or give --admin-key", data.display());
    Ok(Keys::read(data)?.with_context(missing)?.admin_key)
}

/// A refusal of `manage`.
#[derive(Deserialize)]
pub(crate) struct Refused {
    error: Reason,
    /// What is wrong with a campaign.
    #[serde(default)]
    pub(crate) problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Reason {
    message: String,
    mend: Option<String>,
}

/// The body of an answer that says yes.
pub(crate) fn accepted<T: DeserializeOwned>(answer: &Answer) -> anyhow::Result<T> {
    if answer.status.is_success() {
        return read(answer);
    }
    let Ok(Refused { error: Reason { message, mend }, .. }) = serde_json::from_slice(&answer.body) else {
        bail!("the server answered {}: is it dunlin?", answer.status);
    };
    match mend {
        Some(mend) => bail!("{message}; {mend}"),
        None => bail!("{message}"),
    }
}

/// The body of an answer, whatever its status; one without a body is `null`.
pub(crate) fn read<T: DeserializeOwned>(answer: &Answer) -> anyhow::Result<T> {
    let shape =
        || format!("the server answered {} in an unknown form: is it dunlin of another version?", answer.status);
    let body: &[u8] = if answer.body.is_empty() { b"null" } else { &answer.body };
    let value: Value = serde_json::from_slice(body).with_context(shape)?;
    serde_json::from_value(value).with_context(shape)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::Ipv4Addr;

    use dunlin_aws::Clock;
    use dunlin_local::{Cloud, World};

    use super::*;
    use crate::project::settings;

    /// A dunlin on a port, and the way to it.
    pub(crate) async fn serve(keys: &Keys) -> (World, Door) {
        let cloud = Cloud::in_memory(Clock::System, 1).expect("a cloud");
        let world = World::new(cloud, settings(keys, "http://localhost:9000").expect("settings"), 1);
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = world.router();
        drop(tokio::spawn(async move { axum::serve(listener, router).await }));
        (world, Door { url, admin_key: Some(keys.admin_key.clone()), data: "/nowhere".into() })
    }

    #[test]
    fn a_refusal_says_what_and_how_to_mend_it() {
        let body = br#"{"error": {"code": "unauthorized", "message": "the key is wrong", "mend": "send another"}}"#;
        let answer = Answer { status: http::StatusCode::UNAUTHORIZED, body: body.to_vec().into() };
        let error = accepted::<Value>(&answer).expect_err("refused").to_string();
        assert_eq!(error, "the key is wrong; send another");
    }
}
