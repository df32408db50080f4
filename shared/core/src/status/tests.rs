use super::*;

const NOON: Timestamp = Timestamp::constant(1_772_366_400, 0);

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// Readings of an idle service.
fn idle(at: Timestamp) -> Readings {
    let queue = |stem: &str| (stem.to_owned(), Some(QueueReading::default()));
    let queues = Component::ALL.iter().flat_map(|one| one.queues()).map(|stem| queue(stem)).collect();
    Readings { at, tables: true, timers: Some(SignedDuration::ZERO), queues, provider: None }
}

fn with(stem: &str, queue: Option<QueueReading>) -> Readings {
    let mut readings = idle(NOON);
    readings.queues.insert(stem.to_owned(), queue);
    readings
}

/// The components that are not operational.
fn unwell(readings: &Readings) -> Vec<(Component, State)> {
    let judged = Component::ALL.iter().map(|component| (*component, component.judge(readings)));
    judged.filter(|(_, state)| *state != State::Operational).collect()
}

fn pulse(ago: i64, late: i64) -> Option<Pulse> {
    Some(Pulse { at: NOON - seconds(ago), late_millis: late * 1000 })
}

#[test]
fn an_idle_service_is_operational_however_long_nothing_happened() {
    assert_eq!(unwell(&idle(NOON)), []);
    let queue = QueueReading { waiting: 0, since: None, pulse: pulse(86_400, 500) };
    assert_eq!(unwell(&with("sends", Some(queue))), []);
}

#[test]
fn without_the_tables_everything_is_down_but_ingestion() {
    let down: Vec<Component> =
        unwell(&Readings { tables: false, ..idle(NOON) }).into_iter().map(|(one, _)| one).collect();
    assert_eq!(down, Component::ALL[1..]);
}

#[test]
fn a_queue_is_as_late_as_what_is_done_of_it_now() {
    for (late, state) in
        [(60, None), (61, Some(State::Delayed { seconds: 61 })), (4000, Some(State::Delayed { seconds: 4000 }))]
    {
        let queue = QueueReading { waiting: 7, since: Some(NOON - seconds(9000)), pulse: pulse(60, late) };
        let found = unwell(&with("events", Some(queue)));
        assert_eq!(
            found,
            state.map(|state| (Component::Evaluation, state)).into_iter().collect::<Vec<_>>(),
            "{late} s"
        );
    }
}

#[test]
fn a_queue_of_which_nothing_is_done_is_late_since_it_was_seen_to_hold_messages_and_down_after_five_minutes() {
    for (since, state) in [(60, State::Operational), (120, State::Delayed { seconds: 120 }), (301, State::Down)] {
        let queue = QueueReading { waiting: 1, since: Some(NOON - seconds(since)), pulse: pulse(86_400, 0) };
        assert_eq!(Component::Evaluation.judge(&with("events", Some(queue))), state, "{since} s");
    }
    // What was done in between was not the oldest that is left.
    let queue = QueueReading { waiting: 1, since: Some(NOON - seconds(9000)), pulse: pulse(200, 50) };
    assert_eq!(Component::Evaluation.judge(&with("events", Some(queue))), State::Delayed { seconds: 250 });
}

#[test]
fn a_queue_that_does_not_answer_is_down_and_calls_are_taken_all_the_same() {
    assert_eq!(unwell(&with("events", None)), [(Component::Evaluation, State::Down)]);
}

#[test]
fn timers_that_are_handed_over_late_delay_scheduling() {
    let late = Readings { timers: Some(seconds(61)), ..idle(NOON) };
    assert_eq!(unwell(&late), [(Component::Scheduling, State::Delayed { seconds: 61 })]);
    assert_eq!(unwell(&Readings { timers: None, ..idle(NOON) }), [(Component::Scheduling, State::Down)]);
}

#[test]
fn what_ses_says_is_said_of_mails_until_it_says_otherwise_or_falls_silent() {
    let said = |said, ago, since| Provider { at: NOON - seconds(ago), said, since: NOON - seconds(since) };
    for (provider, state) in [
        (said(Mailing::Taken, 10, 10), State::Operational),
        (said(Mailing::Paused, 900, 900), State::Down),
        (said(Mailing::Paused, 1100, 1100), State::Operational),
        (said(Mailing::Later, 10, 60), State::Operational),
        (said(Mailing::Later, 10, 600), State::Delayed { seconds: 600 }),
    ] {
        let readings = Readings { provider: Some(provider), ..idle(NOON) };
        for component in [Component::TransactionalMail, Component::TriggeredMail] {
            assert_eq!(component.judge(&readings), state, "{provider:?}");
        }
        assert_eq!(Component::Feedback.judge(&readings), State::Operational);
    }
}

#[test]
fn readings_that_are_too_old_say_that_the_minutes_work_does_not_run_and_nothing_else() {
    let mut history = History::default();
    history.take(&idle(NOON));
    let states = |late| present(&history, NOON + seconds(late)).into_iter().map(|(_, state)| state).collect::<Vec<_>>();
    assert_eq!(states(150), [State::Operational; 7]);
    let mut stale = [State::Unknown; 7];
    stale[2] = State::Down;
    assert_eq!(states(151), stale);
}

#[test]
fn a_day_counts_its_minutes_of_delay_and_downtime_once_each() {
    let mut history = History::default();
    let minute = |n: i64| NOON + seconds(60 * n);
    for n in 0..10 {
        let mut readings = Readings { tables: n >= 3, ..idle(minute(n)) };
        readings.timers = Some(seconds(if n < 5 { 100 + n } else { 0 }));
        history.take(&readings);
        history.take(&readings);
    }
    let day = history.days.back().expect("a day");
    assert_eq!((history.days.len(), day.minutes), (1, 10));
    let tally = Tally { delayed_minutes: 2, down_minutes: 3, longest_delay_seconds: 104 };
    assert_eq!(day.tally(Component::Scheduling), Some(tally));
    assert_eq!(day.tally(Component::Ingestion), None);
}

#[test]
fn what_a_later_version_wrote_is_read_and_its_days_are_kept_when_it_is_rolled_back() {
    let later = r#"{
        "at": "2026-02-28T12:00:00Z", "read_by": "v9",
        "now": {"ingestion": {"state": "degraded", "percent": 7}, "newsletters": {"state": "down"}},
        "waiting_since": {"launches": "2026-02-28T11:00:00Z"},
        "days": [{"date": "2026-02-28", "minutes": 720, "regions": 2, "tallies": {
            "scheduling": {"delayed_minutes": 2, "down_minutes": 3, "longest_delay_seconds": 104, "worst": "eu"},
            "newsletters": {"delayed_minutes": 0, "down_minutes": 5, "longest_delay_seconds": 0}
        }}]
    }"#;
    let mut history: History = serde_json::from_str(later).expect("a history");
    assert_eq!(present(&history, history.at)[0], (Component::Ingestion, State::Unknown));
    history.take(&idle(NOON));
    let kept: serde_json::Value = serde_json::to_value(&history).expect("json");
    let kept: History = serde_json::from_value(kept).expect("a history");
    assert_eq!(kept, history);
    let down = |code: &str| kept.days[0].tallies.get(code).map(|tally| tally.down_minutes);
    assert_eq!((kept.days.len(), down("scheduling"), down("newsletters")), (2, Some(3), Some(5)));
    assert_eq!(present(&history, NOON)[0], (Component::Ingestion, State::Operational));
}

#[test]
fn a_history_is_written_by_the_codes_of_components_and_states() {
    let mut history = History::default();
    history.take(&Readings { tables: false, timers: Some(seconds(100)), ..idle(NOON) });
    let now: Vec<_> = Component::ALL.iter().map(|component| component.code()).collect();
    let written = serde_json::to_value(&history).expect("json");
    assert_eq!(
        now,
        ["ingestion", "evaluation", "scheduling", "transactional_mail", "triggered_mail", "feedback", "console"]
    );
    assert_eq!(written["now"]["ingestion"]["state"], "operational");
    assert_eq!(written["days"][0]["tallies"]["transactional_mail"]["down_minutes"], 1);
}

#[test]
fn ninety_days_are_kept() {
    let mut history = History::default();
    for day in 0..200 {
        history.take(&idle(NOON + seconds(86_400 * day)));
    }
    assert_eq!((history.days.len(), history.days.iter().is_sorted_by_key(|day| day.date)), (DAYS, true));
}

#[test]
fn a_queue_is_marked_from_the_first_reading_with_messages_until_it_is_empty() {
    let mut history = History::default();
    let mut look = |n: i64, waiting: u64| {
        let mut readings = idle(NOON + seconds(60 * n));
        readings.queues.insert("sends".to_owned(), Some(QueueReading { waiting, ..QueueReading::default() }));
        history.remember(&mut readings);
        history.take(&readings);
        readings.queues["sends"].and_then(|queue| queue.since).map(|since| since.duration_since(NOON).as_secs() / 60)
    };
    assert_eq!(
        [look(0, 0), look(1, 3), look(2, 1), look(3, 0), look(4, 1), look(5, 1)],
        [None, Some(1), Some(1), None, Some(4), Some(4)]
    );
    assert_eq!(look(30, 1), Some(30), "nobody looked in between");
}
