//! The load: clients that place orders, one after another on each connection, and note what was acknowledged.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};

use serde_json::json;

use crate::http::Connection;

/// Clients at once.
const CLIENTS: usize = 6;
/// People who order; everybody orders often, so that calls of one person meet each other.
pub(crate) const PEOPLE: u64 = 48;

/// An order's number; its mail has the subject `Order <number>`.
pub(crate) type Order = u64;

/// Who placed an order.
pub(crate) fn person(order: Order) -> String {
    format!("person-{:02}", order % PEOPLE)
}

/// Every order that was ever placed.
pub(crate) struct Orders {
    token: String,
    next: AtomicU64,
    /// Placed, and not acknowledged when the server died, to be placed again: every second one of those.
    again: Mutex<BTreeSet<Order>>,
    /// Placed at least once.
    placed: Mutex<BTreeSet<Order>>,
    /// Answered with 200.
    acknowledged: Mutex<BTreeSet<Order>>,
}

impl Orders {
    /// No orders yet.
    pub(crate) fn new(token: String) -> Self {
        let none = Mutex::default;
        Self { token, next: AtomicU64::new(1), again: none(), placed: none(), acknowledged: none() }
    }

    /// All orders that were placed, and those that were acknowledged.
    pub(crate) fn placed_and_acknowledged(&self) -> (BTreeSet<Order>, BTreeSet<Order>) {
        (self.placed.lock().expect("unpoisoned").clone(), self.acknowledged.lock().expect("unpoisoned").clone())
    }

    /// Places orders until `kill` was called, after the `most`-th acknowledgement, and every connection is broken.
    pub(crate) fn place(&self, port: u16, most: u64, kill: impl FnOnce()) {
        let (acknowledge, acknowledged) = mpsc::channel();
        std::thread::scope(|clients| {
            for _ in 0..CLIENTS {
                let acknowledge = acknowledge.clone();
                clients.spawn(move || self.place_until_broken(port, &acknowledge));
            }
            drop(acknowledge);
            for _ in 0..most {
                acknowledged.recv().expect("the server answers until it is killed");
            }
            kill();
        });
    }

    fn place_until_broken(&self, port: u16, acknowledge: &mpsc::Sender<()>) {
        let mut connection = Connection::open(port).expect("connected");
        loop {
            let order = self.take();
            self.placed.lock().expect("unpoisoned").insert(order);
            let person = person(order);
            let body = json!({
                "auth_token": self.token,
                "identity": {"id": person, "email": format!("{person}@example.com")},
                "event_name": "Bought",
                "data": {"order": order},
            });
            let Ok((status, answer)) = connection.ask("POST", "/api/v2/events/track", "", &body.to_string()) else {
                // Half of those without an answer are placed again, as clients do; the others stay in doubt.
                if order.is_multiple_of(2) {
                    self.again.lock().expect("unpoisoned").insert(order);
                }
                return;
            };
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
            self.acknowledged.lock().expect("unpoisoned").insert(order);
            // Nobody listens any more once the server is being killed.
            let _ = acknowledge.send(());
        }
    }

    fn take(&self) -> Order {
        let again = self.again.lock().expect("unpoisoned").pop_first();
        again.unwrap_or_else(|| self.next.fetch_add(1, Ordering::Relaxed))
    }
}
