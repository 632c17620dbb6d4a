//! Passages of a text that show why it was found.

use std::ops::Range;

use vecstore_text::Analyzer;

use super::parse::{Asked, Occurs, parse};

/// How passages are cut and marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Highlight {
    /// What stands before a word that was asked for.
    pub before: String,
    /// What stands after it.
    pub after: String,
    /// The most characters of a passage, without the marks; 0 is the whole text.
    pub length: usize,
    /// The most passages.
    pub passages: usize,
}

impl Default for Highlight {
    fn default() -> Self {
        Self { before: "<b>".to_owned(), after: "</b>".to_owned(), length: 160, passages: 3 }
    }
}

/// Returns the passages of a text with the most different words of a query, in the order of the text; none if it has none.
pub(crate) fn highlight(text: &str, keywords: &str, analyzer: Analyzer, how: &Highlight) -> Vec<String> {
    let matches = matches(text, keywords, analyzer);
    if matches.is_empty() || how.passages == 0 {
        return Vec::new();
    }
    if how.length == 0 {
        return vec![marked(text, 0..text.len(), &matches, how)];
    }
    let mut passages: Vec<Range<usize>> = Vec::new();
    let mut left: Vec<&(Range<usize>, usize)> = matches.iter().collect();
    while passages.len() < how.passages {
        let Some(passage) = best_passage(text, &left, how.length) else { break };
        left.retain(|(range, _)| range.end <= passage.start || range.start >= passage.end);
        passages.push(passage);
    }
    passages.sort_by_key(|passage| passage.start);
    passages.into_iter().map(|passage| marked(text, passage, &matches, how)).collect()
}

/// Returns where the text has what the query asks for, each with the number of what it is.
fn matches(text: &str, keywords: &str, analyzer: Analyzer) -> Vec<(Range<usize>, usize)> {
    let mut terms: Vec<String> = Vec::new();
    let mut prefixes: Vec<String> = Vec::new();
    for clause in parse(keywords, analyzer).into_iter().filter(|clause| clause.occurs != Occurs::MustNot) {
        match clause.asked {
            Asked::Terms(asked) | Asked::Phrase(asked) => {
                terms.extend(asked.into_iter().map(|(term, _)| term));
            }
            Asked::Prefix(prefix) => prefixes.push(prefix),
        }
    }
    let number = |term: &str| {
        let whole = terms.iter().position(|asked| asked == term);
        whole.or_else(|| {
            Some(terms.len() + prefixes.iter().position(|prefix| term.starts_with(prefix.as_str()))?)
        })
    };
    let mut matches: Vec<(Range<usize>, usize)> = Vec::new();
    for token in analyzer.tokens(text) {
        let Some(number) = number(&token.term) else { continue };
        match matches.last_mut() {
            // Terms of one word, as those of an identifier, are marked once.
            Some((last, _)) if token.start < last.end => last.end = last.end.max(token.end),
            _ => matches.push((token.start..token.end, number)),
        }
    }
    matches
}

/// Returns the run of `length` characters with the most different words, the first of several.
fn best_passage(text: &str, matches: &[&(Range<usize>, usize)], length: usize) -> Option<Range<usize>> {
    let mut best: Option<((usize, usize), Range<usize>)> = None;
    for (n, (first, _)) in matches.iter().enumerate() {
        let end = nth_boundary(text, first.start, length);
        let within = matches[n..].iter().take_while(|(range, _)| range.end <= end);
        let mut seen: Vec<usize> = within.clone().map(|(_, number)| *number).collect();
        let (all, last) = (seen.len(), within.last().map_or(first.end, |(range, _)| range.end));
        seen.sort_unstable();
        seen.dedup();
        let worth = (seen.len(), all);
        if best.as_ref().is_none_or(|(other, _)| worth > *other) {
            best = Some((worth, first.start..last));
        }
    }
    let (_, core) = best?;
    // As much before as behind, at the edges of words.
    let spare = length.saturating_sub(text[core.clone()].chars().count());
    let start =
        text[..core.start].char_indices().rev().take(spare / 2).last().map_or(core.start, |(at, _)| at);
    let before = text[start..core.start].chars().count();
    let end = nth_boundary(text, core.end, spare - before);
    let start = if start == 0 { 0 } else { start + word_edge(&text[start..core.start]) };
    let tail = &text[core.end..end];
    let end = if end == text.len() { end } else { core.end + tail.rfind(char::is_whitespace).unwrap_or(0) };
    Some(start..end)
}

/// Returns where the first whole word starts, or the end if there is none.
fn word_edge(text: &str) -> usize {
    let Some(space) = text.find(char::is_whitespace) else { return text.len() };
    text.len() - text[space..].trim_start().len()
}

/// Returns the boundary `count` characters behind `start`.
fn nth_boundary(text: &str, start: usize, count: usize) -> usize {
    text[start..].char_indices().nth(count).map_or(text.len(), |(at, _)| start + at)
}

fn marked(text: &str, passage: Range<usize>, matches: &[(Range<usize>, usize)], how: &Highlight) -> String {
    let mut out = String::new();
    let mut at = passage.start;
    let within = |range: &Range<usize>| range.start >= passage.start && range.end <= passage.end;
    for (range, _) in matches.iter().filter(|(range, _)| within(range)) {
        out.push_str(&text[at..range.start]);
        out.push_str(&how.before);
        out.push_str(&text[range.clone()]);
        out.push_str(&how.after);
        at = range.end;
    }
    out.push_str(&text[at..passage.end]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, keywords: &str, length: usize) -> Vec<String> {
        let how = Highlight { before: "[".to_owned(), after: "]".to_owned(), length, passages: 2 };
        highlight(text, keywords, "english".parse().unwrap(), &how)
    }

    #[test]
    fn words_that_were_asked_for_are_marked() {
        let text = "Runners ran; a dog barked.";
        assert_eq!(shown(text, "runner +dogs -ran bark*", 0), ["[Runners] ran; a [dog] [barked]."]);
        assert!(shown(text, "cat", 0).is_empty());
    }

    #[test]
    fn passages_are_where_most_words_are() {
        let text = format!(
            "{} solar power {} wind and solar power together {}",
            "x ".repeat(40),
            "y ".repeat(40),
            "z ".repeat(40)
        );
        let passages = shown(&text, "solar wind power", 40);
        assert_eq!(passages.len(), 2);
        assert!(passages[1].contains("[wind] and [solar] [power]"), "{passages:?}");
        for passage in passages {
            assert!(passage.replace(['[', ']'], "").chars().count() <= 40, "{passage}");
        }
    }
}
