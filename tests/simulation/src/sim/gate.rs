//! The gate: every request that an environment makes to AWS stops here until the simulation lets it pass.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use dunlin_local::{Answer, Broken};
use futures::future::BoxFuture;
use http::{Request, Response};
use tokio::sync::oneshot;

/// What AWS answers, or how the connection breaks.
pub(crate) type Outcome = Result<Response<Bytes>, Broken>;

/// A request at the gate.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Who asks.
    pub(crate) environment: u64,
    /// What is asked.
    pub(crate) request: Request<Bytes>,
    /// Where the answer goes; if it is dropped, no answer ever comes.
    pub(crate) answer: oneshot::Sender<Outcome>,
}

/// What an invocation came to.
#[derive(Debug)]
pub(crate) struct Ended<T> {
    /// Whose invocation it was.
    pub(crate) environment: u64,
    /// What it returned.
    pub(crate) result: T,
}

/// Where environments leave what they want and what they have done, for the simulation to take up.
#[derive(Debug)]
pub(crate) struct Board<T>(Arc<Mutex<State<T>>>);

#[derive(Debug)]
struct State<T> {
    waiting: Vec<Waiting>,
    ended: Vec<Ended<T>>,
    left: u64,
}

impl<T> Clone for Board<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: std::fmt::Debug + Send + 'static> Board<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { waiting: Vec::new(), ended: Vec::new(), left: 0 })))
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many things were left here so far: it stands still once nobody has anything more to do.
    pub(crate) fn left(&self) -> u64 {
        self.lock().left
    }

    /// Leaves the result of an invocation.
    pub(crate) fn end(&self, environment: u64, result: T) {
        let mut state = self.lock();
        state.left += 1;
        state.ended.push(Ended { environment, result });
    }

    /// Takes up what was left.
    pub(crate) fn take(&self) -> (Vec<Waiting>, Vec<Ended<T>>) {
        let mut state = self.lock();
        (std::mem::take(&mut state.waiting), std::mem::take(&mut state.ended))
    }

    /// The gate of one environment.
    pub(crate) fn gate(&self, environment: u64) -> Gate<T> {
        Gate { board: self.clone(), environment }
    }
}

/// One environment's way to AWS.
#[derive(Debug)]
pub(crate) struct Gate<T> {
    board: Board<T>,
    environment: u64,
}

impl<T: std::fmt::Debug + Send + 'static> Answer for Gate<T> {
    fn answer(&self, request: Request<Bytes>) -> BoxFuture<'static, Outcome> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { environment: self.environment, request, answer };
        let board = self.board.clone();
        Box::pin(async move {
            {
                let mut state = board.lock();
                state.left += 1;
                state.waiting.push(waiting);
            }
            match answered.await {
                Ok(outcome) => outcome,
                // The environment is dead, or the answer is lost: nobody will ever say more.
                Err(_) => std::future::pending().await,
            }
        })
    }
}
