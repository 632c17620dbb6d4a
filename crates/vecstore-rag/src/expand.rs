//! More queries out of one, by rules: no model is asked.

use unicode_segmentation::UnicodeSegmentation;

/// Returns the query, and one more for each synonym of each of its words or phrases, which are compared whole and without case.
///
/// ```
/// let queries = vecstore_rag::expand_with_synonyms("Trust rust", &[("rust", &["rustlang"])]);
/// assert_eq!(queries, ["Trust rust", "Trust rustlang"]);
/// ```
pub fn expand_with_synonyms<S: AsRef<str>>(query: &str, synonyms: &[(&str, &[S])]) -> Vec<String> {
    let mut queries = vec![query.to_owned()];
    for (phrase, others) in synonyms {
        for other in *others {
            let replaced = replace_words(query, phrase, other.as_ref());
            if !queries.contains(&replaced) {
                queries.push(replaced);
            }
        }
    }
    queries
}

/// Replaces every occurrence of a phrase that begins and ends with a word.
fn replace_words(text: &str, phrase: &str, by: &str) -> String {
    let wanted: Vec<String> = phrase.unicode_words().map(str::to_lowercase).collect();
    let words: Vec<(usize, &str)> = text.unicode_word_indices().collect();
    if wanted.is_empty() {
        return text.to_owned();
    }
    let (mut replaced, mut copied, mut at) = (String::new(), 0, 0);
    while at + wanted.len() <= words.len() {
        let run = &words[at..at + wanted.len()];
        if run.iter().zip(&wanted).all(|((_, word), wanted)| word.to_lowercase() == *wanted) {
            let (last, word) = run[run.len() - 1];
            replaced.push_str(&text[copied..run[0].0]);
            replaced.push_str(by);
            copied = last + word.len();
            at += wanted.len();
        } else {
            at += 1;
        }
    }
    replaced + &text[copied..]
}

/// How questions begin, the longest first where one begins with another.
const OPENINGS: &[&str] = &[
    "how do i",
    "how can i",
    "how do you",
    "how to",
    "how does",
    "how do",
    "how is",
    "how are",
    "what are the",
    "what is the",
    "what are",
    "what is",
    "what does",
    "why does",
    "why do",
    "why is",
    "why are",
    "when to",
    "when should",
    "where is",
    "where are",
    "tell me about",
    "explain",
];

/// Returns the query, and one more for each other beginning, where it begins as questions do.
///
/// ```
/// let queries = vecstore_rag::generate_variations("How to sort a list?", &["guide to", "ways to"]);
/// assert_eq!(queries, ["How to sort a list?", "guide to sort a list?", "ways to sort a list?"]);
/// ```
pub fn generate_variations(query: &str, prefixes: &[impl AsRef<str>]) -> Vec<String> {
    let mut queries = vec![query.to_owned()];
    let Some(rest) = after_opening(query) else { return queries };
    for prefix in prefixes {
        let varied = format!("{} {rest}", prefix.as_ref().trim());
        if !queries.contains(&varied) {
            queries.push(varied);
        }
    }
    queries
}

/// Returns what follows the beginning that makes a question, if there is one.
pub(crate) fn after_opening(query: &str) -> Option<&str> {
    OPENINGS.iter().find_map(|opening| after_words(query, opening))
}

/// Returns what follows these words at the beginning of a text.
fn after_words<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    let text = text.trim_start();
    let (head, rest) = (text.get(..words.len())?, text.get(words.len()..)?);
    let rest_trimmed = rest.trim_start();
    (head.eq_ignore_ascii_case(words) && rest_trimmed.len() < rest.len() && !rest_trimmed.is_empty())
        .then_some(rest_trimmed)
}

/// Words that begin a question of its own.
const QUESTION_WORDS: &[&str] = &[
    "how", "what", "why", "when", "where", "which", "who", "does", "do", "is", "are", "can", "should", "will",
];

/// Splits a question into at most `most` simpler ones: at question marks and semicolons, at an `and` before another question
/// word, by the two sides of a comparison, and by the parts of an enumeration ("the benefits and drawbacks of X"). A question
/// that none of these fits is returned as it is.
///
/// ```
/// let questions = vecstore_rag::decompose("What are the benefits and drawbacks of slots?", 4);
/// assert_eq!(questions, ["What are the benefits of slots?", "What are the drawbacks of slots?"]);
/// ```
pub fn decompose(query: &str, most: usize) -> Vec<String> {
    let mut questions: Vec<String> = Vec::new();
    for sentence in split_questions(query) {
        let parts =
            comparison(&sentence).or_else(|| enumeration(&sentence)).or_else(|| two_topics(&sentence));
        for part in parts.unwrap_or_else(|| vec![sentence.clone()]) {
            if !questions.contains(&part) {
                questions.push(part);
            }
        }
    }
    if questions.is_empty() {
        questions.push(query.trim().to_owned());
    }
    questions.truncate(most.max(1));
    questions
}

/// Splits at question marks, semicolons and line breaks, and at an `and` or comma before a question word.
fn split_questions(query: &str) -> Vec<String> {
    let mut questions = Vec::new();
    for sentence in query.split_inclusive(['?', ';', '\n']) {
        let words: Vec<&str> = sentence.split_whitespace().collect();
        let mut current: Vec<&str> = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let begins_question = |word: &&str| QUESTION_WORDS.contains(&bare(word).to_lowercase().as_str());
            let is_joint = matches!(bare(word).to_lowercase().as_str(), "and" | "then" | "also");
            if is_joint && current.len() > 2 && words.get(at + 1).is_some_and(begins_question) {
                questions.push(finished(&current, sentence));
                current.clear();
            } else {
                current.push(word);
            }
        }
        questions.push(finished(&current, sentence));
    }
    questions.retain(|question| question.chars().any(char::is_alphanumeric));
    questions
}

/// Joins words, with a question mark if the sentence they are from has one.
fn finished(words: &[&str], sentence: &str) -> String {
    let text = words.join(" ");
    let text = text.trim_end_matches([',', ';', '?', ' ']);
    let mark = if sentence.trim_end().ends_with('?') { "?" } else { "" };
    format!("{text}{mark}")
}

/// "Compare A and B", "the difference between A and B", "A versus B": A and B.
fn comparison(sentence: &str) -> Option<Vec<String>> {
    let text = sentence.trim_end_matches(['?', '.', ' ']);
    let lower = text.to_ascii_lowercase();
    for joint in [" versus ", " vs. ", " vs "] {
        if let Some(at) = lower.find(joint) {
            return sides(&text[..at], &text[at + joint.len()..]);
        }
    }
    for (start, joints) in [
        ("differences between ", &[" and "][..]),
        ("difference between ", &[" and "]),
        ("compared ", &[" to ", " with "]),
        ("compare ", &[" and ", " with ", " to "]),
    ] {
        if let Some(at) = lower.find(start) {
            let from = at + start.len();
            let found =
                joints.iter().find_map(|joint| Some((lower[from..].find(joint)? + from, joint.len())));
            let (middle, length) = found?;
            return sides(&text[from..middle], &text[middle + length..]);
        }
    }
    None
}

fn sides(left: &str, right: &str) -> Option<Vec<String>> {
    let side = |text: &str| {
        let text = text.trim().trim_start_matches("between ").trim_matches([',', ';', ':']);
        (!text.is_empty()).then(|| text.to_owned())
    };
    Some(vec![side(left)?, side(right)?])
}

/// "... the X, Y and Z of ...": one question each with X, Y and Z alone. These must be single words.
fn enumeration(sentence: &str) -> Option<Vec<String>> {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let joint = words.iter().position(|word| matches!(word.to_ascii_lowercase().as_str(), "and" | "or"))?;
    let of = words.get(joint + 2)?.to_ascii_lowercase();
    if joint < 2 || !matches!(of.as_str(), "of" | "for" | "in" | "to" | "with" | "from" | "between") {
        return None;
    }
    // Leftwards over `X,` to the first of the enumeration.
    let mut first = joint - 1;
    while first > 0 && words[first - 1].ends_with(',') {
        first -= 1;
    }
    if first == 0 {
        return None;
    }
    let items: Vec<&str> =
        words[first..joint].iter().chain([&words[joint + 1]]).map(|word| bare(word)).collect();
    let with = |item: &str| {
        let all: Vec<&str> =
            words[..first].iter().copied().chain([item]).chain(words[joint + 2..].iter().copied()).collect();
        all.join(" ")
    };
    Some(items.into_iter().filter(|item| !item.is_empty()).map(with).collect())
}

/// "X and Y", which is no question: X, and Y.
fn two_topics(sentence: &str) -> Option<Vec<String>> {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    if sentence.ends_with('?') || QUESTION_WORDS.contains(&bare(words.first()?).to_lowercase().as_str()) {
        return None;
    }
    let mut joints = words.iter().enumerate().filter(|(_, word)| word.eq_ignore_ascii_case("and"));
    let (joint, _) = joints.next()?;
    if joints.next().is_some() {
        return None;
    }
    sides(&words[..joint].join(" "), &words[joint + 1..].join(" "))
}

fn bare(word: &str) -> &str {
    word.trim_matches(|character: char| !character.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn synonyms_replace_whole_words_and_phrases() {
        let queries = expand_with_synonyms(
            "Rust, trust; New York",
            &[("rust", &["R"]), ("new york", &["NYC"]), ("", &["x"])],
        );
        assert_eq!(queries, ["Rust, trust; New York", "R, trust; New York", "Rust, trust; NYC"]);
    }

    #[test]
    fn questions_are_taken_apart() {
        for (query, expected) in [
            ("What is a log? Why is it synced?", vec!["What is a log?", "Why is it synced?"]),
            (
                "How does the log work and why is it synced?",
                vec!["How does the log work?", "why is it synced?"],
            ),
            ("What is the difference between a list and a tuple?", vec!["a list", "a tuple"]),
            ("list versus tuple", vec!["list", "tuple"]),
            ("Compare generators with iterators", vec!["generators", "iterators"]),
            (
                "the speed, size and cost of sets",
                vec!["the speed of sets", "the size of sets", "the cost of sets"],
            ),
            ("How are bread and butter made?", vec!["How are bread and butter made?"]),
            ("benefits and drawbacks", vec!["benefits", "drawbacks"]),
            ("bread and butter and jam", vec!["bread and butter and jam"]),
            ("  ", vec![""]),
        ] {
            assert_eq!(decompose(query, 9), expected, "{query}");
        }
        assert_eq!(decompose("What is a? What is b? What is c?", 2).len(), 2);
    }

    #[test]
    fn variations_need_a_question() {
        assert_eq!(generate_variations("sort lists", &["guide to"]), ["sort lists"]);
        assert_eq!(generate_variations("how to", &["guide to"]), ["how to"]);
        assert_eq!(generate_variations("how tops spin", &["guide to"]), ["how tops spin"]);
    }

    proptest! {
        #[test]
        fn anything_is_taken_apart_into_something(query in "(\\PC|and | or |, |of |compare | vs |between |\u{130}){0,12}", most in 0_usize..4) {
            let questions = decompose(&query, most);
            prop_assert!((1..=most.max(1)).contains(&questions.len()));
        }
    }
}
