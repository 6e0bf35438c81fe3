//! When timers fire: ISO 8601 dates, durations and cycles (BPMN 2.0.2 §10.5.5.6). Calendar units
//! are counted in UTC.

use flowmaster_kernel::Timestamp;
use jiff::Span;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::value_of;
use crate::feel::Variables;
use crate::model::{TimerKind, TimerTrigger};

/// What comes after a timer of a cycle fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    /// How often it fires after this; without end when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<u32>,
    /// ISO 8601 duration between two.
    pub every: String,
}

/// A timer that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// When it fires first.
    pub due_at: Timestamp,
    /// What comes after that.
    pub repeat: Option<Repeat>,
}

/// When `trigger` fires if it is started at `now`.
///
/// # Errors
/// Why it has no moment, in words.
pub fn schedule(
    trigger: &TimerTrigger,
    variables: &dyn Variables,
    now: Timestamp,
) -> Result<Schedule, String> {
    let text = match value_of(&trigger.value, variables, now).map_err(|error| error.to_string())? {
        Value::String(text) => text,
        other => return Err(format!("{other} is not ISO 8601 text")),
    };
    let once = |due_at| Schedule { due_at, repeat: None };
    match trigger.kind {
        TimerKind::Date => moment(&text).map(once),
        TimerKind::Duration => after(now, &text).map(once),
        TimerKind::Cycle => cycle(&text, now),
    }
}

impl Repeat {
    /// The timer that follows one that was due at `due_at`; `None` after the last.
    ///
    /// # Errors
    /// A moment out of range.
    pub fn next(&self, due_at: Timestamp) -> Result<Option<Schedule>, String> {
        let left = match self.left {
            Some(0) => return Ok(None),
            Some(left) => Some(left - 1),
            None => None,
        };
        let due_at = after(due_at, &self.every)?;
        Ok(Some(Schedule { due_at, repeat: Some(Self { left, every: self.every.clone() }) }))
    }
}

/// The moment that `text` names: RFC 3339, a local date and time, or a date, in UTC.
///
/// # Errors
/// Text that names none.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(moment) = Timestamp::parse(text) {
        return Ok(moment);
    }
    if text.ends_with(']') {
        // A local time may come twice a year, or not at all.
        return Err(format!("{text:?} has a time zone: it needs the offset from UTC as well"));
    }
    let civil = text
        .parse::<DateTime>()
        .or_else(|_| text.parse::<Date>().map(|date| date.to_datetime(jiff::civil::Time::MIN)))
        .map_err(|_| format!("{text:?} is not an ISO 8601 date and time"))?;
    let zoned = civil.to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?;
    Ok(zoned.timestamp().into())
}

/// `start` moved by the ISO 8601 duration `text`.
///
/// # Errors
/// Text that is not a duration, or a moment out of range.
pub fn after(start: Timestamp, text: &str) -> Result<Timestamp, String> {
    let span = duration(text)?;
    let start = start.to_jiff().map_err(|error| error.to_string())?.to_zoned(TimeZone::UTC);
    let end = start.checked_add(span).map_err(|error| error.to_string())?;
    Ok(end.timestamp().into())
}

/// The moment that `text` names, or the one that far from `now` where it is a duration.
///
/// # Errors
/// Text that is neither.
pub fn moment_or_after(now: Timestamp, text: &str) -> Result<Timestamp, String> {
    if text.trim_start().starts_with(['P', '-']) { after(now, text) } else { moment(text) }
}

fn duration(text: &str) -> Result<Span, String> {
    let text = text.trim();
    // `Span` also reads "2 hours", which no other engine would.
    let span =
        if text.starts_with('P') || text.starts_with("-P") { text.parse().ok() } else { None };
    span.ok_or_else(|| format!("{text:?} is not an ISO 8601 duration"))
}

/// `R3/PT10M`, `R/PT1H`, `R3/2026-01-01T00:00:00Z/P1D`.
fn cycle(text: &str, now: Timestamp) -> Result<Schedule, String> {
    let wrong = || format!("{text:?} is not an ISO 8601 cycle, such as R3/PT10M");
    let (times, rest) =
        text.trim().strip_prefix('R').and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
    let times: Option<u32> = match times {
        "" => None,
        times => Some(times.parse().map_err(|_| wrong())?),
    };
    let (start, every) = match rest.split_once('/') {
        Some((start, every)) => (Some(moment(start)?), every),
        None => (None, rest),
    };
    let span = duration(every)?;
    if span.is_negative() || span.is_zero() {
        return Err(format!("the interval of {text:?} must be longer than nothing"));
    }
    let due_at = match start {
        Some(start) => start,
        None => after(now, every)?,
    };
    let left = match times {
        Some(0) => return Err(format!("{text:?} repeats nothing")),
        Some(times) => Some(times - 1),
        None => None,
    };
    Ok(Schedule { due_at, repeat: Some(Repeat { left, every: every.trim().to_owned() }) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Text;
    use crate::scope::VariableMap;

    fn check(kind: TimerKind, text: &str, due: &str, left: Option<Option<u32>>) {
        let now = Timestamp::parse("2026-01-31T09:00:00Z").unwrap();
        let trigger = TimerTrigger { kind, value: Text::Literal(text.to_owned()) };
        let found = schedule(&trigger, &VariableMap::new(), now).unwrap();
        assert_eq!(found.due_at, Timestamp::parse(due).unwrap(), "{text}");
        assert_eq!(found.repeat.map(|repeat| repeat.left), left, "{text}");
    }

    #[test]
    fn timers() {
        use TimerKind::{Cycle, Date, Duration};
        for (kind, text, due, left) in [
            (Date, "2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z", None),
            (Date, "2026-02-01T00:00:00+02:00", "2026-01-31T22:00:00Z", None),
            (Date, "2026-02-01T08:30:00", "2026-02-01T08:30:00Z", None),
            (Date, "2026-02-01", "2026-02-01T00:00:00Z", None),
            // The hour that summer time leaves out, and the two of one name when it ends.
            (Date, "2026-03-29T02:30:00+01:00", "2026-03-29T01:30:00Z", None),
            (Date, "2026-10-25T02:30:00+02:00[Europe/Berlin]", "2026-10-25T00:30:00Z", None),
            (Date, "2026-10-25T02:30:00+01:00[Europe/Berlin]", "2026-10-25T01:30:00Z", None),
            (Date, "2028-02-29", "2028-02-29T00:00:00Z", None),
            (Duration, "P2Y29D", "2028-02-29T09:00:00Z", None),
            (Duration, "PT90M", "2026-01-31T10:30:00Z", None),
            (Duration, "P1M", "2026-02-28T09:00:00Z", None),
            (Duration, "P1Y2M3DT4H", "2027-04-03T13:00:00Z", None),
            (Duration, "P2W", "2026-02-14T09:00:00Z", None),
            (Cycle, "R3/PT10M", "2026-01-31T09:10:00Z", Some(Some(2))),
            (Cycle, "R/PT1H", "2026-01-31T10:00:00Z", Some(None)),
            (Cycle, "R2/2026-03-01T00:00:00Z/P1D", "2026-03-01T00:00:00Z", Some(Some(1))),
        ] {
            check(kind, text, due, left);
        }
    }

    #[test]
    fn days_have_24_hours_and_months_end_when_they_do() {
        for (start, span, end) in [
            ("2026-03-28T22:00:00Z", "P1D", "2026-03-29T22:00:00Z"),
            ("2026-10-24T22:00:00Z", "P1D", "2026-10-25T22:00:00Z"),
            ("2028-02-28T12:00:00Z", "P1D", "2028-02-29T12:00:00Z"),
            ("2028-01-31T12:00:00Z", "P1M", "2028-02-29T12:00:00Z"),
            ("2028-02-29T12:00:00Z", "P1Y", "2029-02-28T12:00:00Z"),
            ("2028-02-29T12:00:00Z", "P4Y", "2032-02-29T12:00:00Z"),
            ("2026-12-31T23:59:59Z", "PT1S", "2027-01-01T00:00:00Z"),
        ] {
            let [start, end] = [start, end].map(|at| Timestamp::parse(at).unwrap());
            assert_eq!(after(start, span), Ok(end), "{start:?} {span}");
        }
    }

    #[test]
    fn what_is_no_timer_is_refused() {
        let now = Timestamp::from_millis(0);
        for (kind, text) in [
            (TimerKind::Date, "tomorrow"),
            (TimerKind::Date, "2026-10-25T02:30:00[Europe/Berlin]"),
            (TimerKind::Date, "2026-02-29"),
            (TimerKind::Duration, "2 hours"),
            (TimerKind::Duration, "P99999999999Y"),
            (TimerKind::Cycle, "PT1H"),
            (TimerKind::Cycle, "R0/PT1H"),
            (TimerKind::Cycle, "Rx/PT1H"),
            (TimerKind::Cycle, "R3/PT0S"),
        ] {
            let trigger = TimerTrigger { kind, value: Text::Literal(text.to_owned()) };
            assert!(schedule(&trigger, &VariableMap::new(), now).is_err(), "{text}");
        }
    }

    #[test]
    fn a_cycle_counts_down() {
        let repeat = Repeat { left: Some(1), every: "PT1H".to_owned() };
        let second = repeat.next(Timestamp::from_millis(0)).unwrap().unwrap();
        assert_eq!(second.due_at, Timestamp::from_millis(3_600_000));
        assert_eq!(second.repeat.unwrap().next(second.due_at), Ok(None));
    }
}
