//! Regular expressions as separators: where they match, and which matches count, is as in Python's `re.split`.

use std::ops::Range;
use std::sync::OnceLock;

use fancy_regex::Regex;

use super::error::{Result, SplitError};
use super::python_regex;

#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    /// Matches where the search starts, and something.
    something_here: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(crate) fn new(pattern: &str) -> Result<Self> {
        let regex = Regex::new(&python_regex::translated(pattern)).map_err(|error| {
            SplitError::invalid(format!(
                "separators: expected a regular expression, got `{pattern}`: {error}"
            ))
        })?;
        Ok(Self { regex, something_here: OnceLock::new() })
    }

    /// Returns whether it matches anywhere.
    pub(crate) fn is_in(&self, text: &str) -> Result<bool> {
        self.regex.is_match(text).map_err(|error| too_costly(&error))
    }

    /// Calls `each` with every match, in order. An empty one may follow another match at once, but not an empty one.
    pub(crate) fn matches(&self, text: &str, each: &mut dyn FnMut(Range<usize>) -> Result<()>) -> Result<()> {
        let (mut from, mut was_empty) = (0, false);
        loop {
            let found = if was_empty { self.after_nothing(text, from)? } else { self.find(text, from)? };
            let Some(found) = found else { return Ok(()) };
            (from, was_empty) = (found.end, found.is_empty());
            each(found)?;
        }
    }

    /// Finds the match after an empty one.
    fn after_nothing(&self, text: &str, from: usize) -> Result<Option<Range<usize>>> {
        let something = self.something_here.get_or_init(|| {
            // The engine takes a `\G` that stands alone for one at the beginning, and would end the search there.
            Regex::new(&format!(r"\G(?:{})(?!\G|[^\s\S])", self.regex.as_str())).ok()
        });
        if let Some(regex) = something
            && let Some(found) = find(regex, text, from)?
        {
            return Ok(Some(found));
        }
        let Some(next) = text[from..].chars().next() else { return Ok(None) };
        self.find(text, from + next.len_utf8())
    }

    fn find(&self, text: &str, from: usize) -> Result<Option<Range<usize>>> {
        find(&self.regex, text, from)
    }
}

fn find(regex: &Regex, text: &str, from: usize) -> Result<Option<Range<usize>>> {
    let found = regex.find_from_pos(text, from).map_err(|error| too_costly(&error))?;
    Ok(found.map(|found| found.start()..found.end()))
}

fn too_costly(error: &fancy_regex::Error) -> SplitError {
    SplitError::invalid(format!("separators: a regular expression failed on the text: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[match.span() for match in re.finditer(pattern, text)]` of Python, which splits at the same matches.
    #[test]
    fn matches_that_are_empty_are_those_of_python() {
        for (pattern, text, spans) in [
            ("a*", "baac", vec![(0, 0), (1, 3), (3, 3), (4, 4)]),
            ("a|", "ba", vec![(0, 0), (1, 2), (2, 2)]),
            ("|a", "ba", vec![(0, 0), (1, 1), (1, 2), (2, 2)]),
            (r"\b|:+", "a::b", vec![(0, 0), (1, 1), (1, 3), (3, 3), (4, 4)]),
            ("(?=b)", "abb", vec![(1, 1), (2, 2)]),
            ("(?=b)|a", "ab", vec![(0, 1), (1, 1)]),
            ("x*", "\u{e9}\u{e9}", vec![(0, 0), (2, 2), (4, 4)]),
            ("", "ab", vec![(0, 0), (1, 1), (2, 2)]),
            ("a+?", "aa", vec![(0, 1), (1, 2)]),
        ] {
            let mut found = Vec::new();
            let pattern = Pattern::new(pattern).unwrap();
            pattern
                .matches(text, &mut |one| {
                    found.push((one.start, one.end));
                    Ok(())
                })
                .unwrap();
            assert_eq!(found, spans, "{pattern:?} in {text:?}");
        }
    }
}
