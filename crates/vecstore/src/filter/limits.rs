//! What a filter may cost: each limit bounds the stack, the memory or the time of one that a stranger wrote.

use crate::metadata::{MAX_METADATA_DEPTH, Value};

/// The most filters that may nest in each other, a single condition being one deep. Bounds the stack.
pub const MAX_FILTER_DEPTH: usize = 64;

/// The most nodes, that is conditions and logical operators, in one filter.
pub const MAX_FILTER_NODES: usize = 4_096;

/// The most elements of a list operand, such as that of `$in`.
pub const MAX_FILTER_LIST_LEN: usize = 65_536;

/// The longest pattern of `$starts_with`, `$ends_with`, `$like`, `$regex` or `$text`, in bytes (64 KiB).
pub const MAX_FILTER_PATTERN_BYTES: usize = 64 << 10;

/// The largest program a `$regex` or `$like` may compile to, in bytes (4 MiB).
///
/// Room for `\w{1,64}`, whose 64 copies of the Unicode word table take more than 2 MiB.
pub const MAX_FILTER_REGEX_BYTES: usize = 4 << 20;

/// Checks an operand before it is cloned, compared or compiled, all of which recurse as deep as it is.
///
/// Returns what is over, as "limit, got" for a message.
pub(super) fn check_operand(value: &Value) -> Result<(), String> {
    check_nested(value, MAX_METADATA_DEPTH)
}

fn check_nested(value: &Value, depth_left: usize) -> Result<(), String> {
    let depth_left = || {
        depth_left.checked_sub(1).ok_or_else(|| {
            format!(
                "an operand nests too deep: expected at most {MAX_METADATA_DEPTH} levels, got at least {}",
                MAX_METADATA_DEPTH + 1
            )
        })
    };
    match value {
        Value::List(items) => {
            let depth_left = depth_left()?;
            check_list_len(items.len())?;
            items.iter().try_for_each(|item| check_nested(item, depth_left))
        }
        Value::Map(map) => {
            let depth_left = depth_left()?;
            map.iter().try_for_each(|(_, value)| check_nested(value, depth_left))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_list_len(len: usize) -> Result<(), String> {
    if len <= MAX_FILTER_LIST_LEN {
        return Ok(());
    }
    Err(format!("a list operand is too long: expected at most {MAX_FILTER_LIST_LEN} elements, got {len}"))
}
