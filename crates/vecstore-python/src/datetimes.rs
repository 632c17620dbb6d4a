//! Points in time: Python's aware `datetime` and the engine's, both ways.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyTimeAccess, PyTzInfo};
use vecstore::DateTime;

use crate::errors::{OrRaise, invalid};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Reads an aware datetime; `place` names it in errors.
pub(crate) fn datetime_in(value: &Bound<'_, PyDateTime>, place: impl Fn() -> String) -> PyResult<DateTime> {
    let py = value.py();
    let offset = value.call_method0(intern!(py, "utcoffset"))?;
    if offset.is_none() {
        let hint = "give it a tzinfo, such as datetime.timezone.utc";
        return Err(invalid(py, format!("{}: expected an aware datetime, got a naive one: {hint}", place())));
    }
    let offset = offset.cast::<PyDelta>()?;
    if offset.get_microseconds() != 0 {
        let message = format!("{}: expected a UTC offset of whole seconds, got {offset}", place());
        return Err(invalid(py, message));
    }
    let offset = offset.get_days() * SECONDS_PER_DAY as i32 + offset.get_seconds();
    let days = days_since_1970(value.get_year().into(), value.get_month().into(), value.get_day().into());
    let time = (i64::from(value.get_hour()) * 60 + i64::from(value.get_minute())) * 60
        + i64::from(value.get_second());
    let seconds = days * SECONDS_PER_DAY + time - i64::from(offset);
    DateTime::new(seconds * MICROS_PER_SECOND + i64::from(value.get_microsecond()), offset).or_raise(py)
}

/// Makes an aware datetime with the offset it was given in.
pub(crate) fn datetime_out<'py>(py: Python<'py>, value: DateTime) -> PyResult<Bound<'py, PyDateTime>> {
    let offset = value.offset_seconds();
    let local = value.unix_micros() + i64::from(offset) * MICROS_PER_SECOND;
    let (seconds, micros) = (local.div_euclid(MICROS_PER_SECOND), local.rem_euclid(MICROS_PER_SECOND));
    let (days, second) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
    let (year, month, day) = date_of(days);
    let zone = if offset == 0 {
        PyTzInfo::utc(py)?.to_owned()
    } else {
        PyTzInfo::fixed_offset(py, PyDelta::new(py, 0, offset, 0, true)?)?
    };
    let (hour, minute, second) = ((second / 3600) as u8, (second / 60 % 60) as u8, (second % 60) as u8);
    PyDateTime::new(py, year as i32, month as u8, day as u8, hour, minute, second, micros as u32, Some(&zone))
}

/// Counts the days from 1970-01-01 to a date of the Gregorian calendar (Hinnant, "chrono-compatible low-level date
/// algorithms": years start in March, so that the leap day is the last).
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Returns the date so many days after 1970-01-01: the inverse of [`days_since_1970`].
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}
