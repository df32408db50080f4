//! The rules of a queue, without time or transport.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::message::Content;
use super::*;

fn stored(key: u64, group: Option<&str>, visible_at: Millis) -> Stored {
    let content = Content {
        id: format!("id-{key}"),
        body: String::new(),
        group: group.map(Arc::from),
        deduplication: None,
        attributes: BTreeMap::new(),
        sent_at: 0,
        source: None,
    };
    Stored { key, content: Arc::new(content), visible_at, receives: 0, first_received_at: None }
}

fn line(fifo: bool, messages: &[(u64, Option<&str>)]) -> Line {
    let mut line = Line::new(fifo);
    for (key, group) in messages {
        line.reserve(stored(*key, *group, 0));
        line.arrive(*key, 0);
    }
    line
}

fn take(max: usize, visible_at: Millis) -> Take {
    Take { max, visible_at, max_receive_count: None, disturbance: Disturbance::default() }
}

fn keys(taken: &Taken) -> Vec<u64> {
    taken.given.iter().map(|stored| stored.key).collect()
}

#[test]
fn a_standard_queue_takes_groups_in_turn() {
    let mut line = line(false, &[(1, Some("a")), (2, Some("a")), (3, Some("a")), (4, Some("b")), (5, Some("c"))]);
    assert_eq!(keys(&line.take(&take(5, 100))), [1, 4, 5, 2, 3]);
}

#[test]
fn a_loosened_order_takes_any_group_and_loses_none() {
    let messages = [(1, Some("a")), (2, Some("b")), (3, Some("c")), (4, Some("d")), (5, Some("a"))];
    let taken = |seed| {
        let disturbance = Disturbance { any_group: Some(seed), ..Disturbance::default() };
        keys(&line(false, &messages).take(&Take { disturbance, ..take(10, 100) }))
    };
    let orders: std::collections::BTreeSet<Vec<u64>> = (0..20).map(taken).collect();
    assert!(orders.len() > 3, "{orders:?}");
    assert_eq!(taken(7), taken(7));
    for order in orders {
        let place = |key| order.iter().position(|of| *of == key);
        assert!(place(1) < place(5), "within a group the oldest goes first: {order:?}");
        assert_eq!(order.iter().sum::<u64>(), 15);
    }
}

#[test]
fn a_fifo_group_is_closed_while_one_of_its_messages_is_in_flight() {
    let mut line = line(true, &[(1, Some("a")), (2, Some("a")), (3, Some("a")), (4, Some("b"))]);
    assert_eq!(keys(&line.take(&take(2, 100))), [1, 2]);
    assert_eq!(keys(&line.take(&take(10, 100))), [4]);
    line.remove(1);
    assert_eq!(keys(&line.take(&take(10, 100))), Vec::<u64>::new());
    line.remove(2);
    assert_eq!(keys(&line.take(&take(10, 100))), [3]);
}

#[test]
fn a_fifo_message_that_comes_back_goes_first() {
    let mut line = line(true, &[(1, Some("a")), (2, Some("a"))]);
    assert_eq!(keys(&line.take(&take(1, 50))), [1]);
    line.tick(50);
    assert_eq!(keys(&line.take(&take(10, 100))), [1, 2]);
}

#[test]
fn a_message_received_too_often_is_given_up_and_its_successor_takes_its_place() {
    let mut line = line(true, &[(1, Some("a")), (2, Some("a"))]);
    for at in [1, 2] {
        assert_eq!(keys(&line.take(&take(1, at))), [1]);
        line.tick(at);
    }
    let taken = line.take(&Take { max_receive_count: Some(2), ..take(1, 10) });
    assert_eq!(taken.spent.len(), 1);
    assert_eq!(keys(&taken), [2]);
}

#[test]
fn a_reserved_message_is_seen_by_nobody() {
    let mut line = Line::new(false);
    line.reserve(stored(1, None, 0));
    assert!(!line.can_give());
    assert!(line.take(&take(1, 10)).given.is_empty());
    line.arrive(1, 0);
    assert!(line.can_give());
}

#[test]
fn a_duplicate_delivery_leaves_the_message_visible_as_if_it_had_not_been_received() {
    let mut line = line(false, &[(1, None)]);
    let disturbance = Disturbance { duplicate: true, ..Disturbance::default() };
    assert_eq!(keys(&line.take(&Take { disturbance, ..take(10, 100) })), [1]);
    let again = line.take(&take(10, 100));
    assert_eq!(again.given.first().map(|stored| stored.receives), Some(1));
}

proptest! {
    #[test]
    fn nothing_is_lost_and_no_fifo_group_is_reordered(
        steps in prop::collection::vec((0u8..5, 0u8..4, 0i64..20), 1..200),
        fifo in any::<bool>(),
    ) {
        let mut line = Line::new(fifo);
        let (mut now, mut next, mut deleted) = (0, 1, 0u64);
        let mut held: Vec<Stored> = Vec::new();
        for (what, group, time) in steps {
            now += time;
            line.tick(now);
            held.retain(|stored| line.get(stored.key).is_some_and(|(_, state)| state == State::InFlight));
            match what {
                0 | 1 => {
                    let delay = if fifo { 0 } else { time };
                    line.reserve(stored(next, Some(["a", "b", "c", "d"][usize::from(group)]), now + delay));
                    line.arrive(next, now);
                    next += 1;
                }
                2 | 3 => {
                    let taken = line.take(&take(usize::from(group) + 1, now + 1 + time));
                    for given in &taken.given {
                        let same_group = |other: &&Stored| other.content.group == given.content.group;
                        prop_assert!(!fifo || !held.iter().any(|other| same_group(&other)));
                    }
                    for pair in taken.given.windows(2) {
                        if fifo && pair[0].content.group == pair[1].content.group {
                            prop_assert!(pair[0].key < pair[1].key);
                        }
                    }
                    held.extend(taken.given);
                }
                _ => {
                    if let Some(stored) = held.pop() {
                        prop_assert!(line.remove(stored.key).is_some());
                        deleted += 1;
                    }
                }
            }
            let (visible, delayed, in_flight, _) = line.counts();
            prop_assert_eq!((visible + delayed + in_flight) as u64, next - 1 - deleted);
        }
    }
}
