//! Splitting HTML along its blocks.

mod elements;
mod entities;

use std::ops::Range;
use std::sync::Arc;

use self::elements::{Document, Kind, read};
use super::chunks::{Chunks, Contexts, Field};
use super::error::Result;
use super::levels::{LINES, Level, PROSE};
use super::measured::{Measured, measured_splitter};
use super::outline::{Outline, push_outline};

measured_splitter! {
    /// Splits HTML: elements that are blocks are whole where they fit, others fall into their blocks, text into sentences.
    ///
    /// - A chunk is a slice of the source, tags included; tags are not cut unless one alone is too large. A heading starts
    ///   a new chunk.
    /// - Chunks in which nothing is visible are left out: those of `script`, `style`, `template`, `iframe`, `svg`, comments,
    ///   tags alone. A `script` or `style` that does not end takes the rest of the text with it, as in browsers.
    /// - What is known of a chunk: `text`, what is visible of it, without tags, references to common characters resolved;
    ///   `headers` and `header_levels`, the headings above the start of that text, outermost first.
    /// - Every text is HTML: what is malformed is read as browsers do, roughly.
    ///
    /// Costs the length of the text, however deep it is nested.
    ///
    /// ```
    /// use vecstore_text::split::{FieldValue, HtmlSplitter, Limits, Splitter};
    ///
    /// let text = "<h1>Tea</h1><p>Green &amp; <b>black</b>.</p><h2>Pots</h2><p>Round.</p>";
    /// let chunks = HtmlSplitter::new(Limits::new(45, 0)?).split(text)?;
    /// let texts: Vec<&str> = chunks.texts(text).collect();
    /// assert_eq!(texts, ["<h1>Tea</h1><p>Green &amp; <b>black</b>.</p>", "<h2>Pots</h2><p>Round.</p>"]);
    /// assert_eq!(chunks.context(0)[0].value, FieldValue::Text("Tea\nGreen & black.".into()));
    /// # Ok::<(), vecstore_text::split::SplitError>(())
    /// ```
    HtmlSplitter,
    split
}

fn split(measured: &Measured, text: &str) -> Result<Chunks> {
    let mut document = read(text);
    let chunks = measured.pack(text, |packer| {
        let mut roots = Vec::new();
        document.siblings(0, document.nodes.len(), &mut roots);
        push_outline(&mut document, roots, 0..text.len(), packer)?;
        Ok(Contexts::default())
    })?;
    Ok(described(text, &document, chunks.ranges))
}

impl Outline for Document {
    type Node = usize;

    fn span(&self, node: usize) -> Range<usize> {
        self.nodes[node].start..self.nodes[node].end
    }

    fn children(&mut self, node: usize, into: &mut Vec<usize>) {
        self.siblings(node + 1, self.nodes[node].after, into);
    }

    fn levels(&self, node: usize) -> &'static [Level] {
        match self.nodes[node].kind {
            Kind::Hidden => LINES,
            _ => PROSE,
        }
    }

    fn stands_alone(&self, node: usize) -> bool {
        self.nodes[node].kind == Kind::Hidden
    }

    fn stands_apart(&self, node: usize) -> bool {
        self.nodes[node].kind == Kind::Hidden
    }

    fn starts_chunk(&self, node: usize) -> bool {
        self.nodes[node].leads || self.nodes[node].kind == Kind::Hidden
    }
}

/// Leaves out chunks in which nothing is visible, and notes what is known of the others.
fn described(text: &str, document: &Document, ranges: Vec<Range<usize>>) -> Chunks {
    let mut chunks = Chunks::plain(Vec::with_capacity(ranges.len()));
    let mut contexts = Contexts::default();
    let mut path: Vec<(usize, &str)> = Vec::new();
    let (mut visible, mut headings) = (0, document.headings.iter().peekable());
    for range in ranges {
        while document.visible.get(visible).is_some_and(|run| run.end <= range.start) {
            visible += 1;
        }
        let runs = &document.visible[visible..];
        let inside = runs.iter().take_while(|run| run.start < range.end);
        let shown = entities::shown(text, &range, inside.cloned(), &document.breaks, usize::MAX);
        if shown.is_empty() {
            continue;
        }
        let from = runs.first().map_or(range.start, |run| run.start.max(range.start));
        while let Some(heading) = headings.next_if(|heading| heading.start <= from) {
            while path.last().is_some_and(|(level, _)| *level >= heading.level) {
                path.pop();
            }
            path.push((heading.level, &heading.title));
        }
        let mut fields = vec![Field::new("text", shown)];
        if !path.is_empty() {
            let titles: Vec<String> = path.iter().map(|(_, title)| (*title).to_owned()).collect();
            let levels: Vec<usize> = path.iter().map(|(level, _)| *level).collect();
            fields.extend([Field::new("headers", titles), Field::new("header_levels", levels)]);
        }
        contexts.push(range.start, &Arc::new(fields));
        chunks.ranges.push(range);
    }
    chunks.contexts = contexts;
    chunks
}
