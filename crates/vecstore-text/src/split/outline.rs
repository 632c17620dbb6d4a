//! Splitting along a structure: a node that fits in a chunk is a piece, one that does not falls into its children, and a
//! leaf that does not into levels of plain text.
//!
//! The walk keeps its own stack, so that no nesting, however deep, ends it.

use std::ops::Range;

use super::error::Result;
use super::levels::{LINES, Level, push_text};
use super::packer::Packer;

/// A structure over a text. The spans of children come in order, inside that of their parent.
pub(crate) trait Outline {
    /// A node.
    type Node: Copy;

    /// Returns the bytes of a node.
    fn span(&self, node: Self::Node) -> Range<usize>;

    /// Appends the children of a node, which does not fit in a chunk.
    fn children(&mut self, node: Self::Node, into: &mut Vec<Self::Node>);

    /// Returns how a node without children falls apart.
    fn levels(&self, node: Self::Node) -> &'static [Level];

    /// Returns whether a node that does not fit in a chunk shares none with what is before and after it.
    fn stands_alone(&self, _node: Self::Node) -> bool {
        false
    }

    /// Returns whether a node shares no chunk with what comes after it, even if it fits.
    fn stands_apart(&self, _node: Self::Node) -> bool {
        false
    }

    /// Returns whether a node begins a new chunk, if it is reached and not inside one that fits.
    fn starts_chunk(&self, _node: Self::Node) -> bool {
        false
    }

    /// Is told of every node before it is pushed, with where its piece starts.
    fn visit(&mut self, _node: Self::Node, _start: usize) {}

    /// Is told when the children of a node follow.
    fn enter(&mut self, _node: Self::Node) {}

    /// Is told when the last of them has been pushed.
    fn leave(&mut self, _node: Self::Node) {}
}

struct Frame<N> {
    parent: Option<N>,
    nodes: Vec<N>,
    next: usize,
    /// Everything before it has been pushed.
    cursor: usize,
    end: usize,
}

/// Pushes everything in `range`, whose nodes are `roots`.
pub(crate) fn push_outline<O: Outline>(
    outline: &mut O,
    roots: Vec<O::Node>,
    range: Range<usize>,
    packer: &mut Packer<'_, '_>,
) -> Result<()> {
    let limit = packer.chunk_size();
    let mut frames = vec![Frame { parent: None, nodes: roots, next: 0, cursor: range.start, end: range.end }];
    while let Some(frame) = frames.last_mut() {
        let Some(&node) = frame.nodes.get(frame.next) else {
            push_text(packer, frame.cursor..frame.end, LINES)?;
            if let Some(parent) = frame.parent {
                outline.leave(parent);
                if outline.stands_alone(parent) {
                    packer.flush()?;
                }
            }
            frames.pop();
            continue;
        };
        frame.next += 1;
        let span = outline.span(node);
        // Tags and tokens may end inside what a reader sees as one character: all of it goes with what is before.
        let edges = &packer.ruler().edges;
        let span = edges.boundary_from(span.start)..edges.boundary_from(span.end);
        let span = span.start.max(frame.cursor)..span.end.min(frame.end);
        if span.is_empty() {
            continue;
        }
        let span = edges.stripped_between_graphemes(span);
        if span.is_empty() {
            // White space that a parser made a node of is between the others.
            continue;
        }
        // What is between nodes (markers, keys, closing tags) goes with the next node, at the end with the last.
        let mut cover = span.clone();
        if !edges.is_blank(frame.cursor..span.start) {
            cover.start = frame.cursor;
        }
        if frame.next == frame.nodes.len() && !edges.is_blank(span.end..frame.end) {
            cover.end = frame.end;
        }
        let before = cover.start..span.start;
        frame.cursor = span.end;
        if outline.starts_chunk(node) {
            packer.flush()?;
        }
        if let Some(size) = packer.ruler().size_within(cover.clone(), limit)? {
            frame.cursor = cover.end;
            outline.visit(node, cover.start);
            packer.push(cover, size)?;
            if outline.stands_apart(node) {
                packer.flush()?;
            }
            continue;
        }
        push_text(packer, before, LINES)?;
        outline.visit(node, span.start);
        if let Some(size) = packer.ruler().size_within(span.clone(), limit)? {
            packer.push(span, size)?;
            continue;
        }
        let alone = outline.stands_alone(node);
        if alone {
            packer.flush()?;
        }
        let mut nodes = Vec::new();
        outline.children(node, &mut nodes);
        if nodes.is_empty() {
            push_text(packer, span, outline.levels(node))?;
            if alone {
                packer.flush()?;
            }
            continue;
        }
        outline.enter(node);
        frames.push(Frame { parent: Some(node), nodes, next: 0, cursor: span.start, end: span.end });
    }
    Ok(())
}
