//! Exact match and token F1, after the normalisation of SQuAD (Rajpurkar et al. 2016).

use std::collections::HashMap;

/// Returns a text in lower case without ASCII punctuation, English articles, and more than single spaces.
pub fn normalize_answer(text: &str) -> String {
    let bare: String = text.to_lowercase().chars().filter(|c| !c.is_ascii_punctuation()).collect();
    // An article ends where letters and digits do, not only at a space: before an emoji, say.
    let mut kept = String::with_capacity(bare.len());
    for run in bare.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let end = run.char_indices().next_back().filter(|(_, last)| !last.is_alphanumeric());
        let (word, after) = run.split_at(end.map_or(run.len(), |(at, _)| at));
        kept.push_str(if matches!(word, "a" | "an" | "the") { " " } else { word });
        kept.push_str(after);
    }
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether an answer equals the truth once both are normalised.
pub fn exact_match(answer: &str, truth: &str) -> bool {
    normalize_answer(answer) == normalize_answer(truth)
}

/// Returns the harmonic mean of the precision and recall of the answer's words. Two texts without words are equal: 1.
///
/// # Examples
/// ```
/// assert_eq!(vecstore_eval::token_f1("The red house!", "a house"), 2.0 / 3.0);
/// ```
pub fn token_f1(answer: &str, truth: &str) -> f64 {
    let (answer, truth) = (normalize_answer(answer), normalize_answer(truth));
    let answer: Vec<&str> = answer.split_whitespace().collect();
    let truth: Vec<&str> = truth.split_whitespace().collect();
    if answer.is_empty() || truth.is_empty() {
        return f64::from(u8::from(answer == truth));
    }
    let mut left: HashMap<&str, usize> = HashMap::new();
    for &word in &truth {
        *left.entry(word).or_insert(0) += 1;
    }
    let mut shared = 0;
    for word in &answer {
        if let Some(count) = left.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    2.0 * f64::from(shared) / (answer.len() + truth.len()) as f64
}
