//! What a subscription wants, when something is sent again, and when that ends.

use flowmaster_kernel::Timestamp;
use flowmaster_run::announced::Announced;

use super::types::Subscription;

/// How often an event is sent by default: over about ten hours.
pub(super) const MAX_ATTEMPTS: u32 = 16;
/// The longest wait between two sendings.
const LONGEST_MILLIS: i64 = 3 * 3_600_000;
/// The wait after the first failure; each later one is twice as long.
const FIRST_MILLIS: i64 = 1_000;
/// The longest wait that a receiver may ask for.
const LONGEST_ASKED_MILLIS: i64 = 24 * 3_600_000;
/// After so many failures in a row the receiver may be down: it is asked less often, and less at once.
pub(super) const DOWN_AFTER: u32 = 10;
/// But no less often than this. Those that it refuses for good must not hold up the others.
const LONGEST_HOLD_MILLIS: i64 = 60_000;
/// A subscription that fails for so long is paused.
const PAUSED_AFTER_MILLIS: i64 = 3 * 24 * 3_600_000;

/// Whether `subscription` wants to hear this.
pub(super) fn wants(subscription: &Subscription, announced: &Announced) -> bool {
    let by_type =
        subscription.types.is_empty() || subscription.types.contains(&announced.event_type());
    by_type && subscription.process.as_deref().is_none_or(|only| only == announced.process())
}

/// How long to wait after so many failures: between half of and all of a time that doubles, so that
/// those who failed together do not come back together.
pub(super) fn wait_millis(failures: u32, chance: u64) -> i64 {
    let doubled = FIRST_MILLIS.saturating_mul(1 << failures.saturating_sub(1).min(20));
    let longest = doubled.min(LONGEST_MILLIS);
    let half = longest / 2;
    half + i64::try_from(chance % half.max(1).unsigned_abs()).unwrap_or(0)
}

/// When to send again after so many failures, not before the receiver asks for it.
pub(super) fn next_at(
    now: Timestamp,
    failures: u32,
    asked_millis: Option<i64>,
    chance: u64,
) -> Timestamp {
    let asked = asked_millis.unwrap_or(0).clamp(0, LONGEST_ASKED_MILLIS);
    now.plus_millis(wait_millis(failures, chance).max(asked))
}

/// Until when nothing is sent to a receiver that failed so often in a row.
pub(super) fn held_until(now: Timestamp, failures: u32, chance: u64) -> Timestamp {
    match failures / DOWN_AFTER {
        0 => Timestamp::from_millis(0),
        times => now.plus_millis(wait_millis(times, chance).min(LONGEST_HOLD_MILLIS)),
    }
}

/// Whether a receiver failed for too long.
pub(super) fn is_given_up(now: Timestamp, failures: u32, since: Timestamp) -> bool {
    failures >= DOWN_AFTER && now >= since.plus_millis(PAUSED_AFTER_MILLIS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_differ() {
        for (failures, half) in [(1, 500), (2, 1_000), (3, 2_000), (14, 4_096_000)] {
            assert_eq!(wait_millis(failures, 0), half, "{failures}");
            let longest = wait_millis(failures, (half - 1).unsigned_abs());
            assert_eq!(longest, 2 * half - 1, "{failures}");
        }
        for failures in [15, 50, u32::MAX] {
            assert_eq!(wait_millis(failures, 0), LONGEST_MILLIS / 2);
        }
        let whole: i64 = (1..MAX_ATTEMPTS).map(|failures| wait_millis(failures, 0)).sum();
        assert!((3 * 3_600_000..24 * 3_600_000).contains(&whole), "{whole}");
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_within_a_day() {
        let now = Timestamp::from_millis(0);
        let check = |asked, millis| assert_eq!(next_at(now, 1, asked, 0).as_millis(), millis);
        check(None, 500);
        check(Some(100), 500);
        check(Some(-1), 500);
        check(Some(60_000), 60_000);
        check(Some(i64::MAX), LONGEST_ASKED_MILLIS);
    }

    #[test]
    fn a_receiver_that_is_down_is_asked_less_and_given_up_in_the_end() {
        let now = Timestamp::from_millis(1_000_000_000);
        assert_eq!(held_until(now, DOWN_AFTER - 1, 0).as_millis(), 0);
        assert_eq!(held_until(now, DOWN_AFTER, 0), now.plus_millis(500));
        assert_eq!(held_until(now, 2 * DOWN_AFTER, 0), now.plus_millis(1_000));
        assert_eq!(held_until(now, 100 * DOWN_AFTER, 0), now.plus_millis(60_000));
        let since = now.plus_millis(-PAUSED_AFTER_MILLIS);
        assert!(is_given_up(now, DOWN_AFTER, since));
        assert!(!is_given_up(now, DOWN_AFTER - 1, since));
        assert!(!is_given_up(now, 1_000, since.plus_millis(1)));
    }
}
