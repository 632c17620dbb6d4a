//! Packing: pieces of the text, in order, become chunks of at most a size, which may share pieces.
//!
//! Pieces are pushed one at a time, and only those of the chunk that is being filled are kept: memory is one chunk,
//! however long the text is. When a piece does not fit, the chunk is emitted; then pieces are shed from its front until
//! what remains may be repeated and leaves room for the piece. These are the rules of LangChain's `_merge_splits`.
//!
//! A sizer that is not additive (tokens, callbacks) may find a chunk larger than its pieces together. So each chunk is
//! measured as it goes out; if it is too large, it gives pieces back.

use std::collections::VecDeque;
use std::ops::Range;

use super::edges;
use super::error::{Result, SplitError};
use super::limits::Limits;
use super::ruler::Ruler;

/// How the ends of chunks are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    /// White space at the ends is left out.
    pub(crate) strip: bool,
    /// Grapheme clusters are not cut, unless one alone is larger than a chunk.
    pub(crate) graphemes: bool,
    /// A chunk that holds nothing but what it repeats of the previous one is emitted all the same, as LangChain does:
    /// its last pieces were white space.
    pub(crate) repeats: bool,
}

impl Ends {
    /// What splitters want that follow no one else's rules.
    pub(crate) const NEAT: Self = Self { strip: true, graphemes: true, repeats: false };
}

/// A chunk in the making, and those that are done.
pub(crate) struct Packer<'r, 't> {
    ruler: &'r Ruler<'t>,
    limits: Limits,
    ends: Ends,
    pieces: VecDeque<Piece>,
    /// How many of `pieces` are in the previous chunk already.
    carried: usize,
    total: usize,
    done: Vec<Range<usize>>,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    start: usize,
    end: usize,
    size: usize,
    /// The size of the text between the previous piece and this one; 0 for the first.
    gap: usize,
}

impl<'r, 't> Packer<'r, 't> {
    pub(crate) fn new(ruler: &'r Ruler<'t>, limits: Limits, ends: Ends) -> Self {
        Self { ruler, limits, ends, pieces: VecDeque::new(), carried: 0, total: 0, done: Vec::new() }
    }

    pub(crate) fn ruler(&self) -> &'r Ruler<'t> {
        self.ruler
    }

    pub(crate) fn chunk_size(&self) -> usize {
        self.limits.chunk_size()
    }

    pub(crate) fn finish(mut self) -> Result<Vec<Range<usize>>> {
        self.flush()?;
        Ok(self.done)
    }

    /// Adds the next piece, of a size that is at most that of a chunk.
    #[inline]
    pub(crate) fn push(&mut self, range: Range<usize>, size: usize) -> Result<()> {
        let piece = Piece { start: range.start, end: range.end, size, gap: 0 };
        let gap = self.gap_before(piece)?;
        if self.pieces.is_empty() || self.total + gap + size <= self.limits.chunk_size() {
            self.append(piece, gap);
            return Ok(());
        }
        self.place(piece)
    }

    /// Emits the chunk that is being filled; the next shares nothing with it.
    pub(crate) fn flush(&mut self) -> Result<()> {
        loop {
            let mut rest = self.emit()?;
            let Some(next) = rest.pop() else { break };
            self.shed(next)?;
            let gap = self.gap_before(next)?;
            self.append(next, gap);
            while let Some(piece) = rest.pop() {
                self.place(piece)?;
            }
        }
        self.pieces.clear();
        (self.carried, self.total) = (0, 0);
        Ok(())
    }

    /// Emits a range as it is, as a chunk of its own. Nothing may be pending.
    pub(crate) fn emit_whole(&mut self, range: Range<usize>) {
        debug_assert!(self.pieces.is_empty(), "flushed before");
        self.done.push(range);
    }

    /// Adds a piece, after the chunk it has no room in has been emitted.
    fn place(&mut self, piece: Piece) -> Result<()> {
        let mut waiting = vec![piece];
        while let Some(piece) = waiting.pop() {
            let gap = self.gap_before(piece)?;
            if self.pieces.is_empty() || self.total + gap + piece.size <= self.limits.chunk_size() {
                self.append(piece, gap);
                continue;
            }
            let mut rest = self.emit()?;
            // The first of those given back goes on at once, so that there is progress.
            let next = rest.pop();
            if next.is_some() {
                waiting.push(piece);
                waiting.append(&mut rest);
            }
            let next = next.unwrap_or(piece);
            self.shed(next)?;
            let gap = self.gap_before(next)?;
            self.append(next, gap);
        }
        Ok(())
    }

    #[inline]
    fn append(&mut self, piece: Piece, gap: usize) {
        self.total += gap + piece.size;
        self.pieces.push_back(Piece { gap, ..piece });
    }

    fn gap_before(&self, piece: Piece) -> Result<usize> {
        match self.pieces.back() {
            Some(last) if last.end < piece.start => self.ruler.size(last.end..piece.start),
            _ => Ok(0),
        }
    }

    /// Emits the pieces as a chunk. Returns, last first, those that it had to give back to fit.
    fn emit(&mut self) -> Result<Vec<Piece>> {
        SplitError::check_interrupt()?;
        let mut rest = Vec::new();
        while let (Some(first), Some(last)) = (self.pieces.front(), self.pieces.back()) {
            let range = self.trimmed(first.start..last.end);
            if range.is_empty()
                || !self.ends.repeats && self.done.last().is_some_and(|last| range.end <= last.end)
            {
                break;
            }
            if self.ruler.is_additive() || self.ruler.fits(range.clone(), self.limits.chunk_size())? {
                self.done.push(range);
                break;
            }
            if self.pieces.len() == 1 {
                self.force(range)?;
                self.pieces.clear();
                (self.carried, self.total) = (0, 0);
                break;
            }
            if self.pieces.len() == self.carried + 1 && self.carried > 0 {
                // One new piece stays, so what is repeated gives way.
                self.pop_front();
            } else if let Some(piece) = self.pieces.pop_back() {
                self.total -= piece.size + piece.gap;
                rest.push(piece);
            }
        }
        Ok(rest)
    }

    /// Drops pieces from the front until the others may be repeated and leave room for the next piece.
    fn shed(&mut self, next: Piece) -> Result<()> {
        let gap = self.gap_before(next)?;
        while self.total > self.limits.chunk_overlap()
            || (self.total > 0 && self.total + next.size + gap > self.limits.chunk_size())
        {
            self.pop_front();
        }
        let additive = self.ruler.is_additive();
        while let (Some(shared), Some(last)) = (self.shared(), self.done.last()) {
            // All of the previous chunk is too much; pieces that measure nothing would be repeated for ever.
            let new = shared.start > last.start || self.ends.repeats && additive;
            let overlap = self.limits.chunk_overlap();
            if new && overlap > 0 && (additive || self.ruler.fits(shared, overlap)?) {
                break;
            }
            self.pop_front();
        }
        self.carried = self.pieces.len();
        Ok(())
    }

    /// Returns what the next chunk would repeat of the previous one.
    fn shared(&self) -> Option<Range<usize>> {
        let (first, last) = (self.pieces.front()?, self.done.last()?);
        let start = self.trimmed(first.start..self.pieces.back()?.end).start;
        (start < last.end).then_some(start..last.end)
    }

    fn pop_front(&mut self) {
        let Some(piece) = self.pieces.pop_front() else { return };
        self.total -= piece.size;
        self.carried = self.carried.saturating_sub(1);
        match self.pieces.front_mut() {
            Some(first) => self.total -= std::mem::take(&mut first.gap),
            None => self.total = 0,
        }
    }

    fn trimmed(&self, range: Range<usize>) -> Range<usize> {
        match self.ends {
            Ends { strip: false, .. } => range,
            Ends { graphemes: true, .. } => self.ruler.edges.stripped_between_graphemes(range),
            Ends { graphemes: false, .. } => self.ruler.edges.stripped(range),
        }
    }

    /// Cuts a range that measures more than its piece did, each chunk as long as fits.
    fn force(&mut self, range: Range<usize>) -> Result<()> {
        let text = self.ruler.text;
        let ends: Vec<usize> = if self.ends.graphemes {
            edges::grapheme_ends(text, &range).collect()
        } else {
            edges::char_ends(text, &range).collect()
        };
        let limit = self.limits.chunk_size();
        let (mut start, mut rest) = (range.start, &ends[..]);
        while let Some(&first) = rest.first() {
            let fitting = edges::most_that_fit(rest.len(), |count| {
                rest.get(count - 1).map_or(Ok(false), |&end| self.ruler.fits(start..end, limit))
            })?;
            if fitting == 0 && self.ends.graphemes && text[start..first].chars().nth(1).is_some() {
                // One cluster that is too large.
                self.force_characters(start..first)?;
                (start, rest) = (first, &rest[1..]);
                continue;
            }
            let (taken, others) = rest.split_at(fitting.max(1));
            let end = taken.last().copied().unwrap_or(range.end);
            self.done.push(start..end);
            (start, rest) = (end, others);
        }
        Ok(())
    }

    /// As [`force`](Self::force), at characters.
    fn force_characters(&mut self, range: Range<usize>) -> Result<()> {
        let graphemes = std::mem::replace(&mut self.ends.graphemes, false);
        let forced = self.force(range);
        self.ends.graphemes = graphemes;
        forced
    }
}
