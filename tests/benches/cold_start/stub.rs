//! Lambda's Runtime API, for one process at a time: hands it an event when it polls, and tells how long its answer took
//! (docs.aws.amazon.com/lambda, "Using the Lambda runtime API").

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use dunlin_aws::Clock;
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::Outcome;

/// How long a function may think before the bench gives it up.
const PATIENCE: Duration = Duration::from_secs(20);
/// The trace that Lambda names when nobody asked for one.
const TRACE: &str = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0";

/// The Runtime API on a port of its own.
pub(crate) struct Stub {
    /// Where it is: `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) address: SocketAddr,
    polls: mpsc::UnboundedReceiver<Instant>,
    events: mpsc::UnboundedSender<String>,
    answers: mpsc::UnboundedReceiver<Answer>,
    server: JoinHandle<()>,
}

/// What the process said to an event.
struct Answer {
    after: Duration,
    /// The answer, or the error it reported.
    said: Result<String, String>,
}

/// The side of the stub that faces the process.
struct Desk {
    polls: mpsc::UnboundedSender<Instant>,
    /// The events to come, and when the last one was handed over.
    events: Mutex<(mpsc::UnboundedReceiver<String>, Instant)>,
    answers: mpsc::UnboundedSender<Answer>,
}

impl Stub {
    /// Opens the port.
    pub(crate) async fn start() -> Outcome<Self> {
        let (heard, polls) = mpsc::unbounded_channel();
        let (events, waiting) = mpsc::unbounded_channel();
        let (told, answers) = mpsc::unbounded_channel();
        let desk = Desk { polls: heard, events: Mutex::new((waiting, Instant::now())), answers: told };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(error))
            .with_state(Arc::new(desk));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { address, polls, events, answers, server })
    }

    /// When the process asks for its next event: the end of its init, or of its last invocation.
    pub(crate) async fn polled(&mut self) -> Outcome<Instant> {
        tokio::select! {
            biased;
            poll = timeout(PATIENCE, self.polls.recv()) => Ok(poll.ok().flatten().ok_or("it does not poll")?),
            Some(answer) = self.answers.recv() => Err(format!("it failed at init: {:?}", answer.said).into()),
        }
    }

    /// Hands an event to the process that has polled; how long it took, and its answer.
    pub(crate) async fn invoke(&mut self, event: &str) -> Outcome<(Duration, String)> {
        self.events.send(event.to_owned())?;
        let answer = timeout(PATIENCE, self.answers.recv()).await.ok().flatten().ok_or("it does not answer")?;
        Ok((answer.after, answer.said?))
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(desk): State<Arc<Desk>>) -> Response {
    if desk.polls.send(Instant::now()).is_err() {
        return StatusCode::GONE.into_response();
    }
    let mut events = desk.events.lock().await;
    let Some(event) = events.0.recv().await else { return StatusCode::GONE.into_response() };
    let deadline = Clock::System.now().as_millisecond() + i64::try_from(PATIENCE.as_millis()).unwrap_or_default();
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:dunlin".to_owned()),
        ("lambda-runtime-trace-id", TRACE.to_owned()),
    ];
    events.1 = Instant::now();
    (headers, event).into_response()
}

async fn response(State(desk): State<Arc<Desk>>, Path(_): Path<String>, body: String) -> StatusCode {
    desk.tell(Ok(body)).await
}

async fn error(State(desk): State<Arc<Desk>>, body: String) -> StatusCode {
    desk.tell(Err(body)).await
}

impl Desk {
    async fn tell(&self, said: Result<String, String>) -> StatusCode {
        let now = Instant::now();
        let after = now.duration_since(self.events.lock().await.1);
        drop(self.answers.send(Answer { after, said }));
        StatusCode::ACCEPTED
    }
}
