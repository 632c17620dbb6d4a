//! The blocks of a Markdown text, as a flat list in which each block is followed by those inside it.

use pulldown_cmark::{Event, Options, Parser, Tag};

/// A block with its bytes.
pub(super) struct Block {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The index of the first block that is not inside.
    pub(super) after: usize,
    pub(super) kind: Kind,
}

/// What is in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A heading of a level from 1 to 6.
    Heading(usize),
    /// Sentences.
    Prose,
    /// Code, HTML, front matter, rows of tables.
    Lines,
    /// Other blocks.
    Container,
}

/// Blocks, and the titles of those that are headings.
pub(super) struct Blocks {
    list: Vec<Block>,
    titles: Vec<(usize, String)>,
}

impl Blocks {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn at(&self, index: usize) -> &Block {
        &self.list[index]
    }

    /// Returns the text of a heading without markup.
    pub(super) fn title(&self, index: usize) -> String {
        let found = self.titles.binary_search_by_key(&index, |(at, _)| *at);
        found.map_or_else(|_| String::new(), |at| self.titles[at].1.trim().to_owned())
    }

    /// Iterates over the blocks from `first` on that are not inside one another, up to `stop`.
    pub(super) fn siblings(&self, first: usize, stop: usize) -> impl Iterator<Item = usize> {
        let start = (first < stop).then_some(first);
        std::iter::successors(start, move |&at| Some(self.list[at].after).filter(|&next| next < stop))
    }
}

/// Reads the blocks of a text.
pub(super) fn read(text: &str) -> Blocks {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
    let mut blocks = Blocks { list: Vec::new(), titles: Vec::new() };
    // The block that each open tag is, if it is one.
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut in_heading = false;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        let kind = match &event {
            Event::Start(tag) => kind_of(tag),
            Event::Rule => Some(Kind::Lines),
            _ => None,
        };
        let index = blocks.list.len();
        if let Some(kind) = kind {
            blocks.list.push(Block { start: range.start, end: range.end, after: index + 1, kind });
        }
        match event {
            Event::Start(_) => {
                if matches!(kind, Some(Kind::Heading(_))) {
                    in_heading = true;
                    blocks.titles.push((index, String::new()));
                }
                open.push(kind.map(|_| index));
            }
            Event::End(_) => {
                if let Some(Some(started)) = open.pop() {
                    let after = blocks.list.len();
                    let block = &mut blocks.list[started];
                    block.after = after;
                    in_heading &= !matches!(block.kind, Kind::Heading(_));
                }
            }
            Event::Text(part) | Event::Code(part) if in_heading => {
                if let Some((_, title)) = blocks.titles.last_mut() {
                    push_within(title, &part, LONGEST_TITLE_BYTES);
                }
            }
            Event::SoftBreak | Event::HardBreak if in_heading => {
                if let Some((_, title)) = blocks.titles.last_mut() {
                    push_within(title, " ", LONGEST_TITLE_BYTES);
                }
            }
            _ => {}
        }
    }
    blocks
}

/// A longer title is cut: each of many sections below would repeat it.
const LONGEST_TITLE_BYTES: usize = 1024;

/// Appends to a text what leaves it within a length.
fn push_within(text: &mut String, part: &str, most: usize) {
    let mut end = part.len().min(most.saturating_sub(text.len()));
    while !part.is_char_boundary(end) {
        end -= 1;
    }
    text.push_str(&part[..end]);
}

fn kind_of(tag: &Tag<'_>) -> Option<Kind> {
    Some(match tag {
        Tag::Heading { level, .. } => Kind::Heading(*level as usize),
        Tag::Paragraph => Kind::Prose,
        Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::MetadataBlock(_) | Tag::TableHead | Tag::TableRow => {
            Kind::Lines
        }
        Tag::BlockQuote(_) | Tag::List(_) | Tag::Item | Tag::FootnoteDefinition(_) | Tag::Table(_) => {
            Kind::Container
        }
        _ => return None,
    })
}
