//! What goes wrong, and numbers as people read them.

use std::fmt;
use std::io::Write;
use std::time::{Duration, Instant};

/// Why a command was not carried out.
pub(crate) enum Failure {
    /// It was not called as it should be.
    Usage(String),
    /// The engine refused.
    Engine(vecstore::Error),
    /// The output could not be written.
    Output(std::io::Error),
    /// Somebody pressed Ctrl-C; what was done by then.
    Interrupted(String),
}

/// Where a command writes.
pub(crate) struct Console<'a> {
    pub(crate) out: &'a mut dyn Write,
    pub(crate) errors: &'a mut dyn Write,
}

/// A line on stderr that tells how far a command is, not oftener than the eye can follow.
pub(crate) struct ProgressLine<'a> {
    errors: &'a mut dyn Write,
    shown: Option<Instant>,
    wanted: bool,
}

const BETWEEN_LINES: Duration = Duration::from_millis(100);

impl<'a> ProgressLine<'a> {
    pub(crate) fn new(errors: &'a mut dyn Write, wanted: bool) -> Self {
        Self { errors, shown: None, wanted }
    }

    pub(crate) fn show(&mut self, progress: vecstore_exchange::Progress) {
        let is_early = self.shown.is_some_and(|shown| shown.elapsed() < BETWEEN_LINES);
        if !self.wanted || is_early {
            return;
        }
        let percent = progress.total.filter(|total| *total > 0).map(|total| progress.done * 100 / total);
        let percent = percent.map_or(String::new(), |percent| format!(" ({percent} %)"));
        // Nothing depends on it.
        _ = write!(self.errors, "\r{} records{percent}", Grouped(progress.records));
        _ = self.errors.flush();
        self.shown = Some(Instant::now());
    }
}

impl Drop for ProgressLine<'_> {
    fn drop(&mut self) {
        if self.shown.is_some() {
            _ = writeln!(self.errors);
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => f.write_str(message),
            Self::Engine(error) => error.fmt(f),
            Self::Output(error) => write!(f, "cannot write the output: {error}"),
            Self::Interrupted(done) => write!(f, "interrupted; {done}"),
        }
    }
}

impl From<vecstore::Error> for Failure {
    fn from(error: vecstore::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

/// A number with a comma between thousands.
pub(crate) struct Grouped(pub(crate) u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::new();
        for (n, digit) in digits.chars().enumerate() {
            if n > 0 && (digits.len() - n).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let text = |number| Grouped(number).to_string();
        assert_eq!(text(0), "0");
        assert_eq!(text(999), "999");
        assert_eq!(text(1_000), "1,000");
        assert_eq!(text(u64::MAX), "18,446,744,073,709,551,615");
    }
}
