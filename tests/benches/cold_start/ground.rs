//! What the functions work on: the local AWS on a port, with one project, and events as Lambda hands them over. The queues
//! are not read by anybody else: what one function puts there is the event of the next.

use std::collections::BTreeMap;
use std::time::Duration;

use dunlin_aws::control::Control;
use dunlin_aws::queues::{Outgoing, Queue};
use dunlin_aws::resources;
use dunlin_aws::settings::Setting;
use dunlin_aws::{Clock, Settings};
use dunlin_core::campaign::folder;
use dunlin_core::ids::RunId;
use dunlin_core::task::{Hook, VERSION};
use dunlin_local::{Cloud, Function, Message, World};
use dunlin_tests::{ADMIN_KEY, Stage, link, root};
use http::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::Outcome;

/// How long a queue may take to fill: a wait of one second and what SES takes to report, and enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
/// The wait between the first two mails of the example that `track` starts, and what it is here.
const WAIT: [&str; 2] = ["wait: 3 days", "wait: 1 second"];

/// The local AWS and the project on it.
pub(crate) struct Ground {
    stage: Stage,
    /// Where the local AWS answers.
    endpoint: String,
    people: u32,
    /// What `evaluate` got last, for those beside it.
    taken: Vec<String>,
}

impl Ground {
    /// A cloud in memory, by the machine's clock, with the example campaigns.
    pub(crate) async fn lay() -> Outcome<Self> {
        let cloud = Cloud::in_memory(Clock::System, 1)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let router = cloud.router();
        tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        let settings = Settings::read(&Setting::ALL, |name| value(&endpoint, name))?;
        let stage = Stage::over(World::new(cloud, settings, 1), 1).await;
        let control = Control::new(stage.world.clients(), &stage.world.settings().prefix);
        let campaigns = folder(&examples()?);
        if !campaigns.is_publishable() {
            return Err(format!("the examples have problems: {:?}", campaigns.problems).into());
        }
        for campaign in &campaigns.campaigns {
            control.publish(&stage.project, campaign, Clock::System.now()).await?;
        }
        Ok(Self { stage, endpoint, people: 0, taken: Vec::new() })
    }

    /// The settings of a function, as the template would give them.
    pub(crate) fn settings(&self, needs: &'static [Setting]) -> impl Iterator<Item = (&'static str, String)> + '_ {
        let given = needs.iter().filter_map(|need| Some((need.name(), value(&self.endpoint, need.name())?)));
        given.chain([("AWS_ENDPOINT_URL", self.endpoint.clone())])
    }

    /// So many events for a function, each with work that was not done before.
    pub(crate) async fn events(&mut self, function: &str, count: usize) -> Outcome<Vec<String>> {
        Ok(match function {
            "intake" => (0..count).map(|_| self.track()).collect(),
            "evaluate" => {
                self.taken = self.records(Function::Evaluate, count).await?;
                self.taken.clone()
            }
            "schedule" => self.records(Function::Schedule, count).await?,
            "send" => self.records(Function::Send, count).await?,
            "hook" => {
                self.put_hooks(count).await?;
                self.records(Function::Hook, count).await?
            }
            "feedback" => self.records(Function::Feedback, count).await?,
            "link" => self.opens(count),
            "manage" => (0..count).map(|_| show_projects()).collect(),
            "sweep" => {
                self.drain();
                (0..count).map(|_| minute()).collect()
            }
            _ => self.taken.clone(),
        })
    }

    /// Empties the queues of what nobody took.
    fn drain(&self) {
        let sqs = self.stage.world.cloud().sqs();
        for queue in sqs.names() {
            loop {
                let receipts: Vec<_> = sqs.receive(&queue, 100).into_iter().map(|message| message.receipt).collect();
                if receipts.is_empty() {
                    break;
                }
                sqs.delete(&queue, &receipts);
            }
        }
    }

    /// Somebody's first event, through the Track API.
    fn track(&mut self) -> String {
        self.people += 1;
        let user = format!("person-{}", self.people);
        let identity = json!({"id": user, "email": format!("{user}@example.com")});
        let data = json!({"plan": "pro", "seats": 5, "source": "a friend"});
        let body =
            json!({"auth_token": self.stage.token, "identity": identity, "event_name": "Signed up", "data": data});
        request(&Method::POST, "/api/v2/events/track", &[("content-type", "application/json")], &body.to_string())
    }

    /// Puts webhooks on their queue whose time is over: each is answered, and nobody on the web is asked.
    async fn put_hooks(&self, count: usize) -> Outcome {
        let settings = self.stage.world.settings();
        let queue = Queue::new(&self.stage.world.clients().sqs, settings.queue_url(resources::HOOKS));
        let hook = Hook {
            v: VERSION,
            project: self.stage.project.clone(),
            run: RunId::derive(&["a run"]),
            moves: 1,
            request: serde_json::from_value(json!({"id": "a call", "url": "https://example.com/", "body": {"a": 1}}))?,
            tries: 0,
            until: dunlin_tests::start(),
        };
        let hooks = (0..count).map(|_| Outgoing::now(&hook.project, &hook)).collect::<Result<Vec<_>, _>>()?;
        Ok(queue.put(&hooks).await?)
    }

    /// Messages of a function's queue, one in each event.
    async fn records(&self, function: Function, count: usize) -> Outcome<Vec<String>> {
        let queue = function.queues().first().ok_or("a function without a queue")?;
        let (sqs, queue) = (self.stage.world.cloud().sqs(), self.stage.world.queue_name(queue));
        let mut events = Vec::new();
        let fill = async {
            while events.len() < count {
                for message in sqs.receive(&queue, count - events.len()) {
                    sqs.delete(&queue, std::slice::from_ref(&message.receipt));
                    events.push(batch(&queue, &message));
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let filled = timeout(PATIENCE, fill).await.is_ok();
        if filled { Ok(events) } else { Err(format!("{queue} held {} of {count} messages", events.len()).into()) }
    }

    /// Openings of the mails that left last.
    fn opens(&self, count: usize) -> Vec<String> {
        let mails = self.stage.world.cloud().outbox().list(count, 0);
        mails.iter().map(|mail| request(&Method::GET, &link(mail, "o"), &[("user-agent", "Mail/1.0")], "")).collect()
    }

    /// Whether every record was understood: one that was not is parked and acknowledged, and would be measured as speed.
    pub(crate) async fn check(&self) -> Outcome {
        let (_, answer) = self.stage.manage(Method::GET, "/parked", &Value::Null).await;
        let none = answer.get("parked").and_then(Value::as_array).is_some_and(Vec::is_empty);
        if none { Ok(()) } else { Err(format!("records were parked: {answer}").into()) }
    }
}

/// The texts of the example campaigns, with a wait that is soon over.
fn examples() -> Outcome<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    for below in ["", "partials/"] {
        for entry in std::fs::read_dir(root().join("examples").join(below))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                let text = std::fs::read_to_string(entry.path())?;
                texts.insert(format!("{below}{}", entry.file_name().to_string_lossy()), text.replace(WAIT[0], WAIT[1]));
            }
        }
    }
    Ok(texts)
}

/// A setting of the stage, by the name of its variable.
fn value(endpoint: &str, name: &str) -> Option<String> {
    Some(match name {
        "AWS_REGION" => "us-east-1".to_owned(),
        "DUNLIN_PREFIX" => "dunlin-".to_owned(),
        "DUNLIN_QUEUES" => format!("{endpoint}/000000000000"),
        "DUNLIN_BUCKET" => "dunlin-store".to_owned(),
        "DUNLIN_PUBLIC" => "https://mail.example.com".to_owned(),
        "DUNLIN_SIGNING_KEYS" => "k1:0123456789abcdef0123456789abcdef,k0:fedcba9876543210fedcba9876543210".to_owned(),
        "DUNLIN_ADMIN_KEY" => ADMIN_KEY.to_owned(),
        _ => return None,
    })
}

/// SQS's event with one record.
fn batch(queue: &str, message: &Message) -> String {
    json!({"Records": [{
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": message.attributes,
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:{queue}"),
        "awsRegion": "us-east-1",
    }]})
    .to_string()
}

/// API Gateway's event for one request (HTTP API, payload format 2.0).
fn request(method: &Method, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let length = body.len().to_string();
    let usual = [("accept", "*/*"), ("content-length", length.as_str()), ("host", "mail.example.com")];
    let headers: BTreeMap<&str, &str> = usual.iter().chain(headers).copied().collect();
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api-id",
            "domainName": "mail.example.com",
            "domainPrefix": "mail",
            "http": {
                "method": method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "bench/1.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "05/Jan/2026:09:00:00 +0000",
            "timeEpoch": Clock::System.now().as_millisecond(),
        },
        "body": body,
        "isBase64Encoded": false,
    })
    .to_string()
}

/// What an operator asks first.
fn show_projects() -> String {
    let key = format!("Bearer {ADMIN_KEY}");
    request(&Method::GET, "/manage/v1/projects", &[("authorization", &key)], "")
}

/// EventBridge's event of every minute.
fn minute() -> String {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": Clock::System.now().to_string(),
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:000000000000:rule/dunlin-minute"],
        "detail": {},
    })
    .to_string()
}
