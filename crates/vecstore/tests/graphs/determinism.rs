//! The same rows give the same files, however many threads build them.

use vecstore::{Metadata, Metric, Quantization, Record, Value};
use vecstore_testkit::{Clusters, FaultVfs};

use crate::sets::{on_disk, options, records, segments};

/// Returns all of the only segment but its footer, which holds what is random: identities.
fn sections(disk: &FaultVfs) -> Vec<u8> {
    let [path] = &segments(disk)[..] else { panic!("expected one segment") };
    let mut bytes = disk.read(path).unwrap();
    let footer = u64::from_le_bytes(bytes[bytes.len() - 32..][..8].try_into().unwrap());
    bytes.truncate(footer as usize);
    bytes
}

fn sample(metric: Metric) -> Vec<Record> {
    let vectors = Clusters::new(41, 96, 15).vectors(if metric == Metric::Cosine { 5_000 } else { 1_500 });
    let with_number = |(n, record): (usize, Record)| {
        record.with_metadata(Metadata::from([("n", Value::Int(n as i64 % 100))]))
    };
    records(&vectors).into_iter().enumerate().map(with_number).collect()
}

#[test]
fn the_same_rows_give_the_same_bytes_whatever_the_threads() {
    for metric in [Metric::Cosine, Metric::Dot, Metric::Euclidean] {
        let records = sample(metric);
        let expected = sections(&on_disk(options(metric).threads(1), &records));
        for threads in [1, 8] {
            let found = sections(&on_disk(options(metric).threads(threads), &records));
            assert!(found == expected, "{} threads, {}", threads, metric.name());
        }
    }
}

/// A small budget makes a build go through the rows several times.
#[test]
fn the_same_rows_give_the_same_graph_whatever_the_memory_and_the_threads() {
    let metric = Metric::Cosine;
    let records = sample(metric);
    let int8 = || options(metric).quantization(Quantization::Int8);
    let expected = sections(&on_disk(int8().threads(1), &records));
    for threads in [1, 5] {
        let found = sections(&on_disk(int8().threads(threads).memory_budget(8 << 20), &records));
        assert!(found == expected, "{threads} threads");
    }
}

#[test]
fn partitioned_rows_give_the_same_bytes_whatever_the_threads() {
    let records = sample(Metric::Cosine);
    let parted = || options(Metric::Cosine).partition_by("n");
    let expected = sections(&on_disk(parted().threads(1), &records));
    assert!(sections(&on_disk(parted().threads(7), &records)) == expected);
    assert!(sections(&on_disk(options(Metric::Cosine), &records)) != expected);
}
