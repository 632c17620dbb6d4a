//! The scores that verdicts of a judge add up to. What a judge is asked, and how, is the caller's.
//!
//! `None` means that there was nothing to judge; no score is ever made up for that.

use crate::retrieval::f_measure;

/// Returns the share of verdicts that are true: faithfulness of claims, recall of a reference's statements.
pub fn verdict_share(verdicts: &[bool]) -> Option<f64> {
    let found = verdicts.iter().filter(|&&verdict| verdict).count();
    (!verdicts.is_empty()).then(|| found as f64 / verdicts.len() as f64)
}

/// Returns the average precision of contexts by rank: the mean, over the useful ones, of the share of useful contexts
/// down to each. 0 where none is useful.
///
/// # Examples
/// ```
/// assert_eq!(vecstore_eval::context_precision(&[true, false, false, true]), 0.75);
/// ```
pub fn context_precision(useful: &[bool]) -> f64 {
    let mut found = 0.0;
    let mut sum = 0.0;
    for (at, _) in useful.iter().enumerate().filter(|&(_, &useful)| useful) {
        found += 1.0;
        sum += found / (at + 1) as f64;
    }
    if found > 0.0 { sum / found } else { 0.0 }
}

/// Returns the F-score of statements that are in both answer and reference, only in the answer, only in the reference.
/// 0 where none is in both.
pub fn statement_f(both: usize, only_answer: usize, only_reference: usize, beta: f64) -> f64 {
    let share = |part: usize, rest: usize| if part == 0 { 0.0 } else { part as f64 / (part + rest) as f64 };
    f_measure(share(both, only_answer), share(both, only_reference), beta * beta)
}

/// Which wrong claims noise sensitivity counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// Those from contexts that help to answer.
    Relevant,
    /// Those from contexts that do not, and from no context that does.
    Irrelevant,
}

/// Returns the share of an answer's claims that are wrong and come from contexts: lower is better.
///
/// `claims[c]` says which contexts support claim c of the answer, `reference[s]` which contexts support statement s of
/// the reference, `correct[c]` whether the reference supports claim c. A context is relevant if it supports any
/// statement of the reference.
pub fn noise_sensitivity(
    claims: &[Vec<bool>],
    reference: &[Vec<bool>],
    correct: &[bool],
    noise: Noise,
) -> Option<f64> {
    let relevant = |context: usize| reference.iter().any(|row| row.get(context).copied().unwrap_or(false));
    let wrong = claims
        .iter()
        .zip(correct)
        .filter(|&(contexts, &correct)| {
            let mut from_relevant = false;
            let mut from_other = false;
            for (context, _) in contexts.iter().enumerate().filter(|&(_, &supports)| supports) {
                if relevant(context) {
                    from_relevant = true;
                } else {
                    from_other = true;
                }
            }
            let counted = match noise {
                Noise::Relevant => from_relevant,
                Noise::Irrelevant => from_other && !from_relevant,
            };
            counted && !correct
        })
        .count();
    (!claims.is_empty()).then(|| wrong as f64 / claims.len() as f64)
}
