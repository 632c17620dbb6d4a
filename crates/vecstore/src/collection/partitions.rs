//! Which rows belong together: those with the same value at the path that partitions the collection.
//!
//! Nothing but the order of rows depends on it: a search asks the columns where the rows of a partition are, and takes them
//! for a partition only if they stand together.

use std::collections::HashMap;
use std::ops::Range;

use crate::error::Result;
use crate::metadata::{DocumentRef, ValueRef};
use crate::storage::body::Body;

/// The value that rows of a partition have in common. Rows without one, and those with a list, a map, a time or a broken
/// number, which equal more than themselves, are together in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key<'a> {
    None,
    Bool(bool),
    Int(i64),
    Bytes(&'a [u8]),
    Str(&'a str),
}

impl<'a> Key<'a> {
    fn of(body: &'a [u8], path: &str) -> Result<Self> {
        let value = DocumentRef::new(Body::decode(body)?.document)?.get_path(path);
        Ok(match value {
            Some(ValueRef::Bool(value)) => Self::Bool(value),
            Some(ValueRef::Int(value)) => Self::Int(value),
            // As in filters, 1.0 is 1.
            Some(ValueRef::Float(value)) if value as i64 as f64 == value => Self::Int(value as i64),
            Some(ValueRef::Bytes(value)) => Self::Bytes(value),
            Some(ValueRef::Str(value)) => Self::Str(value),
            _ => Self::None,
        })
    }
}

/// Sorts rows by partition, those of one in the order they were in. Returns where each partition is. O(rows log rows); 8
/// bytes a row beside the rows.
pub(super) fn sort<'a, T: Copy>(
    rows: &mut Vec<T>,
    path: &str,
    body: impl Fn(T) -> Result<&'a [u8]>,
) -> Result<Vec<Range<u32>>> {
    let mut numbers: HashMap<Key<'a>, u32> = HashMap::new();
    let mut partition_of = Vec::with_capacity(rows.len());
    let mut counts: Vec<u32> = Vec::new();
    for &row in &*rows {
        let next = numbers.len() as u32;
        let number = *numbers.entry(Key::of(body(row)?, path)?).or_insert(next);
        if number == next {
            counts.push(0);
        }
        counts[number as usize] += 1;
        partition_of.push(number);
    }
    // By their values, so that the order of segments that were merged does not matter.
    let mut order: Vec<(Key<'a>, u32)> = numbers.into_iter().collect();
    order.sort_unstable();
    let mut next_of = vec![0; counts.len()];
    let mut ranges = Vec::with_capacity(counts.len());
    let mut start = 0;
    for (_, number) in order {
        next_of[number as usize] = start;
        ranges.push(start..start + counts[number as usize]);
        start += counts[number as usize];
    }
    if let Some(&first) = rows.first() {
        let mut sorted = vec![first; rows.len()];
        for (&row, number) in rows.iter().zip(partition_of) {
            let place = &mut next_of[number as usize];
            sorted[*place as usize] = row;
            *place += 1;
        }
        *rows = sorted;
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Metadata, Value, encode};

    #[test]
    fn rows_of_a_value_stand_together_in_their_order() {
        let values = [
            Some(Value::from("b")),
            Some(Value::Int(2)),
            None,
            Some(Value::from("a")),
            Some(Value::Float(2.0)),
            Some(Value::from(["a", "b"])),
            Some(Value::from("b")),
            Some(Value::Float(0.5)),
        ];
        let body = |value: Option<Value>| {
            let metadata = value.map_or_else(Metadata::new, |value| {
                Metadata::new().with("user", Metadata::new().with("tenant", value))
            });
            let document = encode(&metadata).unwrap();
            let mut out = Vec::new();
            Body { document: &document, text: None, sparse: None, tokens: None }.encode(&mut out);
            out
        };
        let bodies: Vec<Vec<u8>> = values.into_iter().map(body).collect();
        let mut rows: Vec<usize> = (0..bodies.len()).collect();
        let ranges = sort(&mut rows, "user.tenant", |row| Ok(&bodies[row])).unwrap();
        assert_eq!(rows, [2, 5, 7, 1, 4, 3, 0, 6]);
        assert_eq!(ranges, [0..3, 3..5, 5..6, 6..8]);
        let mut none: Vec<usize> = Vec::new();
        assert_eq!(sort(&mut none, "a", |row| Ok(&bodies[row])).unwrap(), []);
        assert!(sort(&mut vec![0], "a", |_| Ok(b"\xff")).is_err());
    }
}
