//! Recursive splitting by separators: the first that occurs splits the text, what is still too long is split by the
//! ones after it, and what is short enough is packed. The chunks are those of LangChain's
//! `RecursiveCharacterTextSplitter`, as ranges of the text.

use std::ops::Range;
use std::sync::Arc;

use super::chunks::Chunks;
use super::error::{Result, SplitError};
use super::limits::Limits;
use super::packer::{Ends, Packer};
use super::ruler::Ruler;
use super::separator::{Keep, Separator};
use super::sizer::{Chars, Sizer};
use super::{MAX_SEPARATORS, Splitter};

/// Splits by the first separator that occurs, then what is too long by the next ones.
///
/// With the default separators a chunk holds paragraphs if they fit, else lines, words, or characters.
///
/// - No chunk is larger than `chunk_size`, whatever the separators; only a single character may be, in a sizer by which
///   it measures more.
/// - Text that is in no chunk is white space at the ends of chunks (if stripped) and separators between chunks (if
///   dropped).
/// - Costs the length of the text times the number of separators, and memory for one chunk.
///
/// ```
/// use vecstore_text::split::{Limits, Recursive, Splitter};
///
/// let text = "A paragraph.\n\nAnother one, which is longer.";
/// let chunks = Recursive::new(Limits::new(24, 0)?).split(text)?;
/// let texts: Vec<&str> = chunks.texts(text).collect();
/// assert_eq!(texts, ["A paragraph.", "Another one, which is", "longer."]);
/// # Ok::<(), vecstore_text::split::SplitError>(())
/// ```
#[derive(Clone)]
pub struct Recursive {
    limits: Limits,
    sizer: Arc<dyn Sizer>,
    separators: Vec<Separator>,
    keep: Keep,
    ends: Ends,
}

impl Recursive {
    /// Returns a splitter by blank lines, lines, spaces and characters, which counts characters.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            sizer: Arc::new(Chars),
            separators: ["\n\n", "\n", " ", ""].map(Separator::literal).to_vec(),
            keep: Keep::Start,
            ends: Ends { strip: true, graphemes: false, repeats: true },
        }
    }

    /// Measures chunks by `sizer`.
    #[must_use]
    pub fn sizer(mut self, sizer: Arc<dyn Sizer>) -> Self {
        self.sizer = sizer;
        self
    }

    /// Splits by these strings, the most welcome first. The empty string splits between characters.
    ///
    /// # Errors
    ///
    /// If there is none, or more than [`MAX_SEPARATORS`].
    pub fn separators<S: AsRef<str>>(mut self, separators: &[S]) -> Result<Self> {
        check_count(separators.len())?;
        self.separators = separators.iter().map(|text| Separator::literal(text.as_ref())).collect();
        Ok(self)
    }

    /// Splits by these regular expressions (lookaround is allowed), the most welcome first. They are read as Python reads
    /// them: `$` also matches before a line end that ends the text, `\s` also the four separators of ASCII.
    ///
    /// # Errors
    ///
    /// If one is malformed, there is none, or more than [`MAX_SEPARATORS`].
    pub fn patterns<S: AsRef<str>>(mut self, patterns: &[S]) -> Result<Self> {
        check_count(patterns.len())?;
        self.separators =
            patterns.iter().map(|text| Separator::pattern(text.as_ref())).collect::<Result<_>>()?;
        Ok(self)
    }

    /// Says what becomes of separators; they start the next piece if not told otherwise.
    #[must_use]
    pub fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// Leaves out white space at the ends of chunks, which is the default, or keeps it.
    #[must_use]
    pub fn strip(mut self, strip: bool) -> Self {
        self.ends.strip = strip;
        self
    }

    /// Never cuts a grapheme cluster that fits in a chunk; by default only characters are never cut.
    #[must_use]
    pub fn graphemes(mut self, graphemes: bool) -> Self {
        self.ends.graphemes = graphemes;
        self
    }

    fn level(
        &self,
        packer: &mut Packer<'_, '_>,
        range: Range<usize>,
        separators: &[Separator],
    ) -> Result<()> {
        let ruler = packer.ruler();
        let slice = &ruler.text[range.clone()];
        // None that occurs: the last one splits, which is to say nothing does.
        let (mut chosen, mut finer) = (separators.last(), &separators[..0]);
        for (index, separator) in separators.iter().enumerate() {
            if separator.is_in(slice)? {
                chosen = Some(separator);
                finer = match separator {
                    Separator::Characters => finer,
                    _ => &separators[index + 1..],
                };
                break;
            }
        }
        let Some(separator) = chosen else { return Ok(()) };
        let indivisible = matches!(separator, Separator::Characters);
        separator.pieces(ruler, range, self.keep, self.ends.graphemes, &mut |piece| {
            let size = ruler.size_within(piece.clone(), self.limits.chunk_size())?;
            if let Some(size) = size.filter(|&size| size < self.limits.chunk_size()) {
                return packer.push(piece, size);
            }
            packer.flush()?;
            if !finer.is_empty() {
                return self.level(packer, piece, finer);
            }
            self.whole(packer, piece, size.is_some(), indivisible)
        })?;
        packer.flush()
    }

    /// Emits a piece that no separator splits; if it is too large for a chunk, in characters.
    fn whole(
        &self,
        packer: &mut Packer<'_, '_>,
        piece: Range<usize>,
        fits: bool,
        indivisible: bool,
    ) -> Result<()> {
        if fits {
            packer.emit_whole(piece);
            return Ok(());
        }
        let ruler = packer.ruler();
        let graphemes = self.ends.graphemes && !indivisible;
        let keep = self.keep;
        Separator::Characters.pieces(ruler, piece, keep, graphemes, &mut |piece| {
            let size = ruler.size(piece.clone())?;
            if size <= self.limits.chunk_size() || !graphemes {
                return packer.push(piece, size);
            }
            packer.flush()?;
            self.whole(packer, piece, false, true)
        })?;
        packer.flush()
    }
}

impl Splitter for Recursive {
    fn split(&self, text: &str) -> Result<Chunks> {
        let ruler = Ruler::new(text, &*self.sizer);
        let mut packer = Packer::new(&ruler, self.limits, self.ends);
        self.level(&mut packer, 0..text.len(), &self.separators)?;
        packer.finish().map(Chunks::plain)
    }
}

fn check_count(count: usize) -> Result<()> {
    match count {
        0 => Err(SplitError::invalid("separators: expected at least one, got none")),
        _ if count > MAX_SEPARATORS => {
            Err(SplitError::invalid(format!("separators: expected at most {MAX_SEPARATORS}, got {count}")))
        }
        _ => Ok(()),
    }
}
