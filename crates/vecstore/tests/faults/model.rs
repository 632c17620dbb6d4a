//! Random calls, crashes and reopenings against a map and a brute-force search.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use vecstore::{Durability, Record, VecStore, field};
use vecstore_testkit::{CrashMode, FaultVfs, Model, Rng};

use crate::script::{Step, step};
use crate::soak::count;
use crate::subject::{check_answers, check_nearest, open, read};

struct Run {
    vfs: FaultVfs,
    store: VecStore,
    model: Model<Record>,
    dim: usize,
}

impl Run {
    fn new(dim: usize) -> Self {
        let vfs = FaultVfs::new();
        let store = open(&vfs, Durability::Commit).unwrap();
        Self { vfs, store, model: Model::new(), dim }
    }

    fn take(&mut self, rng: &mut Rng) {
        match rng.below(12) {
            0 => self.crash_during(rng),
            1 => self.ask(rng),
            _ => {
                let step = step(rng, self.dim);
                self.perform(&step);
            }
        }
    }

    fn perform(&mut self, step: &Step) {
        let changes = step.changes(&self.model);
        if matches!(step, Step::Reopen) {
            self.store.close().unwrap();
            self.store = open(&self.vfs, Durability::Commit).unwrap();
            self.ask(&mut Rng::new(1));
        } else {
            step.perform(&self.store).unwrap();
        }
        self.model.apply(changes);
    }

    /// Stops at one of the next calls on the file system, and goes on from what a crash there leaves.
    fn crash_during(&mut self, rng: &mut Rng) {
        let step = step(rng, self.dim);
        let acknowledged = self.model.calls();
        self.vfs.stop_at(self.vfs.calls() + rng.below(30));
        let changes = step.changes(&self.model);
        self.model.apply(changes);
        let done = if matches!(step, Step::Reopen) {
            self.store.close().is_ok() && open(&self.vfs, Durability::Commit).is_ok()
        } else {
            step.perform(&self.store).is_ok()
        };
        let mode = CrashMode::ALL[rng.below(6) as usize];
        self.vfs = self.vfs.crash(rng, mode);
        self.store = open(&self.vfs, Durability::Commit).unwrap();
        let found = read(&self.store).unwrap();
        let calls = self.model.check(acknowledged + usize::from(done), &found).unwrap();
        self.model.rewind(calls);
        assert!(self.store.verify().unwrap().is_ok());
    }

    fn ask(&self, rng: &mut Rng) {
        let expected = self.model.after(self.model.calls());
        assert!(read(&self.store).unwrap() == expected, "the records differ");
        check_answers(&self.store, &expected).unwrap();
        let vector = rng.vector(self.dim);
        let n = rng.below(1000) as i64;
        let matches = |record: &Record| {
            record.metadata.get("n").and_then(vecstore::Value::as_int).is_some_and(|value| value >= n)
        };
        check_nearest(&self.store, &expected, &vector, Some(field("n").gte(n)), matches).unwrap();
        let count = expected.values().filter(|record| !record.deleted && matches(record)).count();
        assert_eq!(self.store.count(&field("n").gte(n)).unwrap(), count);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: count("VECSTORE_MODEL_CASES", 2_000) as u32,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(count("VECSTORE_MODEL_SEED", 8)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_store_holds_and_answers_what_a_map_does(
        dim in prop_oneof![4 => 3_usize..9, 1 => 32_usize..36],
        seeds in prop::collection::vec(any::<u64>(), 50),
    ) {
        let mut run = Run::new(dim);
        for seed in seeds {
            run.take(&mut Rng::new(seed));
        }
        run.ask(&mut Rng::new(0));
        run.store.close().unwrap();
    }
}
