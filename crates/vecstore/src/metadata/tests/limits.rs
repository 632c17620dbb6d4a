use crate::error::{ErrorKind, Result};
use crate::metadata::{MAX_METADATA_BYTES, MAX_METADATA_DEPTH, Metadata, Value, decode, encode};

/// Nests `levels` containers in each other, lists and maps in turn.
fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::Null, |inner, level| match level % 2 {
        0 => Value::List(vec![inner]),
        _ => Metadata::new().with("k", inner).into(),
    })
}

#[test]
fn depth_up_to_the_limit_is_kept() -> Result<()> {
    let deepest = Metadata::new().with("a", nested(MAX_METADATA_DEPTH - 1));
    assert_eq!(decode(&encode(&deepest)?)?, deepest);
    let error = encode(&Metadata::new().with("a", nested(MAX_METADATA_DEPTH))).expect_err("one too deep");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().starts_with("metadata too deep at `a.k[0].k[0]"), "{error}");
    assert!(error.message().ends_with("expected at most 64 nested containers, got at least 65"), "{error}");
    Ok(())
}

#[test]
fn a_tree_100_000_levels_deep_is_refused_and_dropped() {
    for shape in
        [nested(100_000), (0..100_000).fold(Value::Null, |inner, _| Value::List(vec![inner, Value::Null]))]
    {
        let metadata = Metadata::new().with("a", shape);
        assert_eq!(encode(&metadata).map_err(|error| error.kind()), Err(ErrorKind::InvalidInput));
        drop(metadata);
    }
}

#[test]
fn size_up_to_the_limit_is_kept() -> Result<()> {
    let of_size = |size: usize| Metadata::new().with("a", "x".repeat(size - 7)); // version, key, tag and length
    let largest = encode(&of_size(MAX_METADATA_BYTES))?;
    assert_eq!(largest.len(), MAX_METADATA_BYTES);
    assert_eq!(decode(&largest)?, of_size(MAX_METADATA_BYTES));
    let error = encode(&of_size(MAX_METADATA_BYTES + 1)).expect_err("one byte too large");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("`a`"), "{error}");
    assert!(error.message().contains("1048576"), "{error}");
    Ok(())
}

#[test]
fn many_small_values_meet_the_size_limit() {
    let list = Metadata::new().with("a", vec![1_i64; MAX_METADATA_BYTES]);
    let error = encode(&list).expect_err("two bytes for each");
    assert!(error.message().starts_with("metadata too large at `a["), "{error}");
}

#[test]
fn containers_of_any_length_know_it() -> Result<()> {
    for length in [0, 1, 63, 64, 127, 128, 129, 16_383, 16_384, 100_000] {
        let inner = Metadata::new().with("list", vec![true; length]).with("after", 1);
        let metadata = Metadata::new().with("map", inner).with("last", "x");
        assert_eq!(decode(&encode(&metadata)?)?, metadata, "{length}");
    }
    Ok(())
}
