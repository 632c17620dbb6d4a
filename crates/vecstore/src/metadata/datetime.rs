//! An instant on the time line, with the UTC offset it was written in.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use time::{Date, Month};

use crate::error::{Error, Result};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// The Julian day of 1970-01-01, from which Unix time counts.
const UNIX_EPOCH_JULIAN_DAY: i64 = 2_440_588;
/// 0001-01-01T00:00:00 local time, the first instant Python's `datetime` holds.
const MIN_LOCAL_MICROS: i64 = -62_135_596_800 * MICROS_PER_SECOND;
/// 9999-12-31T23:59:59.999999 local time, the last instant Python's `datetime` holds.
const MAX_LOCAL_MICROS: i64 = 253_402_300_800 * MICROS_PER_SECOND - 1;

/// An instant of microsecond resolution that remembers its UTC offset.
///
/// Order, equality and hash are by instant: `10:00Z` equals `12:00+02:00`. The offset only serves to give back what was
/// put in. The local time lies in the years 1 to 9999 and the offset within a day of UTC.
///
/// # Examples
///
/// ```
/// use vecstore::DateTime;
///
/// let noon: DateTime = "2024-05-01T12:00:00+02:00".parse()?;
/// assert_eq!(noon, "2024-05-01 10:00".parse()?); // naive is UTC
/// assert_eq!(noon.to_string(), "2024-05-01T12:00:00+02:00");
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DateTime {
    unix_micros: i64,
    offset_seconds: i32,
}

impl DateTime {
    /// Makes the instant `unix_micros` microseconds after 1970-01-01T00:00:00Z, shown `offset_seconds` east of UTC.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the offset reaches 24 hours or the local time leaves the years 1 to 9999.
    pub fn new(unix_micros: i64, offset_seconds: i32) -> Result<Self> {
        Self::checked(unix_micros, offset_seconds).ok_or_else(|| {
            Error::invalid(format!(
                "datetime out of range: expected a local time in the years 1 to 9999 and an offset under 86400 s, \
                 got {unix_micros} microseconds since 1970 at offset {offset_seconds} s"
            ))
        })
    }

    /// Does what `new` does, without making an error: filters try every string as a time.
    pub(super) fn checked(unix_micros: i64, offset_seconds: i32) -> Option<Self> {
        let local = unix_micros.checked_add(i64::from(offset_seconds) * MICROS_PER_SECOND)?;
        let in_range = i64::from(offset_seconds).abs() < SECONDS_PER_DAY
            && (MIN_LOCAL_MICROS..=MAX_LOCAL_MICROS).contains(&local);
        in_range.then_some(Self { unix_micros, offset_seconds })
    }

    /// Returns the microseconds since 1970-01-01T00:00:00Z.
    pub fn unix_micros(self) -> i64 {
        self.unix_micros
    }

    /// Returns the seconds east of UTC.
    pub fn offset_seconds(self) -> i32 {
        self.offset_seconds
    }

    /// Reads an RFC 3339 or ISO 8601 time: a date, then optionally `T` or a space and `hh:mm[:ss[.fraction]]`, then
    /// optionally `Z`, `+hh`, `+hhmm` or `+hh:mm[:ss]`. Without an offset it is UTC; digits past the microsecond are cut.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the text is not such a time.
    pub fn parse(text: &str) -> Result<Self> {
        Self::try_parse(text).ok_or_else(|| {
            let shown: String = text.chars().take(64).collect();
            Error::invalid(format!("not a datetime: expected the form `2024-05-01T10:00:00Z`, got `{shown}`"))
        })
    }

    /// Does what `parse` does, without making an error.
    pub(crate) fn try_parse(text: &str) -> Option<Self> {
        let mut scan = Scan { rest: text.as_bytes() };
        let year = scan.digits(4)?;
        scan.byte(b'-')?;
        let month = scan.digits(2)?;
        scan.byte(b'-')?;
        let day = scan.digits(2)?;
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        let date =
            Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()?;
        let days = i64::from(date.to_julian_day()) - UNIX_EPOCH_JULIAN_DAY;
        let (time_micros, offset) = if scan.rest.is_empty() {
            (0, 0)
        } else {
            scan.one_of(b"Tt ")?;
            (scan.time_of_day()?, scan.offset()?)
        };
        if !scan.rest.is_empty() {
            return None;
        }
        let local = days * SECONDS_PER_DAY * MICROS_PER_SECOND + time_micros;
        Self::checked(local - offset * MICROS_PER_SECOND, i32::try_from(offset).ok()?)
    }
}

/// A cursor over the bytes of a time; every step returns `None` when the text is something else.
struct Scan<'a> {
    rest: &'a [u8],
}

impl Scan<'_> {
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let mut number = 0;
        for digit in digits {
            number = number * 10 + i64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        }
        self.rest = rest;
        Some(number)
    }

    fn one_of(&mut self, accepted: &[u8]) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        accepted.contains(first).then_some(*first)
    }

    fn byte(&mut self, expected: u8) -> Option<()> {
        self.one_of(&[expected]).map(|_| ())
    }

    fn next_is(&self, byte: u8) -> bool {
        self.rest.first() == Some(&byte)
    }

    fn time_of_day(&mut self) -> Option<i64> {
        let hour = self.digits(2)?;
        self.byte(b':')?;
        let minute = self.digits(2)?;
        let (mut second, mut micros) = (0, 0);
        if self.next_is(b':') {
            self.byte(b':')?;
            second = self.digits(2)?;
            if self.next_is(b'.') || self.next_is(b',') {
                self.one_of(b".,")?;
                micros = self.fraction()?;
            }
        }
        let in_range = hour < 24 && minute < 60 && second < 60;
        in_range.then_some(((hour * 60 + minute) * 60 + second) * MICROS_PER_SECOND + micros)
    }

    fn fraction(&mut self) -> Option<i64> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return None;
        }
        let micros = self.digits(count.min(6))? * 10_i64.pow(6 - u32::try_from(count.min(6)).ok()?);
        self.rest = self.rest.get(count.saturating_sub(6)..)?;
        Some(micros)
    }

    fn offset(&mut self) -> Option<i64> {
        if self.rest.is_empty() {
            return Some(0);
        }
        let sign = match self.one_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.digits(2)?;
        let (mut minutes, mut seconds) = (0, 0);
        if self.next_is(b':') {
            self.byte(b':')?;
            minutes = self.digits(2)?;
            if self.next_is(b':') {
                self.byte(b':')?;
                seconds = self.digits(2)?;
            }
        } else if !self.rest.is_empty() {
            minutes = self.digits(2)?;
        }
        let in_range = hours < 24 && minutes < 60 && seconds < 60;
        in_range.then_some(sign * ((hours * 60 + minutes) * 60 + seconds))
    }
}

impl fmt::Display for DateTime {
    /// Writes RFC 3339, with a fraction only where there is one and `Z` for UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.unix_micros + i64::from(self.offset_seconds) * MICROS_PER_SECOND;
        let seconds = local.div_euclid(MICROS_PER_SECOND);
        let micros = local.rem_euclid(MICROS_PER_SECOND);
        let second_of_day = seconds.rem_euclid(SECONDS_PER_DAY);
        let julian_day = seconds.div_euclid(SECONDS_PER_DAY) + UNIX_EPOCH_JULIAN_DAY;
        let date = i32::try_from(julian_day)
            .ok()
            .and_then(|day| Date::from_julian_day(day).ok())
            .ok_or(fmt::Error)?;
        write!(f, "{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())?;
        let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
        write!(f, "T{hour:02}:{minute:02}:{second:02}")?;
        if micros != 0 {
            write!(f, ".{micros:06}")?;
        }
        if self.offset_seconds == 0 {
            return f.write_str("Z");
        }
        let sign = if self.offset_seconds < 0 { '-' } else { '+' };
        let offset = self.offset_seconds.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", offset / 3600, offset / 60 % 60)?;
        if !offset.is_multiple_of(60) {
            write!(f, ":{:02}", offset % 60)?;
        }
        Ok(())
    }
}

impl FromStr for DateTime {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl PartialEq for DateTime {
    fn eq(&self, other: &Self) -> bool {
        self.unix_micros == other.unix_micros
    }
}

impl Eq for DateTime {}

impl PartialOrd for DateTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DateTime {
    fn cmp(&self, other: &Self) -> Ordering {
        self.unix_micros.cmp(&other.unix_micros)
    }
}

impl Hash for DateTime {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.unix_micros.hash(state);
    }
}
