//! The dunlin of this machine: its folder, its keys, its process; then the same as in AWS, on its port.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use dunlin_aws::clients::https;
use dunlin_aws::resources::{BUCKET, DEFAULT_PREFIX};
use tokio::net::TcpStream;

use super::report::{Finding, Report};
use super::stage::{self, Stage};
use super::{away, front};
use crate::args::Doctor;
use crate::client::is_local;
use crate::dev::folder;
use crate::keys::Keys;

/// Where the front door is unless it was said.
const FRONT: &str = "http://localhost:9000";
/// How to start it.
const START: &str = "start `dunlin` in this folder, or say where it is: --data, --url, --aws-port";

/// Looks at all of it.
pub(crate) async fn look(asked: &Doctor, report: &mut Report) {
    let keys = look_at_folder(&asked.data, report);
    let url = asked.url.as_deref().unwrap_or(FRONT);
    let kept = keys.map(|keys| keys.admin_key).filter(|_| is_local(url));
    let admin_key = asked.admin_key.clone().or(kept);
    front::look(url, admin_key.as_deref(), START, report).await;

    let port = asked.aws_port;
    let check = Finding::of("local AWS");
    let listens = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok();
    let finding = if listens { check.saw(format!("http://localhost:{port}")) } else { check };
    if !report.add(finding.wrong_unless(listens, format!("nothing listens on port {port}"), START)) {
        return report.skip(&["tables, queues, bucket, mail"], "the local AWS does not answer on a port");
    }
    let credentials = SharedCredentialsProvider::new(Credentials::new("local", "local", None, None, "local"));
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .http_client(https())
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .timeout_config(away::timeouts())
        .build();
    let clients = away::clients(&config);
    let bucket = format!("{DEFAULT_PREFIX}{BUCKET}");
    let aws_cli = format!("aws --endpoint-url http://localhost:{port}");
    stage::look(&Stage { clients, prefix: DEFAULT_PREFIX.to_owned(), bucket, aws_cli, is_aws: false }, report).await;
}

/// Looks at the folder, its keys and who holds it; the keys, if they can be read.
pub(crate) fn look_at_folder(data: &Path, report: &mut Report) -> Option<Keys> {
    let name = data.display();
    let found = Finding::of("data folder").saw(name.to_string());
    if !report.add(found.wrong_unless(data.is_dir(), "it is not there", START)) {
        report.skip(&["keys", "process"], "there is no data folder");
        return None;
    }
    let check = Finding::of("keys");
    let keys =
        match Keys::read(data) {
            Ok(Some(keys)) => {
                let path = data.join("keys.json");
                let mend = format!("chmod 600 {}", path.display());
                report.add(check.saw("readable").warn_unless(is_private(&path), "others may read keys.json too", mend));
                Some(keys)
            }
            Ok(None) => {
                report.add(check.wrong(
                    "there is no keys.json",
                    "start `dunlin` here: it makes new keys; old tokens are refused then",
                ));
                None
            }
            Err(error) => {
                let mend = "restore keys.json from a backup: tokens and links are signed with it";
                report.add(check.wrong(format!("{error:#}"), mend));
                None
            }
        };
    let check = Finding::of("process");
    report.add(match folder::is_held(data) {
        Ok(true) => check.saw("a dunlin is using the folder"),
        Ok(false) => check.wrong("no dunlin is using the folder", START),
        Err(error) => check.wrong(format!("{error:#}"), "make the folder readable and writable for you"),
    });
    keys
}

#[cfg(unix)]
fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 == 0)
}

#[cfg(not(unix))]
fn is_private(path: &Path) -> bool {
    fs::metadata(path).is_ok()
}
