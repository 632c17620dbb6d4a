//! Chunks of documents put together again: by where they are, never by what they look like.

/// A chunk of a document: where it is, in characters, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The document.
    pub doc_id: String,
    /// Where it begins in the document, in characters.
    pub start: usize,
    /// Its text.
    pub text: String,
}

/// Several chunks of one document as one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedChunk {
    /// The document.
    pub doc_id: String,
    /// Where it begins in the document, in characters.
    pub start: usize,
    /// Where it ends, in characters.
    pub end: usize,
    /// Its text.
    pub text: String,
    /// The places of the chunks it is made of, among those that were given, in the order of the document.
    pub chunks: Vec<usize>,
}

/// Puts chunks of the same document together that overlap or touch, or have at most `gap` characters between them; what is
/// missing there (white space that a splitter dropped) becomes that many spaces. The results are in the order of their best,
/// that is first given, chunk.
///
/// O(n log n + characters).
///
/// # Examples
///
/// ```
/// use vecstore_rag::{Chunk, merge_chunks};
///
/// let chunk = |start, text: &str| Chunk { doc_id: "a".into(), start, text: text.into() };
/// let merged = merge_chunks(&[chunk(4, "two three"), chunk(0, "one two"), chunk(90, "far")], 0);
/// assert_eq!(merged[0].text, "one two three");
/// assert_eq!(merged[0].chunks, [1, 0]);
/// assert_eq!(merged[1].text, "far");
/// ```
pub fn merge_chunks(chunks: &[Chunk], gap: usize) -> Vec<MergedChunk> {
    let mut order: Vec<usize> = (0..chunks.len()).collect();
    order.sort_by_key(|&at| (&chunks[at].doc_id, chunks[at].start, at));
    let mut merged: Vec<MergedChunk> = Vec::new();
    for at in order {
        let chunk = &chunks[at];
        match merged.last_mut() {
            Some(last) if last.doc_id == chunk.doc_id && chunk.start <= last.end.saturating_add(gap) => {
                last.append(chunk);
                last.chunks.push(at);
            }
            _ => merged.push(MergedChunk {
                doc_id: chunk.doc_id.clone(),
                start: chunk.start,
                end: chunk.start.saturating_add(chunk.text.chars().count()),
                text: chunk.text.clone(),
                chunks: vec![at],
            }),
        }
    }
    merged.sort_by_key(|one| one.chunks.iter().copied().min());
    merged
}

impl MergedChunk {
    fn append(&mut self, chunk: &Chunk) {
        for _ in self.end..chunk.start {
            self.text.push(' ');
        }
        let known = self.end.max(chunk.start) - chunk.start;
        let mut rest = chunk.text.chars();
        if known > 0 && rest.nth(known - 1).is_none() {
            return;
        }
        let rest = rest.as_str();
        self.text.push_str(rest);
        self.end = self.end.max(chunk.start) + rest.chars().count();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn gaps_are_filled_and_documents_stay_apart() {
        let chunk = |doc: &str, start, text: &str| Chunk { doc_id: doc.into(), start, text: text.into() };
        let chunks = [chunk("b", 0, "x"), chunk("a", 5, "d"), chunk("a", 0, "abc"), chunk("a", 1, "b")];
        let texts = |gap| merge_chunks(&chunks, gap).into_iter().map(|one| one.text).collect::<Vec<_>>();
        assert_eq!(texts(0), ["x", "d", "abc"]);
        assert_eq!(texts(2), ["x", "abc  d"]);
        assert!(merge_chunks(&[], 0).is_empty());
    }

    proptest! {
        #[test]
        fn chunks_of_a_text_become_the_text(
            text in "[a-z\u{e9}\u{1f600} ]{1,60}",
            cuts in prop::collection::vec((0_usize..60, 1_usize..20), 1..20),
        ) {
            let characters: Vec<char> = text.chars().collect();
            let chunks: Vec<Chunk> = cuts
                .into_iter()
                .filter(|(start, _)| *start < characters.len())
                .map(|(start, length)| {
                    let end = (start + length).min(characters.len());
                    Chunk { doc_id: "a".into(), start, text: characters[start..end].iter().collect() }
                })
                .collect();
            for merged in merge_chunks(&chunks, 0) {
                let expected: String = characters[merged.start..merged.end].iter().collect();
                prop_assert_eq!(merged.text, expected);
            }
        }
    }
}
