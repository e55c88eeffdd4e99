//! The formulas of both lines of releases against their tables, and what holds of any history.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const NOW: Timestamp = Timestamp(1_795_230_521_000);
const MIN: i64 = 60_000;
const H: i64 = 60 * MIN;

fn provider(text: &str) -> ProviderId {
    ProviderId::parse(text).unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp(NOW.0 + millis)
}

/// One failure of `anthropic` at `now`.
fn fail(before: &Usage, reason: Reason, now: Timestamp, release: StoreFormat) -> Usage {
    fail_of(before, reason, None, now, release)
}

fn fail_of(
    before: &Usage,
    reason: Reason,
    model: Option<&str>,
    now: Timestamp,
    release: StoreFormat,
) -> Usage {
    let provider = provider("anthropic");
    let what = ProfileFailure {
        provider: &provider,
        reason,
        model,
        retry_after: None,
        now,
    };
    record_failure(before, &what, &Cooldowns::default(), release)
}

/// The ends of so many failures, each the moment the one before is over or a minute later.
fn ends(reason: Reason, release: StoreFormat, pause: i64) -> Vec<i64> {
    let mut usage = Usage::default();
    let mut now = NOW;
    let mut ends = Vec::new();
    for _ in 0..6 {
        usage = fail(&usage, reason, now, release);
        let end = usage.disabled_until.or(usage.cooldown_until).unwrap();
        ends.push(now.until(end));
        now = Timestamp(now.0 + pause);
    }
    ends
}

#[test]
fn the_lengths_are_those_of_each_release() {
    use Reason::{Auth, AuthPermanent, Billing, Format, RateLimit, Timeout, Unknown};
    use StoreFormat::{Early, Late};
    for reason in [Auth, Format, RateLimit, Timeout, Unknown] {
        let early = [MIN, 5 * MIN, 25 * MIN, H, H, H];
        assert_eq!(ends(reason, Early, 1), early, "{reason:?}");
        // The end of the first stays where it is.
        let kept = [0, 1, 2, 3, 4, 5].map(|passed| MIN / 2 - passed);
        assert_eq!(ends(reason, Late, 1), kept, "{reason:?}");
    }
    let billing = [5 * H, 10 * H, 20 * H, 24 * H, 24 * H, 24 * H];
    assert_eq!(ends(Billing, Early, 1), billing);
    assert_eq!(ends(AuthPermanent, Early, 1)[..3], [MIN, 5 * MIN, 25 * MIN]);
    assert_eq!(ends(Billing, Late, 1)[..2], [5 * H, 5 * H - 1]);
    assert_eq!(ends(AuthPermanent, Late, 1)[..2], [10 * MIN, 10 * MIN - 1]);
    // Late releases begin anew once the end has come; early ones after a day.
    assert_eq!(ends(RateLimit, Late, MIN), [MIN / 2; 6]);
    assert_eq!(ends(RateLimit, Early, 2 * H)[..2], [MIN, 5 * MIN]);
    assert_eq!(ends(RateLimit, Early, 24 * H)[..2], [MIN, 5 * MIN]);
    assert_eq!(ends(RateLimit, Early, 24 * H + 1), [MIN; 6]);
    assert_eq!(ends(Billing, Late, 5 * H), [5 * H; 6]);
}

#[test]
fn late_releases_count_on_while_the_end_lies_ahead() {
    let long = |usage: &Usage| Usage {
        cooldown_until: None,
        ..usage.clone()
    };
    let mut usage = Usage::default();
    let mut lengths = Vec::new();
    for _ in 0..4 {
        usage = long(&fail(&usage, Reason::Timeout, NOW, StoreFormat::Late));
        lengths.push(cooldown(usage.error_count, StoreFormat::Late).as_secs());
    }
    assert_eq!(lengths, [30, 60, 300, 300]);
    let counts: Vec<i64> = (1..=5)
        .map(|n| doubled(MINUTE * 10, HOUR, n).as_secs().cast_signed())
        .collect();
    assert_eq!(counts, [600, 1_200, 2_400, 3_600, 3_600]);
    let most = Duration::from_secs(u64::MAX / 1_000);
    assert_eq!(doubled(HOUR, most, 11), doubled(HOUR, most, u64::MAX));
    assert_eq!(doubled(Duration::ZERO, Duration::ZERO, 3), MINUTE);
    assert_eq!(doubled(HOUR * 30, HOUR, 3), HOUR * 30);
}

#[test]
fn the_entry_is_the_one_that_was_recorded() {
    let model = Some("claude-opus-4-5");
    let late = fail_of(
        &Usage::default(),
        Reason::RateLimit,
        model,
        NOW,
        StoreFormat::Late,
    );
    let expected = Usage {
        changed: true,
        error_count: 1,
        failure_counts: vec![("rate_limit".into(), 1)],
        last_failure_at: Some(NOW),
        cooldown_until: Some(at(30_000)),
        cooldown_reason: Some("rate_limit".into()),
        cooldown_model: model.map(str::to_owned),
        ..Usage::default()
    };
    assert_eq!(late, expected);
    let early = fail_of(
        &Usage::default(),
        Reason::RateLimit,
        model,
        NOW,
        StoreFormat::Early,
    );
    let expected = Usage {
        cooldown_until: Some(at(MIN)),
        cooldown_reason: None,
        cooldown_model: None,
        ..expected
    };
    assert_eq!(early, expected);
}

#[test]
fn a_rate_limit_is_of_one_model_until_another_fails() {
    let fail =
        |before: &Usage, reason, model| fail_of(before, reason, model, at(1), StoreFormat::Late);
    let first = fail_of(
        &Usage::default(),
        Reason::RateLimit,
        Some("a"),
        NOW,
        StoreFormat::Late,
    );
    assert_eq!(first.unusable(at(1), Some("b")), None);
    assert!(first.unusable(at(1), Some("a")).is_some());
    assert!(first.unusable(at(1), None).is_some());
    let same = fail(&first, Reason::RateLimit, Some("a"));
    assert_eq!(same.cooldown_model.as_deref(), Some("a"));
    for (reason, model) in [
        (Reason::RateLimit, Some("b")),
        (Reason::RateLimit, None),
        (Reason::Timeout, Some("a")),
    ] {
        let wide = fail(&first, reason, model);
        assert_eq!(wide.cooldown_model, None, "{reason:?} {model:?}");
        assert_eq!(wide.cooldown_reason.as_deref(), Some(reason.as_ref()));
        let again = fail(&wide, Reason::RateLimit, Some("a"));
        assert_eq!(again.cooldown_model, None, "it is wide until it ends");
    }
    let disabled = fail(&first, Reason::Billing, Some("a"));
    assert!(disabled.unusable(at(2), Some("b")).is_some());
}

#[test]
fn the_configuration_sets_the_lengths() {
    let rules = Cooldowns {
        billing_backoff: HOUR * 2,
        billing_backoff_by_provider: vec![("Z.AI".into(), HOUR * 3)],
        billing_max: HOUR * 4,
        auth_permanent_backoff: MINUTE * 2,
        auth_permanent_max: MINUTE * 3,
        failure_window: HOUR,
    };
    let fail = |name, reason, before: &Usage, now| {
        let provider = provider(name);
        let what = ProfileFailure {
            provider: &provider,
            reason,
            model: None,
            retry_after: None,
            now,
        };
        record_failure(before, &what, &rules, StoreFormat::Early)
    };
    let none = Usage::default();
    let first = fail("openai", Reason::Billing, &none, NOW);
    assert_eq!(first.disabled_until, Some(at(2 * H)));
    let again = fail("openai", Reason::Billing, &first, at(1));
    assert_eq!(again.disabled_until, Some(at(4 * H + 1)));
    let other = fail("zai", Reason::Billing, &none, NOW);
    assert_eq!(other.disabled_until, Some(at(3 * H)));
    let later = fail("openai", Reason::Billing, &first, at(H + 1));
    assert_eq!(later.error_count, 1);
}

#[test]
fn a_server_can_ask_for_more_time_and_for_a_day_at_most() {
    let provider = provider("anthropic");
    let asked = |reason, release, seconds| {
        let what = ProfileFailure {
            provider: &provider,
            reason,
            model: None,
            retry_after: Some(Duration::from_secs(seconds)),
            now: NOW,
        };
        let usage = record_failure(&Usage::default(), &what, &Cooldowns::default(), release);
        let end = usage.cooldown_until.or(usage.disabled_until).unwrap();
        NOW.until(end)
    };
    for (release, shortest) in [(StoreFormat::Early, MIN), (StoreFormat::Late, MIN / 2)] {
        for (seconds, length) in [(0, shortest), (7, shortest), (90, 90_000)] {
            assert_eq!(asked(Reason::RateLimit, release, seconds), length);
        }
        assert_eq!(asked(Reason::RateLimit, release, u64::MAX), 24 * H);
        assert_eq!(asked(Reason::Billing, release, 6 * 3_600), 6 * H);
    }
}

#[test]
fn only_late_releases_spare_the_routers() {
    for (name, late) in [
        ("openrouter", true),
        ("KiloCode", true),
        ("anthropic", false),
    ] {
        assert_eq!(
            is_exempt(&provider(name), StoreFormat::Late),
            late,
            "{name}"
        );
        assert!(!is_exempt(&provider(name), StoreFormat::Early), "{name}");
    }
}

fn reports() -> impl Strategy<Value = Vec<(Option<Reason>, Option<&'static str>, u64, i64)>> {
    let reasons = Reason::VARIANTS.iter();
    let mut endings: Vec<Option<Reason>> = reasons.map(|name| name.parse().ok()).collect();
    endings.push(None);
    let models = select(vec![None, Some("a"), Some("b")]);
    let one = (
        select(endings),
        models,
        0..200_000_u64,
        -10_000..90_000_000_i64,
    );
    prop::collection::vec(one, 1..12)
}

proptest! {
    /// Whatever is told, in whichever order, with a clock that also goes back: no end lies further
    /// ahead than a day, a failure always passes the profile over, and a success clears it all.
    #[test]
    fn no_history_leaves_a_profile_stuck(
        history in reports(),
        release in select(vec![StoreFormat::Early, StoreFormat::Late]),
    ) {
        let provider = provider("anthropic");
        let rules = Cooldowns::default();
        let mut usage = Usage::default();
        let mut now = NOW;
        let mut latest = NOW;
        for (ending, model, retry_after, passed) in history {
            now = Timestamp(now.0 + passed);
            latest = latest.max(now);
            usage = match ending {
                None => record_success(&usage, now),
                Some(reason) => {
                    let retry_after = Some(Duration::from_secs(retry_after));
                    let what = ProfileFailure { provider: &provider, reason, model, retry_after, now };
                    record_failure(&usage, &what, &rules, release)
                }
            };
            prop_assert_eq!(usage.unusable(now, None).is_some(), ending.is_some());
            prop_assert_eq!(is_marked(&usage), ending.is_some());
            prop_assert_eq!(usage.unusable(now, model).is_some(), ending.is_some());
            for end in [usage.cooldown_until, usage.disabled_until].into_iter().flatten() {
                prop_assert!(end <= latest.after(LONGEST_RETRY_AFTER));
            }
            let counted: u64 = usage.failure_counts.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(usage.error_count, counted);
        }
        prop_assert!(!is_marked(&clear(&usage)));
        prop_assert_eq!(clear(&usage).last_used, usage.last_used);
    }
}
