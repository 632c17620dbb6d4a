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

/// A heading, where it starts, and the beginning of its text.
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
    "noscript",
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
/// Elements whose content is code, and not read, up to their end tag, or to the end if they have none.
static CODE: &[&str] = &["script", "style"];
/// Elements whose content is not read up to their end tag. Without one, they are read like others.
static HIDDEN: &[&str] = &["template", "iframe", "svg"];
/// The element whose content is text, whatever it looks like, up to its end tag.
const TITLE: &str = "title";

/// A longer title of a heading is cut: each of many sections below would repeat it.
const LONGEST_TITLE_BYTES: usize = 1024;
/// A title of more runs of text than this is cut, too: each of many headings inside one another would read them all.
const LONGEST_TITLE_RUNS: usize = 128;

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
    let mut reader = Reader {
        text,
        document: Document::default(),
        no_close_from: text.len(),
        never_ended: Vec::new(),
        open: Vec::new(),
        counts: vec![0; BLOCKS.len()],
    };
    reader.read();
    reader.document
}

struct Reader<'t> {
    text: &'t str,
    document: Document,
    /// From here on there is no `>`.
    no_close_from: usize,
    /// Elements of which no end tag follows.
    never_ended: Vec<String>,
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
    fn markup_end(&mut self, start: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let rest = &bytes[start + 1..];
        if rest.starts_with(b"!--") {
            let length = memchr::memmem::find(&rest[3..], b"-->").map_or(rest.len(), |at| at + 6);
            return Some(start + 1 + length);
        }
        if start >= self.no_close_from {
            return None;
        }
        match rest.first()? {
            b'!' | b'?' => self.close_from(start + 1),
            b'/' if rest.get(1).is_some_and(|byte| is_name_start(*byte)) => self.close_from(start + 1),
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

    /// Returns the end of the first `>` from a place on.
    fn close_from(&mut self, from: usize) -> Option<usize> {
        let found = memchr::memchr(b'>', &self.text.as_bytes()[from..]);
        if found.is_none() {
            self.no_close_from = from - 1;
        }
        found.map(|at| from + at + 1)
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
        if !closes && !tag.ends_with("/>") && (is_in(CODE, &name) || is_in(HIDDEN, &name) || name == TITLE) {
            let content_end = self.content_end(range.end, &name);
            if let Some(content_end) = content_end.or_else(|| is_in(CODE, &name).then_some(self.text.len())) {
                return self.element(range, content_end, name == TITLE);
            }
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
        if let (Kind::Heading(_), Some(&(_, open))) = (kind, self.open.last())
            && let Kind::Heading(_) = self.document.nodes[open].kind
        {
            // Browsers, too, take a heading for ended where another one starts.
            self.pop(range.start);
        }
        let node = self.document.nodes.len();
        self.document.nodes.push(Node {
            start: range.start,
            end: range.end,
            after: node + 1,
            kind,
            leads: false,
        });
        if let Kind::Heading(level) = kind {
            self.lead(node);
            self.document.headings.push(Heading { start: range.start, level, title: String::new() });
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
        if let Kind::Heading(_) = closed.kind {
            let start = closed.start;
            let first = self.document.visible.partition_point(|run| run.end <= start);
            let runs = self.document.visible[first..].iter().take(LONGEST_TITLE_RUNS).cloned();
            let title = entities::shown(self.text, &(start..end), runs, &[], LONGEST_TITLE_BYTES);
            // A heading inside a heading ends first; the order is that of their starts.
            let at = self.document.headings.partition_point(|heading| heading.start < start);
            if let Some(heading) = self.document.headings.get_mut(at) {
                heading.title = title;
            }
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

    /// Takes in an element whose content is not read as HTML; returns its end.
    fn element(&mut self, start_tag: Range<usize>, content_end: usize, is_shown: bool) -> usize {
        let bytes = self.text.as_bytes();
        let end = memchr::memchr(b'>', &bytes[content_end..]).map_or(bytes.len(), |at| content_end + at + 1);
        self.document.visible_break(start_tag.start);
        let node = self.document.nodes.len();
        let kind = if is_shown { Kind::Block } else { Kind::Hidden };
        self.document.nodes.push(Node { start: start_tag.start, end, after: node + 1, kind, leads: false });
        if is_shown {
            self.text_run(start_tag.end..content_end);
            self.document.nodes[node].after = self.document.nodes.len();
        }
        self.document.visible_break(end);
        end
    }

    /// Returns where the end tag of an element begins whose content is not read as HTML.
    fn content_end(&mut self, from: usize, name: &str) -> Option<usize> {
        if self.never_ended.iter().any(|known| known == name) {
            return None;
        }
        let bytes = self.text.as_bytes();
        let mut at = from;
        while let Some(found) = memchr::memmem::find(&bytes[at..], b"</") {
            let start = at + found + 2;
            let end = start + name.len();
            let same = bytes.get(start..end).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
            if same && !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) {
                return Some(start - 2);
            }
            at = start;
        }
        self.never_ended.push(name.to_owned());
        None
    }
}

impl Document {
    fn visible_break(&mut self, at: usize) {
        self.breaks.push(at);
    }
}

fn is_in(names: &[&str], name: &str) -> bool {
    names.contains(&name)
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic()
}
