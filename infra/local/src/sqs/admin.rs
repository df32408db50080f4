//! Making, describing and emptying queues.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Sqs;
use super::attributes::{apply, defaults, shown};
use super::change::Settings;
use super::protocol::{queue_name, refuse_closed, unknown_queue};
use crate::reply::Refusal;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateQueue {
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueUrl {
    queue_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListQueues {
    #[serde(default)]
    queue_name_prefix: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfQueue {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attributes: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartMessageMoveTask {
    source_arn: String,
    destination_arn: Option<String>,
}

impl Sqs {
    pub(super) async fn create_queue(&self, request: &CreateQueue) -> Result<Value, Refusal> {
        let name = request.queue_name.as_str();
        let stem = name.strip_suffix(".fifo").unwrap_or(name);
        let well_formed = (1..=80).contains(&name.len())
            && !stem.is_empty()
            && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if !well_formed {
            let text = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
            return Err(Refusal::sender("InvalidParameterValue", text));
        }
        let mut settings = defaults(name.ends_with(".fifo"));
        apply(&mut settings, &request.attributes)?;
        match self.settings(name) {
            Ok(existing) if existing == settings => {}
            Ok(_) => {
                let text = "A queue already exists with the same name and a different value for an attribute";
                return Err(Refusal::sender("QueueNameExists", text));
            }
            Err(_) => self.set_queue(name, settings).await?,
        }
        Ok(json!({ "QueueUrl": Self::url(name) }))
    }

    async fn set_queue(&self, name: &str, settings: Settings) -> Result<(), Refusal> {
        self.commit(|engine, _| (engine.set_queue(name, settings), Vec::new()))
            .await
            .map_err(|error| refuse_closed(&error))
    }

    pub(super) fn get_queue_url(&self, request: &GetQueueUrl) -> Result<Value, Refusal> {
        self.settings(&request.queue_name)?;
        Ok(json!({ "QueueUrl": Self::url(&request.queue_name) }))
    }

    pub(super) fn list_queues(&self, request: &ListQueues) -> Value {
        let names = self.names();
        let urls = names.iter().filter(|name| name.starts_with(&request.queue_name_prefix)).map(|name| Self::url(name));
        json!({ "QueueUrls": urls.collect::<Vec<_>>() })
    }

    pub(super) fn get_queue_attributes(&self, request: &OfQueue) -> Result<Value, Refusal> {
        let name = queue_name(&request.queue_url);
        let settings = self.settings(name)?;
        let depth = self.depth(name);
        let mut attributes = shown(name, &settings);
        attributes.insert("ApproximateNumberOfMessages", depth.visible.to_string());
        attributes.insert("ApproximateNumberOfMessagesDelayed", depth.delayed.to_string());
        attributes.insert("ApproximateNumberOfMessagesNotVisible", depth.in_flight.to_string());
        attributes.retain(|name, _| request.attribute_names.iter().any(|wanted| wanted == "All" || wanted == name));
        Ok(json!({ "Attributes": attributes }))
    }

    pub(super) async fn set_queue_attributes(&self, request: &SetQueueAttributes) -> Result<Value, Refusal> {
        let name = queue_name(&request.queue_url);
        let mut settings = self.settings(name)?;
        apply(&mut settings, &request.attributes)?;
        self.set_queue(name, settings).await?;
        Ok(Self::nothing())
    }

    pub(super) fn purge_queue(&self, request: &OfQueue) -> Result<Value, Refusal> {
        let name = queue_name(&request.queue_url);
        self.settings(name)?;
        self.change(|engine, now| engine.purge(name, now));
        Ok(Self::nothing())
    }

    pub(super) async fn delete_queue(&self, request: &OfQueue) -> Result<Value, Refusal> {
        let name = queue_name(&request.queue_url);
        self.settings(name)?;
        self.commit(|engine, now| (engine.remove_queue(name, now), Vec::new()))
            .await
            .map_err(|error| refuse_closed(&error))?;
        Ok(Self::nothing())
    }

    pub(super) async fn start_message_move_task(&self, request: &StartMessageMoveTask) -> Result<Value, Refusal> {
        let of_arn = |arn: &str| arn.rsplit(':').next().unwrap_or_default().to_owned();
        let source = of_arn(&request.source_arn);
        let target = request.destination_arn.as_deref().map(of_arn);
        self.settings(&source).map_err(|_| unknown_queue())?;
        self.commit(|engine, now| {
            let moved = engine.redrive(&source, target.as_deref(), now);
            let arrivals = moved.into_iter().map(|(queue, key)| (Arc::from(queue), key)).collect();
            ((), arrivals)
        })
        .await
        .map_err(|error| refuse_closed(&error))?;
        Ok(json!({ "TaskHandle": format!("moved-{source}") }))
    }
}
