use proptest::prelude::*;

use crate::error::ErrorKind;
use crate::metadata::DateTime;

fn micros(text: &str) -> Option<i64> {
    DateTime::try_parse(text).map(DateTime::unix_micros)
}

#[test]
fn parses_the_forms_of_iso_8601() {
    let morning = 1_714_557_600_000_000; // 2024-05-01T10:00:00Z
    assert_eq!(micros("2024-05-01"), Some(morning - 36_000_000_000));
    for text in [
        "2024-05-01T10:00:00Z",
        "2024-05-01t10:00:00z",
        "2024-05-01 10:00",
        "2024-05-01T12:00:00+02:00",
        "2024-05-01T12:00:00+0200",
        "2024-05-01T12:00:00+02",
        "2024-05-01T05:30:00.000-04:30",
    ] {
        assert_eq!(micros(text), Some(morning), "{text}");
    }
    assert_eq!(micros("2024-05-01T10:00:00.25Z"), Some(morning + 250_000));
    assert_eq!(micros("2024-05-01T10:00:00.123456789Z"), Some(morning + 123_456));
    assert_eq!(micros("2024-02-29"), Some(1_709_164_800_000_000));
    assert_eq!(micros("1969-12-31T23:59:59.999999Z"), Some(-1));
}

#[test]
fn refuses_what_is_no_time() {
    for text in [
        "",
        "2024",
        "2024-13-01",
        "2023-02-29",
        "2024-05-01T",
        "2024-05-01T24:00",
        "2024-05-01T10:60",
        "0000-01-01",
        "2024-05-01T10:00:00.",
        "2024-05-01T10:00:00ZZ",
        "2024-05-01T10:00+24:00",
        "2024-5-1",
        "20240501",
        "a\u{e9}24-05-01",
        "2024-05-01T10:00:60Z",
        "0001-01-01T00:00:00+23:59x",
        "2024-05-01T10:00:00 Z",
    ] {
        assert_eq!(micros(text), None, "{text}");
    }
    let error = DateTime::parse("yesterday").expect_err("not a time");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("yesterday"));
}

#[test]
fn refuses_what_python_cannot_hold() {
    let last = 253_402_300_799_999_999;
    assert!(DateTime::new(last, 0).is_ok());
    assert!(DateTime::new(last + 1, 0).is_err());
    assert!(DateTime::new(last, 1).is_err());
    assert!(DateTime::new(0, 86_400).is_err());
    assert!(DateTime::new(i64::MAX, 86_399).is_err());
    assert!(DateTime::new(i64::MIN, -86_399).is_err());
}

proptest! {
    #[test]
    fn printing_and_parsing_gives_the_same(micros in -62_000_000_000_000_000_i64..253_000_000_000_000_000, offset in -86_399_i32..86_400) {
        let datetime = DateTime::new(micros, offset).expect("in range");
        let parsed = DateTime::parse(&datetime.to_string()).expect("it was printed");
        prop_assert_eq!((parsed.unix_micros(), parsed.offset_seconds()), (micros, offset));
    }

    #[test]
    fn parsing_noise_never_panics(text in "[0-9T:+.Z \u{e9}-]{0,32}") {
        let _ = DateTime::try_parse(&text);
    }
}
