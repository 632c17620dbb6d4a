//! A segment again, with other columns over its metadata. All other sections are copied as they are, the graph among them:
//! that takes as long as copying the file, where a merge would build the graph anew.

use std::path::Path;

use super::writer::{Cancelled, Output};
use super::{Kind, Segment};
use crate::error::Result;
use crate::field_index::{FieldChoices, FieldWriter};
use crate::metadata::DocumentRef;
use crate::storage::Uuid;
use crate::storage::body::Body;
use crate::vfs::Vfs;

/// Bytes that are checked and copied at once.
const COPY_BYTES: usize = 1 << 20;

/// Writes the rows of a segment to `path`, in the same order, with the columns that are chosen now, and syncs it (not its
/// name). Returns the checksum of its footer.
///
/// # Errors
///
/// `Corrupted` if a block of the segment fails its checksum; `Closed` if it was cancelled.
pub(crate) fn rewrite_fields(
    vfs: &dyn Vfs,
    path: &Path,
    (uuid, collection): (Uuid, Uuid),
    old: &Segment,
    choices: &FieldChoices,
    cancelled: &Cancelled<'_>,
) -> Result<u64> {
    let mut out = Output::create(vfs, path, cancelled)?;
    let footer = Segment::footer(&old.map, old.checksum())?;
    out.has_tokens = footer.has_tokens;
    let mut sections = footer.sections;
    sections.sort_by_key(|section| section.offset);
    for section in sections.into_iter().filter(|section| section.kind != Kind::Fields) {
        out.begin(section.kind)?;
        let end = (section.offset + section.len) as usize;
        for start in (section.offset as usize..end).step_by(COPY_BYTES) {
            out.put(old.checked(start..end.min(start + COPY_BYTES))?)?;
        }
        if section.kind == Kind::Bodies {
            put_fields(&mut out, old, choices)?;
        }
    }
    out.finish(uuid, collection, old.len() as u64, old.dim() as u32)
}

fn put_fields(out: &mut Output<'_>, old: &Segment, choices: &FieldChoices) -> Result<()> {
    let mut fields = FieldWriter::new(old.len(), choices);
    for row in 0..old.len() as u32 {
        let body = Body::decode(old.body_bytes(row)?).ok();
        fields.push(body.and_then(|body| DocumentRef::new(body.document).ok()));
    }
    if fields.is_empty() {
        return Ok(());
    }
    out.begin(Kind::Fields)?;
    fields.finish(&mut |bytes| out.put(bytes))
}
