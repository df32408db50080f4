//! Moving runs to another version: what they keep, from when on waits count, who is ended.

use super::*;

const DAYS: &str = "- {name: pause, wait: 3 days}\n- {name: mail, send: a}\n";

fn version(number: u32, steps: &str) -> Published {
    Published { version: number, ..workflow(steps) }
}

fn migration(moves: &[(&str, Option<&str>)]) -> Migration {
    let moves = moves.iter().map(|(from, to)| ((*from).to_owned(), to.map(str::to_owned))).collect();
    Migration { to_version: 4, moves, from_versions: None }
}

/// Moves a run from one campaign to another at an instant.
fn carried(run: &Run, steps: [&str; 2], moves: &[(&str, Option<&str>)], now: &str) -> Option<Transition> {
    let [from, to] = [version(3, steps[0]), version(4, steps[1])];
    migration(moves).carry(run, &from.campaign, &to.campaign, at(now))
}

/// Where it is a moment after it was moved.
fn woken(carried: &Transition, steps: &str, now: &str) -> Transition {
    moved(&carried.run, &version(4, steps), at(now))
}

const SAME: &[(&str, Option<&str>)] = &[("pause", Some("pause"))];

#[test]
fn a_run_whose_wait_is_the_same_keeps_its_instant_and_goes_the_new_way() {
    let run = begin(&version(3, DAYS)).run;
    let new = "- {name: pause, wait: 3 days}\n- {name: mail, send: b}\n";
    let there = carried(&run, [DAYS, new], SAME, "2026-11-22T09:00:00Z").expect("meant");
    assert_eq!((there.run.version, there.run.moves, due(&there)), (4, 1, "2026-11-24T09:00:00Z".to_owned()));
    assert_eq!(there.run.state, run.state);
    assert_eq!(there.commands, [Command::Wake { due_at: at("2026-11-24T09:00:00Z"), moves: 1 }]);
    assert_eq!(sends(&woken(&there, new, "2026-11-24T09:00:00Z")), ["b"]);
}

#[test]
fn another_length_counts_from_when_the_run_began_to_wait_and_never_ends_before_now() {
    for (old, new, now, mails, ends) in [
        ("3 days", "5 days", "2026-11-22T09:00:00Z", vec![], "2026-11-26T09:00:00Z"),
        ("72 hours", "100 hours", "2026-11-22T09:00:00Z", vec![], "2026-11-25T13:00:00Z"),
        ("3 days", "1 day", "2026-11-23T20:00:00Z", vec!["a"], "2026-11-24T20:00:00Z"),
        ("3 days", "{between: [4 days, 4 days]}", "2026-11-23T20:00:00Z", vec![], "2026-11-25T09:00:00Z"),
        ("{between: [3 days, 3 days]}", "1 day", "2026-11-23T20:00:00Z", vec![], "2026-11-24T20:00:00Z"),
    ] {
        let steps = |wait: &str| format!("- {{name: pause, wait: {wait}}}\n- {{name: mail, send: a}}\n- wait: 1 day\n");
        let (old, new) = (steps(old), steps(new));
        let there = carried(&begin(&version(3, &old)).run, [&old, &new], SAME, now).expect("meant");
        assert_eq!(due(&there), at(now).to_string(), "it is looked at at once");
        let there = woken(&there, &new, now);
        assert_eq!((sends(&there), due(&there).as_str()), (mails, ends), "{old} {new}");
    }
}

#[test]
fn a_time_of_day_is_awaited_from_now_so_that_nobody_is_mailed_at_night() {
    let new = "- {name: pause, wait: {until: '09:00'}}\n- {name: mail, send: a}\n";
    let run = begin(&version(3, DAYS)).run;
    let there = carried(&run, [DAYS, new], SAME, "2026-11-23T03:00:00Z").expect("meant");
    let there = woken(&there, new, "2026-11-23T03:00:00Z");
    assert_eq!((sends(&there), due(&there)), (vec![], "2026-11-23T09:00:00Z".to_owned()));
}

#[test]
fn a_run_that_is_moved_to_a_step_that_does_not_wait_takes_it_at_once_and_its_mail_is_fresh() {
    let new = "- {name: pause, wait: 3 days}\n- {name: mail, send: b, expire_after: 1 hour}\n- wait: 2 days\n";
    let run = begin(&version(3, DAYS)).run;
    let there = carried(&run, [DAYS, new], &[("pause", Some("mail"))], "2026-11-23T09:00:00Z").expect("meant");
    let there = woken(&there, new, "2026-11-23T09:00:01Z");
    assert_eq!((sends(&there), due(&there)), (vec!["b"], "2026-11-25T09:00:01Z".to_owned()));
    assert!(
        matches!(there.commands.first(), Some(Command::Send { expires_at: Some(expires), .. }) if *expires == at("2026-11-23T10:00:00Z"))
    );
}

#[test]
fn a_run_that_listens_hears_no_more_of_the_old_event_and_hears_of_the_new_one() {
    let listens = |name: &str, within: &str| {
        format!("- {{name: pause, wait_for: {{event: {name}}}, within: {within}}}\n- {{name: mail, send: a}}\n")
    };
    let (old, new) = (listens("Bought", "2 days"), listens("Paid", "3 days"));
    let run = begin(&version(3, &old)).run;
    let Some(Command::Listen { topics, .. }) = run.last_commands.first() else { panic!("{run:?}") };
    let there = carried(&run, [&old, &new], SAME, "2026-11-22T09:00:00Z").expect("meant");
    assert_eq!(there.commands.first(), Some(&Command::StopListening { topics: topics.clone() }));
    let there = woken(&there, &new, "2026-11-22T09:00:00Z");
    assert_eq!(due(&there), "2026-11-24T09:00:00Z", "the time-out counts from when it began to listen");
    assert!(matches!(there.commands.first(), Some(Command::Listen { topics: new, .. }) if new != topics));
}

#[test]
fn a_run_that_is_moved_to_a_time_out_that_is_over_times_out_now() {
    let listens = |within: &str| {
        format!(
            "- {{name: pause, wait_for: {{event: Bought}}, within: {within}}}\n- {{name: mail, send: a, expire_after: 1 day}}\n- wait: 1 day\n"
        )
    };
    let (old, new) = (listens("30 days"), listens("7 days"));
    let run = begin(&version(3, &old)).run;
    let there = carried(&run, [&old, &new], SAME, "2026-12-11T09:00:00Z").expect("meant");
    let listening = woken(&there, &new, "2026-12-11T09:00:00Z");
    let there = woken(&listening, &new, &listening.run.due_at().expect("a look").to_string());
    let expires = there.commands.iter().find_map(|command| match command {
        Command::Send { expires_at, .. } => *expires_at,
        _ => None,
    });
    assert_eq!(expires, Some(at("2026-12-12T09:00:00Z")), "a day from when it was moved");
    assert_eq!(due(&there), "2026-12-12T09:00:00Z");
}

#[test]
fn a_run_that_is_sent_nowhere_ends_and_hears_no_more() {
    let old = "- {name: pause, wait_for: {event: Bought}, within: 2 days}\n- {name: mail, send: a}\n";
    let run = begin(&version(3, old)).run;
    let over = carried(&run, [old, DAYS], &[("pause", None)], "2026-11-22T09:00:00Z").expect("meant");
    assert_eq!(reason(&over), &EndReason::Migrated { step: "pause".to_owned(), to_version: 4 });
    assert!(matches!(over.commands.as_slice(), [Command::StopListening { .. }]));
    assert_eq!((over.run.version, over.run.moves), (3, 1));
}

#[test]
fn a_run_that_is_there_at_another_step_or_of_another_version_is_not_touched() {
    let run = begin(&version(3, DAYS)).run;
    let there = carried(&run, [DAYS, DAYS], SAME, "2026-11-22T09:00:00Z").expect("meant").run;
    assert_eq!(carried(&there, [DAYS, DAYS], SAME, "2026-11-22T10:00:00Z"), None, "twice is once");
    assert_eq!(carried(&run, [DAYS, DAYS], &[("mail", None)], "2026-11-22T09:00:00Z"), None);
    let others = Migration { from_versions: Some([1, 2].into()), ..migration(SAME) };
    assert_eq!(others.sends(&run), None);
    assert_eq!(Migration { from_versions: Some([3].into()), ..others }.sends(&run), Some(Some("pause")));
    let over = moved(&run, &version(3, DAYS), at("2026-11-24T09:00:00Z")).run;
    assert_eq!(carried(&over, [DAYS, DAYS], SAME, "2026-11-25T09:00:00Z"), None);
}

#[test]
fn a_run_that_is_moved_twice_before_it_is_woken_still_counts_from_the_beginning() {
    let new = "- {name: pause, wait: 5 days}\n- {name: mail, send: a}\n";
    let run = begin(&version(2, DAYS)).run;
    let once = carried(&run, [DAYS, new], SAME, "2026-11-22T09:00:00Z").expect("meant").run;
    let twice = carried(&Run { version: 3, ..once }, [new, new], SAME, "2026-11-22T09:00:01Z").expect("meant");
    assert_eq!(due(&woken(&twice, new, "2026-11-22T09:00:02Z")), "2026-11-26T09:00:00Z");
}

#[test]
fn a_step_that_the_new_version_does_not_have_is_refused_with_the_nearest_name() {
    let to = version(4, DAYS);
    let texts = |moves| migration(moves).problems(&to.campaign).iter().map(ToString::to_string).collect::<Vec<_>>();
    let refused = "error: moves.wait-1: there is no step `puase` in version 4; did you mean `pause`?";
    assert_eq!(texts(&[("wait-1", Some("puase")), ("old", None)]), [refused]);
    assert_eq!(texts(&[]).len(), 1);
    assert_eq!(texts(&[("wait-1", Some("mail"))]), [""; 0]);
}
