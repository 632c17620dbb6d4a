//! The blocks of an HTML text, as a flat list in which each is followed by those inside it.

use std::ops::Range;

use super::entities;

/// An element that is a block, or a run of text.
pub(super) struct Node {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The index of the first node that is not inside.
    pub(super) after: usize,
    pub(super) kind: Kind,
    /// Whether the first thing seen of it is a heading.
    pub(super) leads: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Block,
    /// A heading of a level from 1 to 6.
    Heading(usize),
    Text,
    /// An element of which nothing is seen.
    Hidden,
}

/// A heading, where it starts, and its text.
pub(super) struct Heading {
    pub(super) start: usize,
    pub(super) level: usize,
    pub(super) title: String,
}

/// What was read.
#[derive(Default)]
pub(super) struct Document {
    pub(super) nodes: Vec<Node>,
    /// Runs of visible text, in order.
    pub(super) visible: Vec<Range<usize>>,
    /// Where a line breaks in what is seen: at the edges of blocks, in order.
    pub(super) breaks: Vec<usize>,
    pub(super) headings: Vec<Heading>,
}

impl Document {
    /// Appends the nodes from `first` on that are not inside one another, up to `stop`.
    pub(super) fn siblings(&self, first: usize, stop: usize, into: &mut Vec<usize>) {
        let mut at = first;
        while at < stop {
            into.push(at);
            at = self.nodes[at].after;
        }
    }
}

/// Elements that are blocks, sorted.
static BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "html",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
];
/// Elements whose content is not shown, up to their end tag.
static HIDDEN: &[&str] = &["script", "style", "template", "noscript", "iframe", "svg", "title"];

/// Which open elements an element ends that has no end tag of its own, looking outwards up to a bound.
fn implied(name: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match name {
        "li" => (&["li"], &["ul", "ol", "menu", "dir"]),
        "dt" | "dd" => (&["dt", "dd"], &["dl"]),
        "tr" => (&["tr"], &["table", "tbody", "thead", "tfoot"]),
        "td" | "th" => (&["td", "th"], &["tr", "table"]),
        "tbody" | "thead" | "tfoot" => (&["tbody", "thead", "tfoot"], &["table"]),
        _ => (&["p"], &["body", "div", "li", "td", "blockquote", "section", "article"]),
    }
}

/// How far outwards implied end tags are looked for.
const IMPLIED_DEPTH: usize = 8;

/// Reads a text.
pub(super) fn read(text: &str) -> Document {
    let mut reader =
        Reader { text, document: Document::default(), open: Vec::new(), counts: vec![0; BLOCKS.len()] };
    reader.read();
    reader.document
}

struct Reader<'t> {
    text: &'t str,
    document: Document,
    /// Open blocks: their place in `BLOCKS`, and their node.
    open: Vec<(usize, usize)>,
    /// How many of each block are open.
    counts: Vec<usize>,
}

impl Reader<'_> {
    fn read(&mut self) {
        let bytes = self.text.as_bytes();
        let (mut at, mut run) = (0, 0);
        while let Some(found) = memchr::memchr(b'<', &bytes[at..]) {
            let start = at + found;
            let Some(end) = self.markup_end(start) else {
                // It opens a tag that nothing closes, so nothing after it does; or it is no tag.
                if bytes.get(start + 1).is_some_and(|byte| is_name_start(*byte) || *byte == b'/') {
                    break;
                }
                at = start + 1;
                continue;
            };
            self.text_run(run..start);
            let end = self.markup(start..end);
            (at, run) = (end, end);
        }
        self.text_run(run..bytes.len());
        while let Some((_, node)) = self.open.pop() {
            self.close(node, bytes.len());
        }
    }

    /// Returns where the tag or comment ends that starts at a `<`.
    fn markup_end(&self, start: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let rest = &bytes[start + 1..];
        if rest.starts_with(b"!--") {
            let length = memchr::memmem::find(&rest[3..], b"-->").map_or(rest.len(), |at| at + 6);
            return Some(start + 1 + length);
        }
        match rest.first()? {
            b'!' | b'?' => memchr::memchr(b'>', rest).map(|at| start + 2 + at),
            b'/' if rest.get(1).is_some_and(|byte| is_name_start(*byte)) => {
                memchr::memchr(b'>', rest).map(|at| start + 2 + at)
            }
            byte if is_name_start(*byte) => {
                let mut at = 0;
                loop {
                    at += memchr::memchr3(b'>', b'"', b'\'', &rest[at..])?;
                    let quote = rest[at];
                    at += 1;
                    if quote == b'>' {
                        return Some(start + 1 + at);
                    }
                    // A quotation mark opens a value only behind `=`.
                    if rest[..at - 1].trim_ascii_end().ends_with(b"=") {
                        at += memchr::memchr(quote, &rest[at..])? + 1;
                    }
                }
            }
            _ => None,
        }
    }

    /// Takes in a tag or comment; returns where reading goes on.
    fn markup(&mut self, range: Range<usize>) -> usize {
        let tag = &self.text[range.clone()];
        let (name, closes) = match tag[1..].strip_prefix('/') {
            Some(rest) => (rest, true),
            None => (&tag[1..], false),
        };
        let length = name.bytes().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let name = name[..length].to_ascii_lowercase();
        if !closes && HIDDEN.contains(&name.as_str()) && !tag.ends_with("/>") {
            let end = self.hidden_end(range.end, &name);
            self.document.visible_break(range.start);
            let after = self.document.nodes.len() + 1;
            self.document.nodes.push(Node {
                start: range.start,
                end,
                after,
                kind: Kind::Hidden,
                leads: false,
            });
            return end;
        }
        let Ok(block) = BLOCKS.binary_search(&name.as_str()) else {
            if name == "br" || name == "hr" {
                self.document.visible_break(range.start);
            }
            return range.end;
        };
        self.document.visible_break(range.start);
        if closes {
            self.end_tag(block, &range);
        } else {
            self.start_tag(block, &range);
        }
        range.end
    }

    fn start_tag(&mut self, block: usize, range: &Range<usize>) {
        let name = BLOCKS[block];
        let (ends, bounds) = implied(name);
        let depth = self.open.len();
        let found = (depth.saturating_sub(IMPLIED_DEPTH)..depth).rev().find(|&at| {
            let open = BLOCKS[self.open[at].0];
            ends.contains(&open) || bounds.contains(&open)
        });
        if let Some(at) = found.filter(|&at| ends.contains(&BLOCKS[self.open[at].0])) {
            while self.open.len() > at {
                self.pop(range.start);
            }
        }
        let kind = match name.strip_prefix('h').and_then(|level| level.parse().ok()) {
            Some(level) => Kind::Heading(level),
            None => Kind::Block,
        };
        let node = self.document.nodes.len();
        self.document.nodes.push(Node {
            start: range.start,
            end: range.end,
            after: node + 1,
            kind,
            leads: false,
        });
        if let Kind::Heading(_) = kind {
            self.lead(node);
        }
        self.open.push((block, node));
        self.counts[block] += 1;
    }

    /// Notes a heading in the blocks around it of which nothing has been seen yet.
    fn lead(&mut self, heading: usize) {
        let seen = self.document.visible.last().map_or(0, |run| run.end);
        let around = self.open.iter().rev().map(|(_, node)| *node);
        for node in std::iter::once(heading).chain(around) {
            let node = &mut self.document.nodes[node];
            if node.leads || node.start < seen {
                break;
            }
            node.leads = true;
        }
    }

    fn end_tag(&mut self, block: usize, range: &Range<usize>) {
        if self.counts[block] == 0 {
            return;
        }
        while let Some(&(open, _)) = self.open.last() {
            let end = if open == block { range.end } else { range.start };
            self.pop(end);
            if open == block {
                return;
            }
        }
    }

    fn pop(&mut self, end: usize) {
        if let Some((block, node)) = self.open.pop() {
            self.counts[block] -= 1;
            self.close(node, end);
        }
    }

    fn close(&mut self, node: usize, end: usize) {
        let after = self.document.nodes.len();
        let closed = &mut self.document.nodes[node];
        (closed.end, closed.after) = (end, after);
        if let Kind::Heading(level) = closed.kind {
            let start = closed.start;
            let first = self.document.visible.partition_point(|run| run.end <= start);
            let runs = self.document.visible[first..].iter().cloned();
            let title = entities::shown(self.text, &(start..end), runs, &[]);
            // A heading inside a heading ends first; the order is that of their starts.
            let at = self.document.headings.partition_point(|heading| heading.start < start);
            self.document.headings.insert(at, Heading { start, level, title });
        }
    }

    fn text_run(&mut self, range: Range<usize>) {
        if self.text[range.clone()].trim().is_empty() {
            return;
        }
        let after = self.document.nodes.len() + 1;
        self.document.nodes.push(Node {
            start: range.start,
            end: range.end,
            after,
            kind: Kind::Text,
            leads: false,
        });
        self.document.visible.push(range);
    }

    /// Returns the end of the end tag of an element whose content is not read, else that of the text.
    fn hidden_end(&self, from: usize, name: &str) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while let Some(found) = memchr::memmem::find(&bytes[at..], b"</") {
            let start = at + found + 2;
            let end = start + name.len();
            let same = bytes.get(start..end).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
            if same && !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) {
                return memchr::memchr(b'>', &bytes[end..]).map_or(bytes.len(), |at| end + at + 1);
            }
            at = start;
        }
        bytes.len()
    }
}

impl Document {
    fn visible_break(&mut self, at: usize) {
        self.breaks.push(at);
    }
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic()
}
