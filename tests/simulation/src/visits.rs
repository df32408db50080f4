//! Visits: what operators and recipients do at the other doors, and what lands on the queues that nobody can read.

use std::collections::BTreeMap;

use bytes::Bytes;
use dunlin_aws::Error;
use dunlin_aws::queues::{Outgoing, Queue};
use dunlin_aws::resources::{HOOKS, QUEUES};
use dunlin_core::hook::{self, Method};
use dunlin_core::ids::{DeliveryId, RunId};
use dunlin_core::link::{Kind, Link, Purpose};
use dunlin_core::mail::DELIVERY_TAG;
use dunlin_core::task::{Hook, VERSION};
use dunlin_local::{Door, Mail};
use http::{Request, Response};
use jiff::SignedDuration;
use serde_json::Value;

use crate::house::{self, House, Unbuilt};
use crate::sim::{Role, Sim};

/// What nobody can read.
pub(crate) const NONSENSE: &str = "nonsense";

/// What somebody does who is no client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// An operator publishes the letter ([`House::publishing`]).
    Publish,
    /// An operator asks `manage`: the method, the path, and the body. `{project}` stands for the first
    /// project, `{delivery}` for the latest mail, `{parked}` for the first of the parked tasks that were listed last.
    Operate(&'static str, &'static str, &'static str),
    /// The recipient of the latest mail follows a link of this kind: opens it, views it online, unsubscribes.
    Follow(Kind),
    /// A message that nobody can read lands on every queue.
    Nonsense,
    /// A webhook of a run that is no more lands on its queue; its receiver is not there.
    Webhook,
}

/// The request of a visit, and the door it goes to; none where there is nothing to visit. `parked` is the task that an
/// operator knows of.
pub(crate) fn request(
    visit: Visit,
    sim: &Sim,
    house: &House,
    parked: &str,
) -> Result<Option<(Role, Request<Bytes>)>, Unbuilt> {
    let mail = sim.cloud().outbox().list(1, 0).into_iter().next();
    let delivery = mail.as_ref().and_then(delivery);
    Ok(match visit {
        Visit::Publish => Some((Role::Door(Door::Manage), house.publishing()?)),
        Visit::Operate(method, path, body) => {
            let path = path.replace("{project}", house.id.as_str()).replace("{parked}", parked);
            let path = path.replace("{delivery}", delivery.as_ref().map_or("", DeliveryId::as_str));
            Some((Role::Door(Door::Manage), house::operating(method, &path, body)?))
        }
        Visit::Follow(Kind::Unsubscribe) => match mail.as_ref().and_then(|mail| unsubscribing(mail, sim)) {
            Some(path) => {
                let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
                Some((Role::Door(Door::Link), request.body("List-Unsubscribe=One-Click".into())?))
            }
            None => None,
        },
        Visit::Follow(kind) => match delivery {
            Some(delivery) => {
                let purpose = if kind == Kind::View { Purpose::View } else { Purpose::Open };
                let path = Link { project: house.id.clone(), delivery, purpose }.path(&sim.settings().keyring);
                Some((Role::Door(Door::Link), Request::get(path).body(Bytes::new())?))
            }
            None => None,
        },
        Visit::Nonsense | Visit::Webhook => None,
    })
}

fn delivery(mail: &Mail) -> Option<DeliveryId> {
    let tag = mail.tags.iter().find(|(name, _)| name == DELIVERY_TAG);
    tag.and_then(|(_, id)| DeliveryId::parse(id).ok())
}

/// The path of the link by which a mail program unsubscribes.
fn unsubscribing(mail: &Mail, sim: &Sim) -> Option<String> {
    let raw = String::from_utf8_lossy(&mail.raw).replace("\r\n ", "").replace("\r\n\t", "");
    let link = raw.lines().find_map(|line| line.strip_prefix("List-Unsubscribe: <")?.split('>').next());
    link?.strip_prefix(sim.settings().public.as_str()).map(str::to_owned)
}

/// Puts a message that nobody can read on every queue, past every fault.
pub(crate) async fn nonsense(sim: &Sim) -> Result<(), Unbuilt> {
    let sqs = house::clients(sim.cloud()).sqs;
    for queue in QUEUES {
        let message = sqs.send_message().queue_url(sim.settings().queue_url(queue)).message_body(NONSENSE);
        let message = message.message_group_id("nobody");
        let message = if queue.fifo { message.message_deduplication_id("nonsense") } else { message };
        message.send().await.map_err(Error::of("put nonsense"))?;
    }
    Ok(())
}

/// Puts a webhook on its queue, past every fault.
pub(crate) async fn webhook(sim: &Sim, house: &House) -> Result<(), Unbuilt> {
    let hook = Hook {
        v: VERSION,
        project: house.id.clone(),
        run: RunId::derive(&["gone"]),
        moves: 1,
        request: hook::Request {
            id: "hook".to_owned(),
            method: Method::Post,
            url: "https://receiver.example/".to_owned(),
            headers: BTreeMap::new(),
            body: None,
        },
        tries: 0,
        until: sim.now() + SignedDuration::from_hours(1),
    };
    let queue = Queue::new(&house::clients(sim.cloud()).sqs, sim.settings().queue_url(HOOKS));
    Ok(queue.put(&[Outgoing::now(&hook.project, &hook)?]).await?)
}

/// The first of the parked tasks that an answer lists.
pub(crate) fn listed(answer: &Response<Bytes>) -> Option<String> {
    let listed: Value = serde_json::from_slice(answer.body()).ok()?;
    listed.pointer("/parked/0/id").and_then(Value::as_str).map(str::to_owned)
}
