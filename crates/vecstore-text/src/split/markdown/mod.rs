//! Splitting Markdown along its sections and blocks.

mod blocks;

use std::ops::Range;
use std::sync::Arc;

use self::blocks::{Block, Blocks, Kind, read};
use super::chunks::{Chunks, Contexts, Field};
use super::error::Result;
use super::levels::{LINES, Level, PROSE, push_pieces};
use super::measured::{Measured, measured_splitter};
use super::outline::{Outline, push_outline};
use super::packer::Packer;

measured_splitter! {
    /// Splits Markdown (CommonMark, with tables and front matter) by sections, then by blocks.
    ///
    /// - A chunk is of one section. Headings with nothing of their own go with the section below them.
    /// - A heading stays with the start of its text, unless that is a code block or a table that fits only without it.
    /// - Code blocks, tables, list items and paragraphs are whole where they fit. Otherwise tables fall into rows, code into
    ///   lines, lists into items, and paragraphs into sentences.
    /// - What is known of a chunk: `headers`, the headings above its start, outermost first, as plain text, and
    ///   `header_levels`, the level of each.
    ///
    /// Costs the length of the text, however deep it is nested.
    ///
    /// ```
    /// use vecstore_text::split::{FieldValue, Limits, MarkdownSplitter, Splitter};
    ///
    /// let text = "# Guide\n\n## Install\n\nRun `pip`.\n\n## Use\n\nImport it.\n";
    /// let chunks = MarkdownSplitter::new(Limits::new(40, 0)?).split(text)?;
    /// let texts: Vec<&str> = chunks.texts(text).collect();
    /// assert_eq!(texts, ["# Guide\n\n## Install\n\nRun `pip`.", "## Use\n\nImport it."]);
    /// let path = FieldValue::Texts(vec!["Guide".into(), "Use".into()]);
    /// assert_eq!(chunks.context(1)[0].value, path);
    /// # Ok::<(), vecstore_text::split::SplitError>(())
    /// ```
    MarkdownSplitter,
    split
}

fn split(measured: &Measured, text: &str) -> Result<Chunks> {
    measured.pack(text, |packer| {
        let mut blocks = read(text);
        let top: Vec<usize> = blocks.siblings(0, blocks.len()).collect();
        let sections = sections(&blocks, &top, text.len());
        let mut contexts = Contexts::default();
        let mut path = Path::default();
        // Where the headings begin that have nothing between them and the section at hand.
        let mut run = 0;
        for (index, section) in sections.iter().enumerate() {
            if let Some((at, level)) = section.heading {
                path.enter(level, blocks.title(at));
            }
            push_section(&mut blocks, section, &top, packer)?;
            let below = sections.get(index + 1).and_then(|next| next.heading);
            let leads = section.heading.zip(below).is_some_and(|((at, level), (_, below))| {
                below > level && packer.ruler().edges.is_blank(blocks.at(at).end..section.range.end)
            });
            if !leads {
                contexts.push(run, &path.fields());
                packer.flush()?;
                run = section.range.end;
            }
        }
        Ok(contexts)
    })
}

/// A heading, if there is one, and what is below it up to the next.
struct Section {
    range: Range<usize>,
    /// Its block and level.
    heading: Option<(usize, usize)>,
    /// Which of the outermost blocks are below it.
    body: Range<usize>,
}

fn sections(blocks: &Blocks, top: &[usize], length: usize) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut current = Section { range: 0..0, heading: None, body: 0..0 };
    for (index, &at) in top.iter().enumerate() {
        if let Kind::Heading(level) = blocks.at(at).kind {
            let start = blocks.at(at).start;
            current.range.end = start;
            current.body.end = index;
            sections.push(current);
            current = Section { range: start..start, heading: Some((at, level)), body: index + 1..index + 1 };
        }
    }
    current.range.end = length;
    current.body.end = top.len();
    sections.push(current);
    sections
}

fn push_section(
    blocks: &mut Blocks,
    section: &Section,
    top: &[usize],
    packer: &mut Packer<'_, '_>,
) -> Result<()> {
    let range = section.range.clone();
    let mut nodes: Vec<usize> = section.heading.map(|(at, _)| at).into_iter().collect();
    let body = &top[section.body.clone()];
    // A paragraph that fits, but not together with its heading, is cut, so that the heading is not left alone.
    if section.heading.is_some()
        && let Some((&first, others)) = body.split_first()
        && blocks.at(first).kind == Kind::Prose
        && !packer
            .ruler()
            .fits(packer.ruler().edges.stripped(range.start..blocks.at(first).end), packer.chunk_size())?
    {
        let Block { start, end, .. } = *blocks.at(first);
        let edges = &packer.ruler().edges;
        let (start, end) = (edges.boundary_from(start), edges.boundary_from(end).min(range.end));
        push_outline(blocks, nodes, range.start..start, packer)?;
        push_pieces(packer, start..end, PROSE)?;
        return push_outline(blocks, others.to_vec(), end..range.end, packer);
    }
    nodes.extend_from_slice(body);
    push_outline(blocks, nodes, range, packer)
}

impl Outline for Blocks {
    type Node = usize;

    fn span(&self, node: usize) -> Range<usize> {
        let Block { start, end, .. } = *self.at(node);
        start..end
    }

    fn children(&mut self, node: usize, into: &mut Vec<usize>) {
        into.extend(self.siblings(node + 1, self.at(node).after));
    }

    fn levels(&self, node: usize) -> &'static [Level] {
        match self.at(node).kind {
            Kind::Prose | Kind::Heading(_) => PROSE,
            Kind::Lines | Kind::Container => LINES,
        }
    }
}

/// The headings above a place.
#[derive(Default)]
struct Path(Vec<(usize, String)>);

impl Path {
    fn enter(&mut self, level: usize, title: String) {
        while self.0.last().is_some_and(|(above, _)| *above >= level) {
            self.0.pop();
        }
        self.0.push((level, title));
    }

    fn fields(&self) -> Arc<Vec<Field>> {
        if self.0.is_empty() {
            return Arc::default();
        }
        let titles: Vec<String> = self.0.iter().map(|(_, title)| title.clone()).collect();
        let levels: Vec<usize> = self.0.iter().map(|(level, _)| *level).collect();
        Arc::new(vec![Field::new("headers", titles), Field::new("header_levels", levels)])
    }
}
