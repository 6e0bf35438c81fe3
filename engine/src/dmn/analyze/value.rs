//! Constants: which are comparable, what lies between two of them, and how they are written in FEEL.
//!
//! Numbers are decimals and exact. Dates, times and durations are taken as whole days, seconds and
//! months: between two dates that follow each other there is nothing.

use std::cmp::Ordering;

use dsntk_feel::FeelNumber;
use dsntk_feel::values::Value as FeelValue;
use dsntk_feel_temporal::{
    FeelDate, FeelDateTime, FeelDaysAndTimeDuration, FeelTime, FeelYearsAndMonthsDuration,
};

const DAY: i64 = 24 * 60 * 60;

/// The type of the values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dmn) enum Kind {
    Number,
    Text,
    Boolean,
    Date,
    Time,
    DateTime,
    Days,
    Months,
}

impl Kind {
    /// The type with this name in DMN, or in the files of older tools.
    pub(in crate::dmn) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "number" | "integer" | "long" | "double" => Self::Number,
            "string" => Self::Text,
            "boolean" => Self::Boolean,
            "date" => Self::Date,
            "time" => Self::Time,
            "dateTime" | "date and time" => Self::DateTime,
            "dayTimeDuration" | "days and time duration" => Self::Days,
            "yearMonthDuration" | "years and months duration" => Self::Months,
            _ => return None,
        })
    }

    /// The type of a value; `None` for null and what is no single value.
    pub(in crate::dmn) fn of(value: &FeelValue) -> Option<Self> {
        Some(match value {
            FeelValue::Number(_) => Self::Number,
            FeelValue::String(_) => Self::Text,
            FeelValue::Boolean(_) => Self::Boolean,
            FeelValue::Date(_) => Self::Date,
            FeelValue::Time(_) => Self::Time,
            FeelValue::DateTime(_) => Self::DateTime,
            FeelValue::DaysAndTimeDuration(_) => Self::Days,
            FeelValue::YearsAndMonthsDuration(_) => Self::Months,
            _ => return None,
        })
    }

    /// Its name, for people.
    pub(in crate::dmn) fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Text => "string",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Time => "time",
            Self::DateTime => "date and time",
            Self::Days => "days and time duration",
            Self::Months => "years and months duration",
        }
    }
}

/// The order of two values of one type; `None` where they are not comparable, as are moments of
/// different time zones.
pub(in crate::dmn) fn compare(one: &FeelValue, other: &FeelValue) -> Option<Ordering> {
    match (one, other) {
        (FeelValue::Number(one), FeelValue::Number(other)) => one.partial_cmp(other),
        (FeelValue::String(one), FeelValue::String(other)) => Some(one.cmp(other)),
        (FeelValue::Boolean(one), FeelValue::Boolean(other)) => Some(one.cmp(other)),
        (FeelValue::Date(one), FeelValue::Date(other)) => Some(one.cmp(other)),
        (FeelValue::Time(one), FeelValue::Time(other)) => one.partial_cmp(other),
        (FeelValue::DateTime(one), FeelValue::DateTime(other)) => one.partial_cmp(other),
        (FeelValue::DaysAndTimeDuration(one), FeelValue::DaysAndTimeDuration(other)) => {
            one.partial_cmp(other)
        }
        (FeelValue::YearsAndMonthsDuration(one), FeelValue::YearsAndMonthsDuration(other)) => {
            one.partial_cmp(other)
        }
        _ => None,
    }
}

/// Whether equality and order agree about a value: the evaluator ignores parts of seconds where it
/// compares for equality.
pub(in crate::dmn) fn is_whole(value: &FeelValue) -> bool {
    match value {
        FeelValue::Time(time) => time.nanos() == 0,
        FeelValue::DateTime(moment) => moment.time().nanos() == 0,
        _ => true,
    }
}

/// A value above `low` and below `high`; `None` when there is none.
pub(in crate::dmn) fn between(
    kind: Kind,
    low: Option<&FeelValue>,
    high: Option<&FeelValue>,
) -> Option<FeelValue> {
    let is_inside = |value: &FeelValue| {
        low.is_none_or(|low| compare(low, value) == Some(Ordering::Less))
            && high.is_none_or(|high| compare(value, high) == Some(Ordering::Less))
    };
    candidates(kind, low, high).into_iter().flatten().find(is_inside)
}

fn candidates(
    kind: Kind,
    low: Option<&FeelValue>,
    high: Option<&FeelValue>,
) -> [Option<FeelValue>; 3] {
    match (low, high) {
        (None, None) => [Some(usual(kind)), None, None],
        (None, Some(high)) => [step(high, -1), Some(FeelValue::String(String::new())), None],
        (Some(FeelValue::String(low)), _) => {
            ["a", " ", "\u{1}"].map(|tail| Some(FeelValue::String(format!("{low}{tail}"))))
        }
        (Some(FeelValue::Number(low)), Some(FeelValue::Number(high))) => {
            let whole = low.floor(0).ok().map(|floor| FeelValue::Number(floor + FeelNumber::one()));
            let middle = FeelValue::Number((*low + *high) / FeelNumber::two());
            [whole, Some(middle), None]
        }
        (Some(FeelValue::DaysAndTimeDuration(low)), Some(FeelValue::DaysAndTimeDuration(high))) => {
            let middle = i64::midpoint(low.as_nanos(), high.as_nanos());
            let middle = FeelDaysAndTimeDuration::from_n(middle);
            [
                step(&FeelValue::DaysAndTimeDuration(low.clone()), 1),
                Some(FeelValue::DaysAndTimeDuration(middle)),
                None,
            ]
        }
        (Some(low), _) => [step(low, 1), None, None],
    }
}

/// A value of a type of which nothing is known.
fn usual(kind: Kind) -> FeelValue {
    match kind {
        Kind::Number => FeelValue::Number(FeelNumber::zero()),
        Kind::Text => FeelValue::String("a".to_owned()),
        Kind::Boolean => FeelValue::Boolean(false),
        Kind::Date => day(),
        Kind::Time => FeelValue::Time(FeelTime::local(12, 0, 0, 0)),
        Kind::DateTime => match day() {
            FeelValue::Date(date) => {
                FeelValue::DateTime(FeelDateTime::new(date, FeelTime::local(12, 0, 0, 0)))
            }
            other => other,
        },
        Kind::Days => FeelValue::DaysAndTimeDuration(FeelDaysAndTimeDuration::from_s(DAY)),
        Kind::Months => FeelValue::YearsAndMonthsDuration(FeelYearsAndMonthsDuration::from_m(1)),
    }
}

fn day() -> FeelValue {
    FeelDate::new(2000, 1, 1).map_or(FeelValue::Null(None), FeelValue::Date)
}

/// The value one step (a unit, a day, a second, a month) above or below `value`.
fn step(value: &FeelValue, direction: i64) -> Option<FeelValue> {
    Some(match value {
        FeelValue::Number(number) => FeelValue::Number(*number + FeelNumber::from(direction)),
        FeelValue::Date(date) => FeelValue::Date(shifted(date, direction)?),
        FeelValue::Time(time) => {
            let (0, time) = later(time, direction)? else { return None };
            FeelValue::Time(time)
        }
        FeelValue::DateTime(moment) => {
            let (days, time) = later(&moment.time(), direction)?;
            FeelValue::DateTime(FeelDateTime::new(shifted(&moment.date(), days)?, time))
        }
        FeelValue::DaysAndTimeDuration(duration) => {
            let nanos = duration.as_nanos().checked_add(direction * 1_000_000_000)?;
            FeelValue::DaysAndTimeDuration(FeelDaysAndTimeDuration::from_n(nanos))
        }
        FeelValue::YearsAndMonthsDuration(duration) => {
            let months = duration.as_months().checked_add(direction)?;
            FeelValue::YearsAndMonthsDuration(FeelYearsAndMonthsDuration::from_m(months))
        }
        _ => return None,
    })
}

fn shifted(date: &FeelDate, days: i64) -> Option<FeelDate> {
    match days {
        0 => Some(date.clone()),
        _ if days > 0 => date.add_days(days.unsigned_abs()),
        _ => date.sub_days(days.unsigned_abs()),
    }
}

/// The time `seconds` later in the same zone, and how many days later that is.
fn later(time: &FeelTime, seconds: i64) -> Option<(i64, FeelTime)> {
    let of_day = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60;
    let total = of_day + i64::from(time.second()) + seconds;
    let (days, of_day) = (total.div_euclid(DAY), total.rem_euclid(DAY));
    let part = |value: i64| u8::try_from(value).ok();
    let (hour, minute, second) =
        (part(of_day / 3600)?, part(of_day / 60 % 60)?, part(of_day % 60)?);
    Some((days, FeelTime::zone_opt(hour, minute, second, 0, time.zone().clone())?))
}

/// A value as FEEL writes it.
pub(in crate::dmn) fn literal(value: &FeelValue) -> String {
    match value {
        FeelValue::String(text) => quoted(text),
        FeelValue::Date(date) => format!("date(\"{date}\")"),
        FeelValue::Time(time) => format!("time(\"{time}\")"),
        FeelValue::DateTime(moment) => format!("date and time(\"{moment}\")"),
        FeelValue::DaysAndTimeDuration(duration) => format!("duration(\"{duration}\")"),
        FeelValue::YearsAndMonthsDuration(duration) => format!("duration(\"{duration}\")"),
        FeelValue::Null(_) => "null".to_owned(),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other if other.is_control() => {
                quoted.push_str(&format!("\\u{:04X}", u32::from(other)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
