//! Descriptors: the small records of the directory that say where columns and row sets are.

use crate::codec::{Reader, WriteFields};
use crate::error::{Error, Result};

pub(super) const MAGIC: &[u8; 8] = b"vsFLD\r\n\x1a";
pub(super) const END_BYTES: usize = 32;

/// The bits of a table, in the order of its parts.
pub(super) mod part {
    pub(in super::super) const NULLS: usize = 0;
    pub(in super::super) const FALSES: usize = 1;
    pub(in super::super) const TRUES: usize = 2;
    pub(in super::super) const LISTS: usize = 3;
    pub(in super::super) const MAPS: usize = 4;
    /// Strings and bytes over the longest that has a place in a column.
    pub(in super::super) const LONG: usize = 5;
    /// Values of columns that were given up.
    pub(in super::super) const DROPPED: usize = 6;
    pub(in super::super) const SETS: usize = 7;

    pub(in super::super) const NUMBERS: usize = 0;
    pub(in super::super) const STRINGS: usize = 1;
    pub(in super::super) const BYTES: usize = 2;
    pub(in super::super) const TIMES: usize = 3;
    pub(in super::super) const COLUMNS: usize = 4;
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SetForm {
    #[default]
    None,
    All,
    List,
    AllBut,
    Bitmap,
}

/// Where a row set is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SetPlace {
    pub(super) form: SetForm,
    pub(super) len: u32,
    pub(super) offset: u64,
}

impl SetPlace {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(self.form as u8);
        out.put_u32(self.len);
        if matches!(self.form, SetForm::List | SetForm::AllBut | SetForm::Bitmap) {
            out.put_u64(self.offset);
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self> {
        let form = match reader.u8()? {
            0 => SetForm::None,
            1 => SetForm::All,
            2 => SetForm::List,
            3 => SetForm::AllBut,
            4 => SetForm::Bitmap,
            form => return Err(Error::corrupted(format!("field index: unknown form {form} of a row set"))),
        };
        let len = reader.u32()?;
        let offset = if matches!(form, SetForm::None | SetForm::All) { 0 } else { reader.u64()? };
        Ok(Self { form, len, offset })
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Values {
    #[default]
    Keys,
    WideKeys,
    Texts,
}

/// Where a column is and what it has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ColumnPlace {
    pub(super) values: Values,
    pub(super) is_unique: bool,
    pub(super) has_times: bool,
    pub(super) ordinal_width: u8,
    pub(super) distinct: u32,
    pub(super) entries: u32,
    pub(super) dense: u32,
    pub(super) dense_entries: u32,
    pub(super) text_bytes: u64,
    pub(super) offset: u64,
}

impl ColumnPlace {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(self.values as u8);
        out.put_u8(u8::from(self.is_unique) | u8::from(self.has_times) << 1);
        out.put_u8(self.ordinal_width);
        out.put_u8(0);
        for count in [self.distinct, self.entries, self.dense, self.dense_entries] {
            out.put_u32(count);
        }
        out.put_u64(self.text_bytes);
        out.put_u64(self.offset);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self> {
        let [form, bits, ordinal_width, zero] = reader.array()?;
        let values = match form {
            0 => Values::Keys,
            1 => Values::WideKeys,
            2 => Values::Texts,
            form => return Err(Error::corrupted(format!("field index: unknown form {form} of a column"))),
        };
        if bits > 3 || zero != 0 || !matches!(ordinal_width, 0 | 1 | 2 | 4) {
            return Err(Error::corrupted("field index: a column has unknown properties"));
        }
        Ok(Self {
            values,
            is_unique: bits & 1 != 0,
            has_times: bits & 2 != 0,
            ordinal_width,
            distinct: reader.u32()?,
            entries: reader.u32()?,
            dense: reader.u32()?,
            dense_entries: reader.u32()?,
            text_bytes: reader.u64()?,
            offset: reader.u64()?,
        })
    }
}

/// Where the parts of a table are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TablePlace {
    pub(super) sets: [SetPlace; part::SETS],
    pub(super) columns: [Option<ColumnPlace>; part::COLUMNS],
}

impl TablePlace {
    pub(super) fn is_empty(&self) -> bool {
        self.bits() == 0
    }

    fn bits(&self) -> u16 {
        let sets = self.sets.iter().map(|set| set.form != SetForm::None);
        let columns = self.columns.iter().map(Option::is_some);
        sets.chain(columns).enumerate().fold(0, |bits, (n, there)| bits | u16::from(there) << n)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u16(self.bits());
        self.sets.iter().filter(|set| set.form != SetForm::None).for_each(|set| set.encode(out));
        self.columns.iter().flatten().for_each(|column| column.encode(out));
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self> {
        let bits = reader.u16()?;
        let mut table = Self::default();
        for (n, set) in table.sets.iter_mut().enumerate() {
            if bits >> n & 1 == 1 {
                *set = SetPlace::decode(reader)?;
            }
        }
        for (n, column) in table.columns.iter_mut().enumerate() {
            if bits >> (part::SETS + n) & 1 == 1 {
                *column = Some(ColumnPlace::decode(reader)?);
            }
        }
        if bits >> (part::SETS + part::COLUMNS) != 0 {
            return Err(Error::corrupted("field index: a table has unknown parts"));
        }
        Ok(table)
    }
}

/// The bits of a field's byte below those of what was chosen.
const CHOICE_SHIFT: u8 = 3;

/// Where everything of one path is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FieldPlace {
    pub(super) exists: SetPlace,
    pub(super) values: TablePlace,
    pub(super) elements: TablePlace,
    pub(super) sizes: Option<ColumnPlace>,
    /// The number of what was chosen for the path, 0 for nothing.
    pub(super) choice: u8,
}

impl FieldPlace {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.exists.encode(out);
        let bits = [!self.values.is_empty(), !self.elements.is_empty(), self.sizes.is_some()];
        out.put_u8(
            bits.iter().enumerate().fold(0, |bits, (n, &there)| bits | u8::from(there) << n)
                | self.choice << CHOICE_SHIFT,
        );
        if bits[0] {
            self.values.encode(out);
        }
        if bits[1] {
            self.elements.encode(out);
        }
        self.sizes.iter().for_each(|sizes| sizes.encode(out));
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "field index");
        let exists = SetPlace::decode(&mut reader)?;
        let bits = reader.u8()?;
        let mut place = Self { exists, choice: bits >> CHOICE_SHIFT, ..Self::default() };
        if bits & 1 != 0 {
            place.values = TablePlace::decode(&mut reader)?;
        }
        if bits & 2 != 0 {
            place.elements = TablePlace::decode(&mut reader)?;
        }
        if bits & 4 != 0 {
            place.sizes = Some(ColumnPlace::decode(&mut reader)?);
        }
        reader.finish()?;
        Ok(place)
    }
}
