//! The cloud: every service behind one door, where requests are told apart, broken and counted.

use std::path::Path;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bytes::Bytes;
use dunlin_aws::{Clock, resources};
use dynoxide::Database;
use futures::future::BoxFuture;
use http::{Request, Response};
use jiff::Timestamp;

use crate::connector::{self, Answer};
use crate::door::{self, Call};
use crate::due::Due;
use crate::dynamodb::{DynamoDb, TableClock};
use crate::error::{Broken, CloudError};
use crate::faults::{Asked, Crash, Faults, Kind, Touched};
use crate::journal::{Desk, Journal};
use crate::meter::{Meter, Service};
use crate::outbox::Outbox;
use crate::reply::Reply;
use crate::s3::{Objects, S3};
use crate::ses::{Quota, Ses};
use crate::sqs::change::{DeadLetter, Settings};
use crate::sqs::engine::Engine;
use crate::sqs::{Bells, Sqs, rows};
use crate::store::Store;

/// AWS on one machine; clones are the same one.
#[derive(Clone)]
pub struct Cloud {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    dynamodb: DynamoDb,
    sqs: Sqs,
    ses: Ses,
    s3: S3,
    outbox: Outbox,
    due: Due,
    meter: Meter,
    faults: Faults,
    /// Whether items' time to live can follow our clock: dynoxide reads the machine's in a file.
    can_expire: bool,
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Cloud").field("clock", &self.shared.clock).finish_non_exhaustive()
    }
}

impl Cloud {
    /// A cloud that ends with the process, with dunlin's tables, queues and bucket.
    ///
    /// # Errors
    ///
    /// [`CloudError`] if a table cannot be made.
    pub fn in_memory(clock: Clock, seed: u64) -> Result<Self, CloudError> {
        let tables = Database::memory_with_clock(Arc::new(TableClock(clock.clone())))?;
        let store = Store::in_memory(tables)?;
        let objects = Objects::in_memory(clock.clone());
        Self::start(store, objects, clock, seed, true)
    }

    /// The cloud in a folder: `dunlin.sqlite` for tables, queues and mails, `store/` for objects.
    /// What was acknowledged before is there again, whatever ended the process.
    ///
    /// # Errors
    ///
    /// [`CloudError`] if the folder cannot be read and written, or holds something else.
    pub fn open(folder: &Path, clock: Clock, seed: u64) -> Result<Self, CloudError> {
        let store = Store::open(folder)?;
        let objects = Objects::in_folder(folder.join("store"), clock.clone());
        let can_expire = !clock.is_virtual();
        Self::start(store, objects, clock, seed, can_expire)
    }

    fn start(store: Store, objects: Objects, clock: Clock, seed: u64, can_expire: bool) -> Result<Self, CloudError> {
        let prefix = resources::DEFAULT_PREFIX;
        let store = Arc::new(store);
        let (meter, faults, bells) = (Meter::default(), Faults::new(seed), Bells::default());

        let wal = store.wal()?;
        // Every start has its own range of keys, so that no key and no id comes twice.
        let first_key = u64::try_from(store.opens()).unwrap_or(0) << 40;
        let mut engine = Engine::new(seed, first_key, wal.is_some());
        store.read(|stored| rows::load(stored, &mut engine, clock.now().as_millisecond()))?;
        drop(engine.take_changes());
        create_queues(&mut engine, prefix);
        let changes = engine.take_changes();
        store.write(|stored| changes.iter().try_for_each(|change| rows::apply(stored, change)))?;

        let engine = Arc::new(Mutex::new(engine));
        let journal = match wal {
            Some(wal) => {
                let desk = Desk {
                    store: Arc::clone(&store),
                    engine: Arc::clone(&engine),
                    bells: bells.clone(),
                    clock: clock.clone(),
                };
                Some(Journal::start(desk, wal)?)
            }
            None => None,
        };
        let sqs = Sqs::new(engine, journal, bells, clock.clone(), meter.clone(), faults.clone());
        let dynamodb = DynamoDb::new(Arc::clone(&store), clock.clone(), meter.clone(), faults.clone());
        dynamodb.create_tables(prefix)?;
        let due = Due::default();
        if clock.is_virtual() {
            dynamodb.sort_keys(&format!("{prefix}{}", resources::TIMERS.name))?.iter().for_each(|key| due.add(key));
        }
        let s3 = S3::new(objects, meter.clone());
        s3.create_bucket(&format!("{prefix}{}", resources::BUCKET))?;
        let ses = Ses::new(sqs.clone(), Arc::clone(&store), meter.clone(), faults.clone(), prefix);
        let outbox = Outbox::new(store);
        let shared = Shared { clock, dynamodb, sqs, ses, s3, outbox, due, meter, faults, can_expire };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The clock that every service reads.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// The queues, for those who poll them.
    #[must_use]
    pub fn sqs(&self) -> &Sqs {
        &self.shared.sqs
    }

    /// The mails that left.
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.shared.outbox
    }

    /// What was used.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.shared.meter
    }

    /// What goes wrong.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Sets SES's sending quota; `None`, as at the start, lifts it.
    pub fn set_send_quota(&self, quota: Option<Quota>) {
        self.shared.ses.set_quota(quota);
    }

    /// Removes items whose time to live has passed, as DynamoDB does within days; returns how many.
    /// In a file with a virtual clock nothing is removed, because there dynoxide knows the
    /// machine's time only.
    ///
    /// # Errors
    ///
    /// [`CloudError`] if the tables cannot be written.
    pub fn expire(&self) -> Result<usize, CloudError> {
        if self.shared.can_expire { self.shared.dynamodb.expire() } else { Ok(0) }
    }

    /// The earliest instant to come at which a message becomes visible, SES's events among them:
    /// where virtual time can jump to.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.shared.sqs.next_due()
    }

    /// The first instant after `instant` at which a timer is due. Timers are noted in virtual time only.
    #[must_use]
    pub fn next_timer(&self, instant: Timestamp) -> Option<Timestamp> {
        self.shared.due.after(instant)
    }

    /// Puts many items into a table at once, below the protocol and its checks: millions, for a test that asks what a
    /// request costs when they are there. Attributes are texts and numbers as DynamoDB's JSON writes them
    /// (`{"pk": {"S": "…"}}`). Neither metered nor hit by faults, and timers among them are not noted.
    ///
    /// # Errors
    ///
    /// [`CloudError`] if there is no such table, or an item is not one.
    pub fn import(&self, table: &str, items: Vec<serde_json::Value>) -> Result<(), CloudError> {
        let items = items.into_iter().map(serde_json::from_value).collect::<Result<_, _>>();
        self.shared.dynamodb.import(table, items.map_err(std::io::Error::other)?)
    }

    /// For the SDK's clients: hands each request to [`Cloud::answer`], without a socket.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        connector::http_client(self.clone())
    }

    /// The same answers on a port, for `AWS_ENDPOINT_URL`.
    pub fn router(&self) -> axum::Router {
        door::router(self.clone())
    }

    /// The outbox's pages, under `/outbox`.
    pub fn outbox_router(&self) -> axum::Router {
        crate::outbox::router(self.shared.outbox.clone())
    }

    /// What a request is for: the service, and the operation as it names it.
    #[must_use]
    pub fn asked(request: &Request<Bytes>) -> (Service, String) {
        let call = Call::of(request);
        (call.service(), call.operation().to_owned())
    }

    /// Answers one AWS request: DynamoDB and SQS by `X-Amz-Target`, SES by its path, S3 else.
    ///
    /// # Errors
    ///
    /// [`Broken`] if a fault takes the connection or the answer.
    pub async fn answer(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Broken> {
        let call = Call::of(&request);
        let faults = &self.shared.faults;
        let crash = faults.count();
        if crash == Crash::Before {
            faults.tell_crashed();
            std::future::pending::<()>().await;
        }
        let touched = if faults.is_quiet() { Vec::new() } else { call.touched(request.body()) };
        let asked =
            Asked { touched: &touched, ..Asked::new(self.shared.clock.now(), call.service(), call.operation()) };
        let fault = faults.at_the_door(&asked);
        let answer = match fault.map(|strike| (strike.kind, strike)) {
            Some((Kind::Unreachable, _)) => Err(Broken::Unreachable),
            Some((Kind::TimeoutNotApplied, _)) => Err(Broken::TimedOut),
            Some((Kind::ResetNotApplied, _)) => Err(Broken::Reset),
            Some((kind @ (Kind::TimeoutApplied | Kind::ResetApplied), _)) => {
                drop(self.serve(&call, &request, &touched).await);
                Err(if kind == Kind::ResetApplied { Broken::Reset } else { Broken::TimedOut })
            }
            Some((Kind::Throttle, strike)) => Ok(call.throttle(&strike, &touched)),
            Some((Kind::ServerError, _)) => Ok(call.server_error()),
            _ => Ok(self.serve(&call, &request, &touched).await),
        };
        if crash == Crash::After {
            faults.tell_crashed();
            std::future::pending::<()>().await;
        }
        answer
    }

    /// The same cloud for those who only look at it: no fault strikes their requests at the door, and no crash counts them.
    #[must_use]
    pub fn past_faults(&self) -> impl Answer + use<> {
        PastFaults(self.clone())
    }

    async fn serve(&self, call: &Call, request: &Request<Bytes>, touched: &[Touched]) -> Reply {
        match call {
            Call::DynamoDb { operation } => {
                if self.shared.clock.is_virtual() {
                    self.shared.due.note(operation, request.body());
                }
                self.shared.dynamodb.answer(operation, request.body(), touched)
            }
            Call::Sqs { operation, .. } => self.shared.sqs.answer(operation, request.body()).await,
            Call::Ses { operation, name } => {
                self.shared.ses.answer(operation, name, request.body(), self.shared.clock.now()).await
            }
            Call::S3(asked) => self.shared.s3.answer(asked, request),
        }
    }
}

impl Answer for Cloud {
    fn answer(&self, request: Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, Broken>> {
        let cloud = self.clone();
        Box::pin(async move { Self::answer(&cloud, request).await })
    }
}

#[derive(Debug)]
struct PastFaults(Cloud);

impl Answer for PastFaults {
    fn answer(&self, request: Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, Broken>> {
        let cloud = self.0.clone();
        Box::pin(async move { Ok(cloud.serve(&Call::of(&request), &request, &[]).await) })
    }
}

/// Dunlin's queues, each with its dead-letter queue, set as the template sets them.
fn create_queues(engine: &mut Engine, prefix: &str) {
    let retention_seconds = resources::RETENTION_DAYS * 24 * 3600;
    for queue in resources::QUEUES {
        let dead_letter = format!("{prefix}{}", queue.dead_letter_name());
        let settings = Settings {
            fifo: queue.fifo,
            visibility_seconds: queue.visibility_seconds(),
            delay_seconds: 0,
            retention_seconds,
            wait_seconds: 0,
            content_deduplication: false,
            group_deduplication: queue.fifo,
            dead_letter: None,
        };
        engine.set_queue(&dead_letter, settings.clone());
        let dead_letter = DeadLetter { queue: dead_letter, max_receive_count: queue.max_receive_count };
        engine.set_queue(&format!("{prefix}{}", queue.name()), Settings { dead_letter: Some(dead_letter), ..settings });
    }
}
