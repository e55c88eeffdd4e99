//! When an access token ends by this machine's clock, from what the server said in one way or in
//! two. Nothing it says is taken for another unit than it can be.

use std::time::Duration;

use serde_json::Value;

use super::jwt::{moment, payload};
use crate::model::expiry::{End, ExpiryAnomaly};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;

/// By how much `expires_in` may exceed what the token claims: clocks and networks.
const DISCREPANCY: Duration = Duration::from_secs(60);
/// Thirty years, in seconds: no `expires_in` is longer.
const LONGEST_LIFE: f64 = 1e9;

/// The end of a token that came just now with this `expires_in` and this `Date`; `None` if neither
/// the answer nor the token says. `now` is the moment before the call, so that it errs on the early
/// side.
pub(super) fn end(
    expires_in: Option<&Value>,
    access: &Secret<String>,
    date: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let told = expires_in.and_then(|value| lifetime(value, now));
    match (told.map(|life| now.after(life)), claimed(access, date, now)) {
        // Who checks the token goes by its own claims; a unit that was confused shows here.
        (Some(told), Claimed::Local(end)) if told > end.after(DISCREPANCY) => Some(end),
        (Some(told), _) => Some(told),
        (None, Claimed::Local(end)) => Some(end),
        // A token that came just now has not ended: one of the two clocks is wrong.
        (None, Claimed::AsWritten(end)) => Some(end).filter(|end| *end > now),
        (None, Claimed::Nothing) => None,
    }
}

/// The `exp` of a token that is a JWT.
enum Claimed {
    /// By this machine's clock.
    Local(Timestamp),
    /// By the server's clock; how it differs from ours is not known.
    AsWritten(Timestamp),
    Nothing,
}

/// `exp` is a moment of the server's clock. What that shows now is its `Date`, or, where that lies
/// before the token was made or after it ends, the moment at which it was made.
fn claimed(access: &Secret<String>, date: Option<Timestamp>, now: Timestamp) -> Claimed {
    let claims = payload(Some(access));
    let Some(end) = moment(&claims, "exp") else {
        return Claimed::Nothing;
    };
    let made = moment(&claims, "iat").filter(|made| *made < end);
    let date = date.filter(|date| *date < end && made.is_none_or(|made| made <= *date));
    match date.or(made) {
        Some(there) => {
            let life = u64::try_from(there.until(end)).unwrap_or(0);
            Claimed::Local(now.after(Duration::from_millis(life)))
        }
        None => Claimed::AsWritten(end),
    }
}

/// `expires_in`, in seconds, a number or its text; nothing but a positive number says anything. One
/// too large for a length of time is a moment, in seconds or in milliseconds: servers do that.
pub(super) fn lifetime(value: &Value, now: Timestamp) -> Option<Duration> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    if number > 0.0 && number < LONGEST_LIFE {
        return Duration::try_from_secs_f64(number).ok();
    }
    let is_moment = (LONGEST_LIFE..1e15).contains(&number);
    let moment = is_moment.then_some(Timestamp(number as i64))?;
    let end = End::read(moment);
    let is_one = matches!(end.anomaly, None | Some(ExpiryAnomaly::InSeconds));
    let left = u64::try_from(now.until(end.at)).ok()?;
    (is_one && left > 0).then(|| Duration::from_millis(left))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::claims::tests::jwt;
    use serde_json::json;

    const NOW: Timestamp = Timestamp(1_795_242_600_000);

    fn after(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp(NOW.0 + seconds * 1_000))
    }

    /// The end of a token whose claims lie so many seconds from now, by a server whose `Date` does.
    fn ends(expires_in: Option<i64>, claims: &[(&str, i64)], date: Option<i64>) -> Option<i64> {
        let at = |seconds: i64| NOW.0 / 1_000 + seconds;
        let claims = claims
            .iter()
            .map(|(name, seconds)| ((*name).to_owned(), json!(at(*seconds))));
        let token = Secret::from(jwt(&Value::Object(claims.collect())).as_str());
        let date = date.and_then(after);
        let told = expires_in.map(Value::from);
        let end = end(told.as_ref(), &token, date, NOW)?;
        Some(NOW.until(end) / 1_000)
    }

    #[test]
    fn an_exp_is_read_by_the_servers_clock() {
        // Ours is two hours ahead: the token lives for ten minutes, whatever it shows.
        let claims = [("iat", -7_200), ("exp", -6_600)];
        assert_eq!(ends(None, &claims, Some(-7_200)), Some(600));
        assert_eq!(ends(None, &claims[1..], Some(-7_200)), Some(600));
        assert_eq!(ends(None, &claims, None), Some(600));
        // A machine that starts in 1970 trusts nothing for fifty years.
        let fifty_years = 50 * 31_536_000;
        let claims = [("exp", fifty_years + 600)];
        assert_eq!(ends(None, &claims, Some(fifty_years)), Some(600));
        assert_eq!(ends(None, &[("exp", 600)], None), Some(600));
        // Without its clock, a token that has ended as it comes says nothing.
        for claims in [[("exp", -99)].as_slice(), &[("iat", -99), ("exp", -99)]] {
            assert_eq!(ends(None, claims, None), None);
            assert_eq!(ends(Some(0), claims, None), None);
        }
    }

    #[test]
    fn a_date_that_cannot_be_is_no_date() {
        let claims = [("iat", 0), ("exp", 600)];
        assert_eq!(ends(None, &claims, Some(-1_000_000)), Some(600));
        assert_eq!(ends(None, &claims, Some(601)), Some(600));
        // A token that was made a while ago, and is given out again.
        assert_eq!(
            ends(None, &[("iat", -300), ("exp", 600)], Some(0)),
            Some(600)
        );
    }

    #[test]
    fn what_the_server_says_twice_ends_at_the_earlier() {
        let claims = [("iat", 0), ("exp", 3_600)];
        assert_eq!(ends(Some(3_600), &claims, Some(0)), Some(3_600));
        assert_eq!(ends(Some(3_600_000), &claims, Some(0)), Some(3_600));
        assert_eq!(ends(Some(600), &claims, Some(0)), Some(600));
        assert_eq!(ends(Some(3_650), &claims, Some(0)), Some(3_650));
        // Without the server's clock its claim says too little to contradict.
        assert_eq!(ends(Some(3_600), &[("exp", -60)], None), Some(3_600));
    }

    #[test]
    fn a_life_is_a_length_of_time_or_a_moment() {
        let life = |value| lifetime(&value, NOW).map(|life| life.as_secs());
        assert_eq!(life(json!(3_600)), Some(3_600));
        assert_eq!(life(json!(" 60 ")), Some(60));
        assert_eq!(life(json!(NOW.0 / 1_000 + 60)), Some(60));
        assert_eq!(life(json!(NOW.0 + 60_000)), Some(60));
        let nothing = [
            json!(0),
            json!(-5),
            json!(NOW.0 - 1),
            json!(1e15),
            json!(1e300),
            json!("soon"),
            json!(null),
            json!("NaN"),
        ];
        for value in nothing {
            assert_eq!(lifetime(&value, NOW), None, "{value}");
        }
    }
}
