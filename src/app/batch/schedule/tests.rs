use proptest::prelude::*;

use super::*;
use crate::model::id::{AgentId, ProfileId, ProviderId};

const NOW: Duration = Duration::ZERO;

fn job(host: &str) -> Job {
    Job {
        host: Some(host.to_owned()),
        ..Job::default()
    }
}

fn jobs_for(host: &str, count: usize) -> Vec<Job> {
    vec![job(host); count]
}

fn grant(number: usize) -> GrantDigest {
    let profile = ProfileId::parse(&format!("acme:{number}")).unwrap();
    GrantDigest::of_client(
        &AgentId::main(),
        &ProviderId::parse("acme").unwrap(),
        &profile,
    )
}

/// Begins what may begin now.
fn begin_all(schedule: &mut Schedule) -> Vec<usize> {
    let mut begun = Vec::new();
    while let Step::Begin(at) = schedule.next(NOW) {
        begun.push(at);
    }
    begun
}

#[test]
fn as_many_are_under_way_as_files_may_be_open_and_one_at_least() {
    for (files, jobs) in [
        (None, 16),
        (Some(1_024), 16),
        (Some(128), 9),
        (Some(64), 3),
        (Some(20), 1),
        (Some(0), 1),
    ] {
        assert_eq!(Limits::REFRESH.within(files).jobs, jobs, "{files:?}");
    }
}

#[test]
fn a_host_gets_two_until_it_has_answered_then_four_and_two_after_a_failure() {
    let mut schedule = Schedule::new(Limits::REFRESH, jobs_for("a", 20));
    assert_eq!(begin_all(&mut schedule), [0, 1]);
    schedule.end(0, Some(HostReply::Answered));
    assert_eq!(begin_all(&mut schedule), [2, 3, 4]);
    schedule.end(1, Some(HostReply::Failed));
    assert!(begin_all(&mut schedule).is_empty(), "three are under way");
    for at in 2..4 {
        schedule.end(at, Some(HostReply::Answered));
    }
    assert_eq!(begin_all(&mut schedule), [5]);
}

#[test]
fn who_has_an_answer_gives_the_place_at_the_host_away_and_ends_later() {
    let mut schedule = Schedule::new(Limits::REFRESH, jobs_for("a", 3));
    assert_eq!(begin_all(&mut schedule), [0, 1]);
    schedule.answer(0, Some(HostReply::Unanswered));
    schedule.end(0, Some(HostReply::Unanswered));
    // It was counted once.
    schedule.answer(1, Some(HostReply::Answered));
    assert_eq!(begin_all(&mut schedule), [2]);
    schedule.end(1, Some(HostReply::Answered));
    schedule.end(2, Some(HostReply::Answered));
    assert_eq!(schedule.next(NOW), Step::Finish);
}

#[test]
fn sixteen_are_under_way_at_most_and_a_full_host_holds_up_no_other() {
    let mut jobs = jobs_for("a", 5);
    for host in 0..20 {
        jobs.push(job(&format!("b{host}")));
    }
    let mut schedule = Schedule::new(Limits::REFRESH, jobs);
    let begun = begin_all(&mut schedule);
    assert_eq!(begun.len(), 16);
    assert_eq!(begun[..3], [0, 1, 5]);
}

#[test]
fn after_two_jobs_without_a_response_the_rest_of_their_host_is_left() {
    let mut schedule = Schedule::new(Limits::REFRESH, jobs_for("a", 4));
    assert_eq!(begin_all(&mut schedule), [0, 1]);
    schedule.end(0, Some(HostReply::Unanswered));
    // One may be an accident; the second will tell.
    assert_eq!(schedule.next(NOW), Step::Wait(None));
    schedule.end(1, Some(HostReply::Answered));
    assert_eq!(begin_all(&mut schedule), [2]);
    schedule.end(2, Some(HostReply::Unanswered));
    let left = LeftReason::HostUnanswered {
        host: "a".to_owned(),
        others: 2,
    };
    assert_eq!(
        left.to_string(),
        "a gave no valid response to 2 other logins"
    );
    assert_eq!(schedule.next(NOW), Step::Leave(3, left));
    assert_eq!(schedule.next(NOW), Step::Finish);
}

#[test]
fn a_host_that_never_answered_gets_no_third_job_after_one_without_a_response() {
    for second in [None, Some(HostReply::Failed)] {
        let mut schedule = Schedule::new(Limits::REFRESH, jobs_for("a", 3));
        assert_eq!(begin_all(&mut schedule), [0, 1]);
        schedule.end(0, Some(HostReply::Unanswered));
        schedule.end(1, second);
        let Step::Leave(2, left) = schedule.next(NOW) else {
            panic!("the third begins");
        };
        assert_eq!(
            left.to_string(),
            "a gave no valid response to 1 other login"
        );
    }
    // One alone may be an accident.
    let mut schedule = Schedule::new(Limits::REFRESH, jobs_for("a", 2));
    assert_eq!(schedule.next(NOW), Step::Begin(0));
    schedule.end(0, Some(HostReply::Unanswered));
    assert_eq!(schedule.next(NOW), Step::Begin(1));
}

#[test]
fn two_jobs_of_one_grant_follow_one_another_and_others_pass() {
    let locking = |number| Job {
        grant: Some(grant(number)),
        ..Job::default()
    };
    let jobs = vec![locking(1), locking(1), locking(2)];
    let mut schedule = Schedule::new(Limits::REFRESH, jobs);
    assert_eq!(begin_all(&mut schedule), [0, 2]);
    schedule.end(0, None);
    assert_eq!(begin_all(&mut schedule), [1]);
}

#[test]
fn nothing_begins_before_its_time_nor_after_the_limit_nor_after_a_signal() {
    let seconds = Duration::from_secs;
    let at = |seconds| Job {
        starts_at: Duration::from_secs(seconds),
        ..Job::default()
    };
    let limits = Limits {
        time: Some(seconds(60)),
        ..Limits::REFRESH
    };
    let mut schedule = Schedule::new(limits, vec![at(0), at(20), at(40)]);
    assert_eq!(schedule.next(NOW), Step::Begin(0));
    assert_eq!(schedule.next(NOW), Step::Wait(Some(seconds(20))));
    assert_eq!(schedule.next(seconds(20)), Step::Begin(1));
    let late = LeftReason::TimeLimit(seconds(60));
    assert_eq!(
        late.to_string(),
        "the time limit of 60 s was reached before its turn"
    );
    assert_eq!(schedule.next(seconds(60)), Step::Leave(2, late));
    assert_eq!(schedule.next(seconds(61)), Step::Wait(None));

    let mut schedule = Schedule::new(limits, vec![at(0), at(0)]);
    assert_eq!(schedule.next(NOW), Step::Begin(0));
    schedule.stop();
    assert_eq!(schedule.next(NOW), Step::Wait(None));
    schedule.end(0, None);
    assert_eq!(schedule.next(NOW), Step::Finish);
}

fn any_reply() -> impl Strategy<Value = Option<HostReply>> {
    prop_oneof![
        Just(None),
        Just(Some(HostReply::Answered)),
        Just(Some(HostReply::Answered)),
        Just(Some(HostReply::Failed)),
        Just(Some(HostReply::Unanswered)),
    ]
}

/// What a host did, counted by the test itself.
#[derive(Clone, Copy, Default)]
struct Count {
    begun: usize,
    running: usize,
    unanswered: usize,
    is_well: bool,
    has_failed: bool,
}

impl Count {
    fn is_given_up(&self) -> bool {
        let is_silent = self.begun >= 2 && self.running == 0 && !self.is_well;
        self.unanswered >= 2 || (self.unanswered == 1 && is_silent)
    }
}

proptest! {
    /// Jobs of a few hosts and grants are answered and end in any order with any reply.
    #[test]
    fn every_job_begins_or_is_left_once_and_within_the_limits(
        jobs in prop::collection::vec((0..6_usize, 0..40_usize, any_reply()), 0..60),
        order in prop::collection::vec(any::<prop::sample::Index>(), 120),
    ) {
        let planned = jobs.iter().map(|(host, number, _)| Job {
            host: (*host > 0).then(|| host.to_string()),
            grant: Some(grant(*number)),
            ..Job::default()
        });
        let mut schedule = Schedule::new(Limits::REFRESH, planned.collect());
        let mut hosts = [Count::default(); 6];
        // The jobs under way, and whether each was answered.
        let mut running: Vec<(usize, bool)> = Vec::new();
        let mut seen = vec![false; jobs.len()];
        let mut order = order.iter();
        loop {
            match schedule.next(NOW) {
                Step::Begin(at) => {
                    let (host, number, _) = jobs[at];
                    prop_assert!(!std::mem::replace(&mut seen[at], true));
                    prop_assert!(running.iter().all(|(other, _)| jobs[*other].1 != number));
                    running.push((at, false));
                    prop_assert!(running.len() <= 16);
                    if host > 0 {
                        let count = &mut hosts[host];
                        prop_assert!(!count.is_given_up());
                        count.begun += 1;
                        count.running += 1;
                        let most = match (count.unanswered, count.is_well && !count.has_failed) {
                            (0, true) => 4,
                            (0, false) => 2,
                            (unanswered, _) => 2 - unanswered,
                        };
                        prop_assert!(count.running <= most);
                    }
                }
                Step::Leave(at, LeftReason::HostUnanswered { .. }) => {
                    prop_assert!(!std::mem::replace(&mut seen[at], true));
                    prop_assert!(hosts[jobs[at].0].is_given_up());
                }
                Step::Leave(_, reason) => prop_assert!(false, "{reason:?}"),
                Step::Wait(until) => {
                    prop_assert!(until.is_none() && !running.is_empty());
                    let place = order.next().unwrap().index(running.len());
                    let (at, is_answered) = running[place];
                    let (host, _, reply) = jobs[at];
                    if is_answered {
                        running.swap_remove(place);
                        schedule.end(at, reply);
                        continue;
                    }
                    let count = &mut hosts[host];
                    count.running = count.running.saturating_sub(1);
                    count.is_well |= reply == Some(HostReply::Answered);
                    count.has_failed |= reply > Some(HostReply::Answered);
                    count.unanswered += usize::from(reply == Some(HostReply::Unanswered));
                    running[place].1 = true;
                    schedule.answer(at, reply);
                }
                Step::Finish => break,
            }
        }
        prop_assert!(running.is_empty() && seen.iter().all(|seen| *seen));
    }
}
