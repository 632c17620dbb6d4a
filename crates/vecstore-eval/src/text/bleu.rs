//! BLEU (Papineni et al. 2002), as WMT computes it: the tokens of mteval-13a, exponential smoothing.

use std::collections::HashMap;

use super::ngrams;

const ORDER: usize = 4;

/// What BLEU of a corpus is computed from: statistics of segments add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BleuStatistics {
    /// Tokens of the answers.
    pub answer_len: usize,
    /// Tokens of the references nearest in length.
    pub reference_len: usize,
    /// Runs of 1 to 4 tokens that the references have too.
    pub matches: [usize; ORDER],
    /// Runs of 1 to 4 tokens in the answers.
    pub totals: [usize; ORDER],
}

impl std::ops::AddAssign for BleuStatistics {
    fn add_assign(&mut self, other: Self) {
        self.answer_len += other.answer_len;
        self.reference_len += other.reference_len;
        for order in 0..ORDER {
            self.matches[order] += other.matches[order];
            self.totals[order] += other.totals[order];
        }
    }
}

/// Counts a segment against its references; with none, nothing matches.
pub fn bleu_statistics(answer: &str, references: &[&str]) -> BleuStatistics {
    let answer = tokens_13a(answer);
    let references: Vec<Vec<String>> = references.iter().map(|text| tokens_13a(text)).collect();
    let mut statistics = BleuStatistics {
        answer_len: answer.len(),
        // The first of the nearest; of two as near, the shorter.
        reference_len: references
            .iter()
            .map(Vec::len)
            .min_by_key(|&len| (len.abs_diff(answer.len()), len))
            .unwrap_or(0),
        ..BleuStatistics::default()
    };
    for order in 0..ORDER {
        let counts = ngrams::count(&answer, order + 1);
        let mut most: HashMap<&[String], usize> = HashMap::new();
        for reference in &references {
            for (gram, count) in ngrams::count(reference, order + 1) {
                let known = most.entry(gram).or_insert(0);
                *known = count.max(*known);
            }
        }
        statistics.totals[order] = counts.values().sum();
        statistics.matches[order] = ngrams::shared(&counts, &most);
    }
    statistics
}

/// Returns BLEU from 0 to 1. With `effective_order`, orders beyond the answer's length are left out, which sentences
/// need.
pub fn bleu(statistics: &BleuStatistics, effective_order: bool) -> f64 {
    if statistics.matches.iter().all(|&count| count == 0) {
        return 0.0;
    }
    let mut orders = ORDER;
    let mut smoothing = 1.0;
    let mut log_sum = 0.0;
    for (at, (&matches, &total)) in statistics.matches.iter().zip(&statistics.totals).enumerate() {
        if total == 0 {
            if !effective_order {
                return 0.0;
            }
            break;
        }
        if effective_order {
            orders = at + 1;
        }
        let precision = if matches == 0 {
            smoothing *= 2.0;
            1.0 / (smoothing * total as f64)
        } else {
            matches as f64 / total as f64
        };
        log_sum += precision.ln();
    }
    let (answer, reference) = (statistics.answer_len as f64, statistics.reference_len as f64);
    let brevity = if answer < reference { (1.0 - reference / answer).exp() } else { 1.0 };
    brevity * (log_sum / orders as f64).exp()
}

/// Returns BLEU of one sentence, from 0 to 1.
///
/// # Examples
/// ```
/// use vecstore_eval::sentence_bleu;
///
/// assert!((sentence_bleu("a small test", &["a small test"]) - 1.0).abs() < 1e-12);
/// assert_eq!(sentence_bleu("", &["a"]), 0.0);
/// ```
pub fn sentence_bleu(answer: &str, references: &[&str]) -> f64 {
    bleu(&bleu_statistics(answer, references), true)
}

/// Splits off punctuation as mteval-13a does: always, but points, commas and dashes by the digits around them.
fn tokens_13a(text: &str) -> Vec<String> {
    let mut line = text.trim_end().replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    if line.contains('&') {
        for (entity, character) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
            line = line.replace(entity, character);
        }
    }
    let mut spaced = Vec::with_capacity(line.len() + 2);
    spaced.push(' ');
    for character in line.chars() {
        if is_symbol(character) {
            spaced.extend([' ', character, ' ']);
        } else {
            spaced.push(character);
        }
    }
    spaced.push(' ');
    // Each pass consumes what it matched, so that of two points in a row the second is seen by the next pass only.
    let point = |c: char| c == '.' || c == ',';
    let digit = |c: char| c.is_ascii_digit();
    let spaced = rewrite(&spaced, |a, b| !digit(a) && point(b), |a, b, out| out.extend([a, ' ', b, ' ']));
    let spaced = rewrite(&spaced, |a, b| point(a) && !digit(b), |a, b, out| out.extend([' ', a, ' ', b]));
    let spaced = rewrite(&spaced, |a, b| digit(a) && b == '-', |a, b, out| out.extend([a, ' ', b, ' ']));
    spaced.into_iter().collect::<String>().split_whitespace().map(str::to_owned).collect()
}

fn rewrite(
    chars: &[char],
    matches: impl Fn(char, char) -> bool,
    replace: impl Fn(char, char, &mut Vec<char>),
) -> Vec<char> {
    let mut out = Vec::with_capacity(chars.len() + 16);
    let mut at = 0;
    while at < chars.len() {
        match chars.get(at + 1) {
            Some(&next) if matches(chars[at], next) => {
                replace(chars[at], next, &mut out);
                at += 2;
            }
            _ => {
                out.push(chars[at]);
                at += 1;
            }
        }
    }
    out
}

/// ASCII symbols but the apostrophe, the comma, the dash and the point. The space is one of them.
fn is_symbol(character: char) -> bool {
    matches!(character, ' '..='&' | '('..='+' | '/' | ':'..='@' | '['..='`' | '{'..='~')
}
