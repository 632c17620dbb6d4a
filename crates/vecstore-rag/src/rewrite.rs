//! A question in other words, by rules: what stands in for a language model where there is none.

use crate::expand::{after_opening, expand_with_synonyms};
use crate::words::is_stop_word;

/// Returns at most `most` other wordings of a query, the most useful first, none of them the query itself:
///
/// - one for each synonym of its words and phrases;
/// - only its keywords, without the words that every question has;
/// - without the beginning that makes it a question;
/// - with the words of its identifiers apart: `getUserName`, `user_name`, `user-name`.
///
/// Searched for beside the query and fused, they find what shares words or meaning with the matter of a question, not with its
/// form. English, but for the synonyms.
///
/// ```
/// let wordings = vecstore_rag::reword("How do I sort a list?", &[("sort", &["order"])], 3);
/// assert_eq!(wordings, ["How do I order a list?", "sort list", "sort a list"]);
/// ```
pub fn reword<S: AsRef<str>>(query: &str, synonyms: &[(&str, &[S])], most: usize) -> Vec<String> {
    let mut wordings: Vec<String> = Vec::new();
    let bare = plain(query);
    let mut add = |wording: String| {
        let known = |other: &String| plain(other).eq_ignore_ascii_case(plain(&wording));
        let says_something = wording.chars().any(char::is_alphanumeric);
        if says_something && !bare.eq_ignore_ascii_case(plain(&wording)) && !wordings.iter().any(known) {
            wordings.push(wording);
        }
    };
    expand_with_synonyms(query, synonyms).into_iter().skip(1).for_each(&mut add);
    add(keywords(query));
    if let Some(rest) = after_opening(query) {
        add(plain(rest).to_owned());
    }
    add(identifiers_apart(query));
    wordings.truncate(most);
    wordings
}

/// Returns the beginning of a passage that would answer a question: a statement in place of the question.
/// Its vector is nearer to those of answers than that of the question is. English. Where it is not certain which words are the
/// subject and which the verb, the words stay as they are asked.
///
/// ```
/// assert_eq!(vecstore_rag::answer_opening("What is a segment?"), "A segment is");
/// assert_eq!(vecstore_rag::answer_opening("How do I sort a list?"), "To sort a list,");
/// assert_eq!(vecstore_rag::answer_opening("Why is the log synced?"), "The log is synced because");
/// ```
pub fn answer_opening(query: &str) -> String {
    let text = plain(query);
    let words: Vec<&str> = text.split_whitespace().collect();
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let from = |at: usize| words[at..].join(" ");
    let opening = match lower[..] {
        ["how", "to", _, ..] => format!("to {},", from(2)),
        ["how", "do" | "can" | "could" | "should" | "would", "i" | "we" | "you" | "one", _, ..] => {
            format!("to {},", from(3))
        }
        ["what", "does", .., last] if last == "mean" && words.len() > 3 => {
            format!("{} means", words[2..words.len() - 1].join(" "))
        }
        ["what" | "who", verb, _, ..] if is_copula(verb) => format!("{} {verb}", from(2)),
        ["which", _, ..] => format!("the {} is", from(1)),
        [asked, verb, _, ..] if is_adverb(asked) && is_auxiliary(verb) => {
            match statement(verb, &words[2..], &lower[2..]) {
                Some(statement) => statement + joint(asked),
                None => text.to_owned(),
            }
        }
        [verb, _, ..] if is_auxiliary(verb) => {
            statement(verb, &words[1..], &lower[1..]).unwrap_or_else(|| text.to_owned())
        }
        _ => text.to_owned(),
    };
    capitalised(opening.trim())
}

/// "is" and "the log synced": "the log is synced"; "does" and "vecstore store vectors": "vecstore stores vectors". None
/// where it is not certain which of the words is the verb.
fn statement(auxiliary: &str, words: &[&str], lower: &[&str]) -> Option<String> {
    let at = verb_at(auxiliary, lower)?;
    let (subject, predicate) = words.split_at(at);
    let (verb, rest) = predicate.split_first()?;
    let verb = match auxiliary {
        "do" => (*verb).to_owned(),
        "does" => third_person(verb),
        _ => format!("{auxiliary} {verb}"),
    };
    Some(
        subject
            .iter()
            .copied()
            .chain([verb.as_str()])
            .chain(rest.iter().copied())
            .collect::<Vec<_>>()
            .join(" "),
    )
}

/// Returns the place of the verb behind a subject. It follows a pronoun; otherwise it is the last of two words, or of three that
/// begin with an article, or else the only word that is a verb in the form that the auxiliary asks for.
fn verb_at(auxiliary: &str, lower: &[&str]) -> Option<usize> {
    let first = lower.first()?;
    if is_pronoun(first) {
        return Some(1);
    }
    let least = if is_determiner(first) { 2 } else { 1 };
    if lower.len() == least + 1 {
        return Some(least);
    }
    let is_verb = |word: &str| if is_copula(auxiliary) { is_participle(word) } else { VERBS.contains(&word) };
    let mut verbs = (least..lower.len()).filter(|at| is_verb(lower[*at]));
    let found = verbs.next()?;
    verbs.next().is_none().then_some(found)
}

/// What software and people do, in questions about them.
const VERBS: &[&str] = &[
    "accept", "allow", "apply", "begin", "belong", "break", "build", "call", "cause", "change", "check",
    "choose", "close", "come", "compare", "compute", "contain", "convert", "cost", "crash", "create",
    "decide", "delete", "depend", "differ", "ensure", "exist", "expect", "fail", "find", "fit", "follow",
    "get", "give", "go", "grow", "handle", "happen", "have", "help", "hold", "ignore", "include", "keep",
    "know", "last", "lead", "learn", "leave", "let", "live", "lose", "make", "matter", "mean", "measure",
    "move", "need", "occur", "open", "prevent", "produce", "provide", "put", "raise", "reach", "read",
    "receive", "recover", "refuse", "remove", "require", "return", "run", "save", "see", "send", "show",
    "sort", "split", "start", "stay", "stop", "store", "support", "take", "tell", "throw", "treat", "try",
    "use", "wait", "want", "work", "write",
];

/// "store": "stores"; "try": "tries"; "go": "goes".
fn third_person(verb: &str) -> String {
    let before_y = verb.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match before_y {
        _ if verb == "have" => "has".to_owned(),
        _ if verb == "be" => "is".to_owned(),
        Some(stem) => format!("{stem}ies"),
        None if ["s", "x", "z", "ch", "sh", "o"].iter().any(|end| verb.ends_with(end)) => format!("{verb}es"),
        None => format!("{verb}s"),
    }
}

fn is_participle(word: &str) -> bool {
    const IRREGULAR: &[&str] = &[
        "born", "bound", "broken", "built", "called", "caught", "chosen", "cut", "done", "drawn", "driven",
        "found", "given", "held", "hidden", "kept", "known", "left", "lost", "made", "met", "paid", "put",
        "read", "run", "said", "seen", "sent", "set", "shown", "sold", "split", "spent", "taken", "taught",
        "thrown", "told", "written",
    ];
    word.len() > 4 && (word.ends_with("ed") || word.ends_with("ing")) || IRREGULAR.contains(&word)
}

fn is_pronoun(word: &str) -> bool {
    matches!(word, "i" | "you" | "he" | "she" | "it" | "we" | "they" | "there" | "one")
}

fn joint(asked: &str) -> &'static str {
    match asked {
        "why" => " because",
        "how" => " by",
        "where" => " in",
        _ => " when",
    }
}

fn is_adverb(word: &str) -> bool {
    matches!(word, "why" | "when" | "where" | "how")
}

fn is_copula(word: &str) -> bool {
    matches!(word, "is" | "are" | "was" | "were")
}

/// What stands before a subject that is asked about. "Did" and "has" are not here: the verb behind them would change.
fn is_auxiliary(word: &str) -> bool {
    is_copula(word) || matches!(word, "do" | "does" | "can" | "could" | "should" | "would" | "will" | "must")
}

fn is_determiner(word: &str) -> bool {
    matches!(
        word.to_lowercase().as_str(),
        "the"
            | "a"
            | "an"
            | "this"
            | "that"
            | "these"
            | "those"
            | "my"
            | "our"
            | "your"
            | "its"
            | "their"
            | "each"
            | "every"
            | "all"
            | "some"
            | "any"
            | "no"
    )
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}

/// Without marks at the end.
fn plain(text: &str) -> &str {
    text.trim().trim_end_matches(['?', '.', '!', ' '])
}

/// The words that say what a query is about, as they are written.
fn keywords(query: &str) -> String {
    let bare = |word: &&str| word.trim_matches(|sign: char| !sign.is_alphanumeric()).to_lowercase();
    let kept: Vec<&str> = plain(query).split_whitespace().filter(|word| !is_stop_word(&bare(word))).collect();
    kept.join(" ")
}

/// Puts spaces between the words that identifiers are made of.
fn identifiers_apart(query: &str) -> String {
    let mut apart = String::with_capacity(query.len());
    let mut characters = plain(query).chars().peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        let after = characters.peek().copied().unwrap_or(' ');
        let inside = before.is_alphanumeric() && after.is_alphanumeric();
        if inside && matches!(character, '_' | '-' | '.' | ':' | '/') && !after.is_numeric() {
            apart.push(' ');
        } else {
            if before.is_lowercase() && character.is_uppercase() {
                apart.push(' ');
            }
            apart.push(character);
        }
        before = character;
    }
    apart
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONE: &[(&str, &[&str])] = &[];

    #[test]
    fn wordings_differ_from_the_query_and_each_other() {
        assert_eq!(reword("sort lists", NONE, 9), [] as [String; 0]);
        assert_eq!(
            reword("What is getUserName for?", NONE, 9),
            ["getUserName", "getUserName for", "What is get User Name for"]
        );
        let synonyms: &[(&str, &[&str])] = &[("car", &["automobile", "vehicle"]), ("fast", &["quick"])];
        assert_eq!(reword("a fast car", synonyms, 3), ["a fast automobile", "a fast vehicle", "a quick car"]);
        assert_eq!(reword("a fast car", synonyms, 0), [] as [String; 0]);
    }

    #[test]
    fn questions_become_statements() {
        for (question, expected) in [
            ("What are slots?", "Slots are"),
            ("Who was Ada Lovelace?", "Ada Lovelace was"),
            ("how to sort a list", "To sort a list,"),
            ("What does GIL mean?", "GIL means"),
            ("When is the log synced?", "The log is synced when"),
            ("Where does vecstore store vectors?", "Vecstore stores vectors in"),
            ("Where does the storage engine keep its log?", "The storage engine keeps its log in"),
            ("Why is the write-ahead log synced?", "The write-ahead log is synced because"),
            ("When does it try again?", "It tries again when"),
            ("How do splitters work?", "Splitters work by"),
            ("Does a lambda pickle?", "A lambda pickles"),
            ("Why does the vector store keep logs?", "Why does the vector store keep logs"),
            ("Where did the war end?", "Where did the war end"),
            ("Is big data faster than small?", "Is big data faster than small"),
            ("Can I pickle a lambda?", "I can pickle a lambda"),
            ("segments and manifests", "Segments and manifests"),
            ("", ""),
        ] {
            assert_eq!(answer_opening(question), expected, "{question}");
        }
    }

    proptest! {
        #[test]
        fn anything_is_reworded(query in "(\\PC|what |is |how |do |i |the |\u{130}|a_b|aB){0,12}", most in 0_usize..5) {
            prop_assert!(reword(&query, &[("a", &["b", "c"])], most).len() <= most);
            let opening = answer_opening(&query);
            prop_assert!(query.chars().all(|sign| !sign.is_alphanumeric()) || !opening.is_empty());
        }
    }
}
