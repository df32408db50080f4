use super::*;

mod environments;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_795_000_000_000 + millis).expect("an instant")
}

fn project(number: usize) -> ProjectId {
    ProjectId::derive(&[&number.to_string()])
}

/// An environment that has just seen so many other projects.
fn beside(neighbours: usize) -> Traffic {
    let mut traffic = Traffic::new(Quota::of_environment());
    for number in 1..=neighbours {
        traffic.take(&project(number), 1, at(0));
    }
    traffic
}

#[test]
fn most_of_the_calls_are_a_flood_only_from_fifty_on_and_beside_three_others() {
    for (calls, neighbours, standing) in [
        (49, 3, Standing::Within),
        (50, 3, Standing::Over),
        (800, 2, Standing::Within),
        (801, 1, Standing::Over),
        (20_000, 0, Standing::Within),
        (20_001, 0, Standing::Beyond),
        (20_001, 3, Standing::Beyond),
    ] {
        let (taken, _) = beside(neighbours).take(&project(0), calls, at(1));
        assert_eq!(taken, standing, "{calls} calls beside {neighbours} projects");
    }
}

#[test]
fn four_fifths_of_the_calls_are_no_flood() {
    let mut traffic = beside(3);
    traffic.take(&project(1), 97, at(0));
    assert_eq!(traffic.take(&project(0), 400, at(1)), (Standing::Within, false));
    assert_eq!(traffic.take(&project(0), 1, at(1)), (Standing::Over, true));
}

#[test]
fn calls_count_for_ten_seconds_at_most() {
    let mut traffic = beside(1);
    for second in 0..100 {
        assert_eq!(traffic.take(&project(0), 80, at(second * 1_000)).0, Standing::Within, "second {second}");
    }
    let mut traffic = beside(1);
    traffic.take(&project(0), 800, at(0));
    assert_eq!(traffic.take(&project(0), 800, at(10_000)).0, Standing::Within);
}

#[test]
fn a_flood_leaves_the_lane_after_a_minute_under_half_of_what_led_there() {
    let mut traffic = beside(1);
    let mut changes = Vec::new();
    for tenth in 0..3_000_i64 {
        let calls = match tenth / 10 {
            ..20 => 20,
            20..100 => 6,
            _ => 3,
        };
        traffic.take(&project(1), 1, at(tenth * 100));
        let (standing, changed) = traffic.take(&project(0), calls, at(tenth * 100));
        if changed {
            changes.push((standing, tenth / 10));
        }
    }
    let [(Standing::Over, first), (Standing::Within, last)] = changes.as_slice() else { panic!("{changes:?}") };
    assert!(*first < 10 && (160..=175).contains(last), "{changes:?}");
}

#[test]
fn who_is_refused_and_keeps_trying_is_let_in_when_the_window_has_passed() {
    let mut traffic = Traffic::new(Quota::of_environment());
    assert_eq!(traffic.take(&project(0), 20_000, at(0)).0, Standing::Within);
    for tenth in 1..100 {
        assert_eq!(traffic.take(&project(0), 5_000, at(tenth * 100)).0, Standing::Beyond, "{tenth} tenths of a second");
    }
    assert_eq!(traffic.take(&project(0), 5_000, at(10_000)).0, Standing::Within);
}

#[test]
fn what_is_refused_hides_no_flood_of_another() {
    let mut traffic = beside(3);
    assert_eq!(traffic.take(&project(0), 20_001, at(1)).0, Standing::Beyond);
    assert_eq!(traffic.take(&project(4), 60, at(2)).0, Standing::Over);
}

#[test]
fn a_clock_that_goes_back_forgets_nothing() {
    let mut traffic = beside(1);
    traffic.take(&project(0), 800, at(5_000));
    assert_eq!(traffic.take(&project(0), 1, at(-60_000)).0, Standing::Over);
}

#[test]
fn so_many_projects_are_counted_and_the_idlest_is_forgotten() {
    let mut traffic = Traffic::new(Quota::of_environment());
    traffic.take(&project(0), 700, at(0));
    for number in 1..=limits::QUOTA_PROJECTS {
        traffic.take(&project(number), 1, at(5_000));
    }
    assert_eq!(traffic.projects.len(), limits::QUOTA_PROJECTS);
    assert_eq!(traffic.take(&project(0), 700, at(5_000)).0, Standing::Within, "its first calls are forgotten");
}

#[test]
fn one_process_takes_what_all_environments_take() {
    let mut traffic = Traffic::new(Quota::of_process());
    traffic.take(&project(1), 1, at(0));
    assert_eq!(traffic.take(&project(0), 400_000, at(0)).0, Standing::Within);
    assert_eq!(traffic.take(&project(0), 1, at(0)).0, Standing::Over);
}
