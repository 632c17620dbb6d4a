//! The two text formats of TREC.
//!
//! | file | fields of a line, separated by white space |
//! |---|---|
//! | qrels | query, an iteration that is ignored, document, grade (whole, may be negative) |
//! | run | query, `Q0`, document, rank (ignored: the score decides), score, tag |
//!
//! Empty lines and lines that start with `#` are skipped. Anything else is an error with the number of its line.

use crate::{Error, Result};

/// A line of a qrels file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JudgedDocument<'a> {
    /// The query's id.
    pub query: &'a str,
    /// The subtopic or iteration: ignored by most measures, the subtopic for alpha-nDCG.
    pub iteration: &'a str,
    /// The document's id.
    pub document: &'a str,
    /// Its grade.
    pub grade: i64,
}

/// A line of a run file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetrievedDocument<'a> {
    /// The query's id.
    pub query: &'a str,
    /// The document's id.
    pub document: &'a str,
    /// Its score.
    pub score: f64,
    /// The name of the run.
    pub tag: &'a str,
}

/// Reads a qrels file.
///
/// # Errors
/// A line with another number of fields, or a grade that is not a whole number.
pub fn parse_qrels(text: &str) -> Result<Vec<JudgedDocument<'_>>> {
    lines(text, "qrels", 4, "query iteration document grade", |line, fields| {
        let grade = fields[3].parse().map_err(|_| {
            Error::new(format!(
                "qrels line {line}: expected a whole number as the grade, got `{}`",
                fields[3]
            ))
        })?;
        Ok(JudgedDocument { query: fields[0], iteration: fields[1], document: fields[2], grade })
    })
}

/// Reads a run file.
///
/// # Errors
/// A line with another number of fields, or a score that is not a number.
pub fn parse_run(text: &str) -> Result<Vec<RetrievedDocument<'_>>> {
    lines(text, "run", 6, "query Q0 document rank score tag", |line, fields| {
        let score = fields[4].parse().ok().filter(|score: &f64| !score.is_nan()).ok_or_else(|| {
            Error::new(format!("run line {line}: expected a number as the score, got `{}`", fields[4]))
        })?;
        Ok(RetrievedDocument { query: fields[0], document: fields[2], score, tag: fields[5] })
    })
}

fn lines<'a, T>(
    text: &'a str,
    what: &str,
    expected: usize,
    names: &str,
    read: impl Fn(usize, &[&'a str]) -> Result<T>,
) -> Result<Vec<T>> {
    let mut rows = Vec::new();
    let mut fields = Vec::with_capacity(expected);
    // A byte order mark is no part of the first query's id.
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if line.starts_with('#') {
            continue;
        }
        fields.clear();
        fields.extend(line.split_ascii_whitespace());
        match fields.len() {
            0 => {}
            got if got == expected => rows.push(read(at + 1, &fields)?),
            got => {
                let message =
                    format!("{what} line {}: expected {expected} fields ({names}), got {got}", at + 1);
                return Err(Error::new(message));
            }
        }
    }
    Ok(rows)
}
