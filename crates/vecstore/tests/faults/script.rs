//! A script of calls on a store, drawn from a seed, and what each of them does to the records.

use std::time::Duration;

use vecstore::{
    Batch, ErrorKind, FieldKind, Filter, Metadata, Operation, Record, Result, SparseVector, Value, VecStore,
    field,
};
use vecstore_testkit::{Change, Model, Rng};

use crate::subject::NOW_UNIX_MS;

pub(crate) const DIM: usize = 4;

/// Long enough for segments to have graphs.
pub(crate) const GRAPH_DIM: usize = 32;

/// Few enough that most calls hit a record that is there.
const IDS: u64 = 60;

/// A call, or the end of one process and the start of the next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Upsert(Record, Option<Duration>),
    UpsertMany(Vec<Record>),
    Delete(String),
    DeleteWhere(i64),
    UpdateMetadata(String, Metadata),
    SoftDelete(String),
    Restore(String),
    SetTtl(String, Option<Duration>),
    Execute(Vec<Operation>),
    Compact,
    /// Asks for an index, or drops it.
    Index(&'static str, Option<FieldKind>),
    Save,
    Reopen,
}

impl Step {
    /// Performs the call. A record that is not there is no failure: the script does not look before it asks.
    pub(crate) fn perform(&self, store: &VecStore) -> Result<()> {
        let outcome = match self {
            Self::Upsert(record, ttl) => store.upsert_record(record, *ttl),
            Self::UpsertMany(records) => {
                let mut batch = Batch::with_capacity(records[0].vector.len(), records.len())?;
                records.iter().try_for_each(|record| batch.push(record, None))?;
                store.upsert_many(batch).map(drop)
            }
            Self::Delete(id) => store.delete(id).map(drop),
            Self::DeleteWhere(n) => store.delete_where(&below(*n)).map(drop),
            Self::UpdateMetadata(id, metadata) => store.update_metadata(id, metadata),
            Self::SoftDelete(id) => store.soft_delete(id).map(drop),
            Self::Restore(id) => store.restore(id).map(drop),
            Self::SetTtl(id, ttl) => store.set_ttl(id, *ttl),
            Self::Execute(operations) => store.batch_execute(operations).map(drop),
            Self::Compact => store.compact().map(drop),
            Self::Index(path, Some(kind)) => store.create_index(path, *kind),
            Self::Index(path, None) => store.drop_index(path).map(drop),
            Self::Save => store.save(),
            Self::Reopen => unreachable!("the one who runs the script has the store to reopen"),
        };
        match outcome {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    /// Returns what the call changes in the records that a model holds.
    pub(crate) fn changes(&self, model: &Model<Record>) -> Vec<Change<Record>> {
        let visible = |id: &str| model.get(id).filter(|record| !record.deleted);
        let edit = |id: &str, edit: &dyn Fn(&mut Record)| match visible(id) {
            Some(record) => {
                let mut record = record.clone();
                edit(&mut record);
                vec![Change::Put(id.to_owned(), record)]
            }
            None => Vec::new(),
        };
        match self {
            Self::Upsert(record, ttl) => vec![put(record, *ttl)],
            Self::UpsertMany(records) => records.iter().map(|record| put(record, None)).collect(),
            Self::Delete(id) => vec![Change::Remove(id.clone())],
            Self::DeleteWhere(n) => {
                let low = |record: &Record| matches!(record.metadata.get("n"), Some(Value::Int(m)) if m < n);
                let doomed = model.records().filter(|(_, record)| !record.deleted && low(record));
                doomed.map(|(id, _)| Change::Remove(id.to_owned())).collect()
            }
            Self::UpdateMetadata(id, metadata) => edit(id, &|record| record.metadata = metadata.clone()),
            Self::SoftDelete(id) => edit(id, &|record| record.deleted = true),
            Self::Restore(id) => match model.get(id) {
                Some(record) if record.deleted => {
                    let mut record = record.clone();
                    record.deleted = false;
                    vec![Change::Put(id.clone(), record)]
                }
                _ => Vec::new(),
            },
            Self::SetTtl(id, ttl) => edit(id, &|record| record.expires_at_unix_ms = ttl.map(expiry)),
            Self::Execute(operations) => {
                let mut inner = Model::new();
                inner.apply(model.records().map(|(id, record)| Change::Put(id.to_owned(), record.clone())));
                let mut changes = Vec::new();
                for operation in operations {
                    let step = match operation {
                        Operation::Upsert { record, ttl } => Self::Upsert(record.clone(), *ttl),
                        Operation::Delete { id } => Self::Delete(id.clone()),
                        Operation::SoftDelete { id } => Self::SoftDelete(id.clone()),
                        Operation::Restore { id } => Self::Restore(id.clone()),
                        Operation::UpdateMetadata { id, metadata } => {
                            Self::UpdateMetadata(id.clone(), metadata.clone())
                        }
                        other => unreachable!("the script has no {other:?}"),
                    };
                    let made = step.changes(&inner);
                    inner.apply(made.clone());
                    changes.extend(made);
                }
                changes
            }
            Self::Compact | Self::Index(..) | Self::Save | Self::Reopen => Vec::new(),
        }
    }

    /// Whether everything before is durable when the step has succeeded, whatever the durability.
    pub(crate) fn is_barrier(&self) -> bool {
        matches!(self, Self::Compact | Self::Save | Self::Reopen)
    }
}

fn put(record: &Record, ttl: Option<Duration>) -> Change<Record> {
    let mut record = record.clone();
    record.expires_at_unix_ms = ttl.map(expiry);
    Change::Put(record.id.clone(), record)
}

fn expiry(ttl: Duration) -> u64 {
    NOW_UNIX_MS + ttl.as_millis() as u64
}

pub(crate) fn below(n: i64) -> Filter {
    field("n").lt(n)
}

/// Draws a script of `steps` steps with vectors of `dim` components.
pub(crate) fn script(seed: u64, steps: usize, dim: usize) -> Vec<Step> {
    let mut rng = Rng::new(seed);
    (0..steps).map(|_| step(&mut rng, dim)).collect()
}

/// Draws a step with vectors of `dim` components.
pub(crate) fn step(rng: &mut Rng, dim: usize) -> Step {
    let mut id = || format!("id-{:02}", rng.below(IDS));
    let id = id();
    match rng.below(100) {
        0..28 => {
            let ttl = rng.one_in(6).then(|| Duration::from_secs(1 + rng.below(1000)));
            Step::Upsert(record(rng, dim), ttl)
        }
        28..43 => Step::UpsertMany((0..2 + rng.below(18)).map(|_| record(rng, dim)).collect()),
        43..53 => Step::Delete(id),
        53..56 => Step::DeleteWhere(rng.below(120) as i64),
        56..63 => Step::UpdateMetadata(id, metadata(rng)),
        63..70 => Step::SoftDelete(id),
        70..76 => Step::Restore(id),
        76..81 => Step::SetTtl(id, (!rng.one_in(3)).then(|| Duration::from_secs(1 + rng.below(1000)))),
        81..88 => Step::Execute((0..1 + rng.below(8)).map(|_| operation(rng, dim)).collect()),
        88..92 => Step::Compact,
        92..96 => Step::Reopen,
        96..98 => Step::Save,
        _ => {
            let kinds = [None, Some(FieldKind::Number), Some(FieldKind::Any)];
            Step::Index(["n", "tag"][rng.below(2) as usize], kinds[rng.below(3) as usize])
        }
    }
}

fn operation(rng: &mut Rng, dim: usize) -> Operation {
    let id = format!("id-{:02}", rng.below(IDS));
    match rng.below(10) {
        0..5 => Operation::Upsert { record: record(rng, dim), ttl: None },
        5 => Operation::Delete { id },
        6 => Operation::SoftDelete { id },
        7 => Operation::Restore { id },
        _ => Operation::UpdateMetadata { id, metadata: metadata(rng) },
    }
}

fn metadata(rng: &mut Rng) -> Metadata {
    let n = rng.below(1000) as i64;
    Metadata::from([("n", Value::Int(n)), ("tag", Value::from(if rng.one_in(2) { "red" } else { "blue" }))])
}

pub(crate) fn record(rng: &mut Rng, dim: usize) -> Record {
    let record =
        Record::new(format!("id-{:02}", rng.below(IDS)), rng.vector(dim)).with_metadata(metadata(rng));
    let draw = rng.below(40);
    match draw {
        // A frame above the size up to which frames are copied together, and above the space reserved first.
        0 => record.with_text("long ".repeat(14_000)),
        1..20 => {
            let first = draw as usize;
            let words = (0..first % 7).map(|n| WORDS[(first * 3 + n * n) % WORDS.len()]);
            record.with_text(words.collect::<Vec<_>>().join(" "))
        }
        20..26 => {
            let dimension = draw as u32 - 20;
            record.with_sparse(SparseVector::new([(dimension, 0.5), (dimension + 2, 2.0)]).expect("distinct"))
        }
        _ => record,
    }
}

/// Words of texts, some of them in many.
const WORDS: [&str; 8] = ["red", "red", "red", "blue", "blue", "green", "solar", "rare"];
