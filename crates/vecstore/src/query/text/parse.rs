//! What the keywords of a query ask for: words, phrases, prefixes, and what must be there or must not.
//!
//! There is no error: every text is a query. A quote that is not closed reaches to the end; a sign counts only directly
//! before a word or a quote that it begins.

use vecstore_text::Analyzer;

/// Whether records must have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occurs {
    May,
    Must,
    MustNot,
}

/// What records may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A term, with its position in the word or phrase that it is of.
    Terms(Vec<(String, u32)>),
    /// The terms in a row.
    Phrase(Vec<(String, u32)>),
    /// Any term that starts so.
    Prefix(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) occurs: Occurs,
    pub(super) asked: Asked,
}

pub(super) fn parse(keywords: &str, analyzer: Analyzer) -> Vec<Clause> {
    let mut clauses = Vec::new();
    let mut rest = keywords.trim_start();
    while !rest.is_empty() {
        let (occurs, after) = sign(rest);
        if let Some(quoted) = after.strip_prefix('"') {
            let (phrase, behind) = quoted.split_once('"').unwrap_or((quoted, ""));
            let terms = terms(phrase, analyzer);
            // A phrase that may be there must be: who quotes words means these.
            let occurs = if occurs == Occurs::May { Occurs::Must } else { occurs };
            if !terms.is_empty() {
                clauses.push(Clause { occurs, asked: Asked::Phrase(terms) });
            }
            rest = behind.trim_start();
            continue;
        }
        let end = after.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(after.len());
        let (word, behind) = after.split_at(end);
        rest = behind.trim_start();
        push_word(word, occurs, analyzer, &mut clauses);
    }
    clauses
}

/// Takes the sign before a word or a quote.
fn sign(rest: &str) -> (Occurs, &str) {
    let occurs = match rest.as_bytes()[0] {
        b'+' => Occurs::Must,
        b'-' => Occurs::MustNot,
        _ => return (Occurs::May, rest),
    };
    let after = &rest[1..];
    match after.chars().next() {
        Some(next) if !next.is_whitespace() => (occurs, after),
        _ => (Occurs::May, rest),
    }
}

fn push_word(word: &str, occurs: Occurs, analyzer: Analyzer, clauses: &mut Vec<Clause>) {
    let Some(stem) = word.strip_suffix('*') else {
        let terms = terms(word, analyzer);
        let asked = match occurs {
            // What is one word to the writer of the query is left out where it stands as it does there.
            Occurs::MustNot if terms.len() > 1 => Asked::Phrase(terms),
            _ => Asked::Terms(terms),
        };
        clauses.push(Clause { occurs, asked });
        return;
    };
    // What comes before the last letters may be words of their own: `e-mai*`.
    let (before, prefix) = analyzer.split_prefix(stem);
    if !before.is_empty() && occurs != Occurs::MustNot {
        clauses.push(Clause { occurs, asked: Asked::Terms(terms(before, analyzer)) });
    }
    if !prefix.is_empty() {
        clauses.push(Clause { occurs, asked: Asked::Prefix(prefix) });
    }
}

fn terms(text: &str, analyzer: Analyzer) -> Vec<(String, u32)> {
    analyzer.tokens(text).into_iter().map(|token| (token.term, token.position)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(keywords: &str) -> Vec<(Occurs, String)> {
        let show = |asked: &Asked| match asked {
            Asked::Terms(terms) => terms.iter().map(|term| term.0.clone()).collect::<Vec<_>>().join(" "),
            Asked::Phrase(terms) => {
                format!("{:?}", terms.iter().map(|term| term.0.as_str()).collect::<Vec<_>>().join(" "))
            }
            Asked::Prefix(prefix) => format!("{prefix}*"),
        };
        let analyzer = Analyzer::default();
        parse(keywords, analyzer).iter().map(|clause| (clause.occurs, show(&clause.asked))).collect()
    }

    #[test]
    fn signs_quotes_and_stars_are_read() {
        use Occurs::{May, Must, MustNot};
        let expected = [
            (May, "a"),
            (Must, "b"),
            (MustNot, "c"),
            (Must, "\"d e\""),
            (MustNot, "\"f g\""),
            (May, "h*"),
            (MustNot, "\"e mail\""),
        ];
        let expected = expected.map(|(occurs, shown)| (occurs, shown.to_owned()));
        assert_eq!(parsed("A +b -c \"D, e\" -\"f g\" H* -e-mail"), expected);
    }

    #[test]
    fn what_is_no_syntax_is_words() {
        use Occurs::{May, Must};
        assert_eq!(
            parsed("well-known - + a+b"),
            [
                (May, "well known".to_owned()),
                (May, String::new()),
                (May, String::new()),
                (May, "a b".to_owned())
            ]
        );
        assert_eq!(parsed("a \"b c"), [(May, "a".to_owned()), (Must, "\"b c\"".to_owned())]);
        assert_eq!(parsed("e-mai*"), [(May, "e".to_owned()), (May, "mai*".to_owned())]);
        assert_eq!(parsed("* \"\" \"...\""), []);
        assert_eq!(parsed("a\"b\""), [(May, "a".to_owned()), (Must, "\"b\"".to_owned())]);
    }
}
