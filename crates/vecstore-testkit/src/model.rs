//! What the store should hold after each call.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// How many calls lie between two full copies of the state. A copy of a thousand records costs about as much as
/// replaying this many calls.
const CHECKPOINT_CALLS: usize = 64;

/// How many differences a [`Mismatch`] spells out.
const MAX_DIFFERENCES: usize = 10;

/// How much of a record's `Debug` text a [`Mismatch`] shows.
const MAX_RECORD_CHARS: usize = 160;

/// What a call does to one record, or to all.
#[derive(Clone, Debug, PartialEq)]
pub enum Change<R> {
    /// Creates or replaces a record.
    Put(String, R),
    /// Removes a record, if it is there.
    Remove(String),
    /// Removes every record.
    Clear,
}

type Records<R> = BTreeMap<String, Arc<R>>;

/// The records of a store by id, after each call of a script. `R` is all that a test compares of a record: say
/// its vector, metadata and flags.
///
/// # Examples
/// ```
/// use std::collections::BTreeMap;
/// use vecstore_testkit::{Change, Model};
///
/// let mut model = Model::new();
/// model.apply([Change::Put("a".to_owned(), 1), Change::Put("b".to_owned(), 2)]);
/// model.apply([Change::Remove("a".to_owned())]);
///
/// // One call was acknowledged before the crash; the second was under way, so it may or may not be there.
/// let reopened = BTreeMap::from([("b".to_owned(), 2)]);
/// assert_eq!(model.check(1, &reopened), Ok(2));
///
/// // Half of a batch is neither.
/// let half = BTreeMap::from([("a".to_owned(), 1)]);
/// assert!(model.check(0, &half).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Model<R> {
    calls: Vec<Vec<Change<Arc<R>>>>,
    /// The state after every [`CHECKPOINT_CALLS`]-th call, from none on.
    checkpoints: Vec<Records<R>>,
    current: Records<R>,
}

impl<R: Clone + PartialEq + Debug> Default for Model<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Clone + PartialEq + Debug> Model<R> {
    /// Starts with no records and no calls.
    pub fn new() -> Self {
        Self { calls: Vec::new(), checkpoints: vec![Records::new()], current: Records::new() }
    }

    /// Appends a call, whose changes happen in order and together.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change<R>>) {
        let share = |change| match change {
            Change::Put(id, record) => Change::Put(id, Arc::new(record)),
            Change::Remove(id) => Change::Remove(id),
            Change::Clear => Change::Clear,
        };
        let call: Vec<Change<Arc<R>>> = changes.into_iter().map(share).collect();
        replay(&mut self.current, &call);
        self.calls.push(call);
        if self.calls.len().is_multiple_of(CHECKPOINT_CALLS) {
            self.checkpoints.push(self.current.clone());
        }
    }

    /// Returns the number of calls.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Returns a record as the last call left it.
    pub fn get(&self, id: &str) -> Option<&R> {
        self.current.get(id).map(Arc::as_ref)
    }

    /// Iterates over the records as the last call left them, in the order of ids.
    pub fn records(&self) -> impl Iterator<Item = (&str, &R)> {
        self.current.iter().map(|(id, record)| (id.as_str(), record.as_ref()))
    }

    /// Returns the records after the first `calls` calls.
    ///
    /// # Panics
    /// If there were fewer calls.
    pub fn after(&self, calls: usize) -> BTreeMap<String, R> {
        self.shared_after(calls).into_iter().map(|(id, record)| (id, R::clone(&record))).collect()
    }

    /// Forgets all but the first `calls` calls, to go on from what a crash left.
    ///
    /// # Panics
    /// If there were fewer calls.
    pub fn rewind(&mut self, calls: usize) {
        self.current = self.shared_after(calls);
        self.calls.truncate(calls);
        self.checkpoints.truncate(calls / CHECKPOINT_CALLS + 1);
    }

    fn shared_after(&self, calls: usize) -> Records<R> {
        assert!(calls <= self.calls.len(), "the model has {} calls, not {calls}", self.calls.len());
        let checkpoint = calls / CHECKPOINT_CALLS;
        let mut records = self.checkpoints[checkpoint].clone();
        for call in &self.calls[checkpoint * CHECKPOINT_CALLS..calls] {
            replay(&mut records, call);
        }
        records
    }

    /// Checks that a store, reopened when `acknowledged` calls had returned, holds all of those and no more than
    /// the one after them, whole. Returns the number of calls it holds.
    ///
    /// # Errors
    /// A [`Mismatch`] that says what differs.
    pub fn check(&self, acknowledged: usize, actual: &BTreeMap<String, R>) -> Result<usize, Mismatch> {
        self.check_between(acknowledged..=acknowledged + 1, actual)
    }

    /// Checks that a store holds exactly the first calls of the script, their number in `calls` (as far as there
    /// are so many). Returns that number; of several that fit, the largest.
    ///
    /// # Errors
    /// A [`Mismatch`] that says what differs from the nearest state in the range.
    ///
    /// # Panics
    /// If even the start of the range is past the last call.
    pub fn check_between(
        &self,
        calls: RangeInclusive<usize>,
        actual: &BTreeMap<String, R>,
    ) -> Result<usize, Mismatch> {
        let (first, last) = (*calls.start(), (*calls.end()).min(self.calls.len()));
        let mut records = self.shared_after(first);
        let mut found = None;
        let mut nearest: Option<(usize, Vec<String>, usize)> = None;
        for calls in first..=last {
            if calls > first {
                replay(&mut records, &self.calls[calls - 1]);
            }
            let (differences, count) = differences(&records, actual);
            if count == 0 {
                found = Some(calls);
            } else if nearest.as_ref().is_none_or(|(_, _, least)| count < *least) {
                nearest = Some((calls, differences, count));
            }
        }
        match (found, nearest) {
            (Some(calls), _) => Ok(calls),
            (None, Some((nearest, differences, count))) => {
                Err(Mismatch { first, last, nearest, differences, count })
            }
            (None, None) => unreachable!("`shared_after` refuses an empty range"),
        }
    }
}

fn replay<R>(records: &mut Records<R>, call: &[Change<Arc<R>>]) {
    for change in call {
        match change {
            Change::Put(id, record) => {
                records.insert(id.clone(), Arc::clone(record));
            }
            Change::Remove(id) => {
                records.remove(id);
            }
            Change::Clear => records.clear(),
        }
    }
}

/// Gives the first few differences in words, and the number of all.
fn differences<R: PartialEq + Debug>(
    expected: &Records<R>,
    actual: &BTreeMap<String, R>,
) -> (Vec<String>, usize) {
    let mut words = Vec::new();
    let mut count = 0;
    let mut note = |line: &dyn Fn() -> String| {
        count += 1;
        if count <= MAX_DIFFERENCES {
            words.push(line());
        }
    };
    for (id, record) in expected {
        match actual.get(id) {
            Some(got) if got == record.as_ref() => {}
            Some(got) => {
                note(&|| format!("`{id}` differs: expected {}, got {}", brief(record.as_ref()), brief(got)));
            }
            None => note(&|| format!("`{id}` is missing: expected {}", brief(record.as_ref()))),
        }
    }
    for (id, got) in actual.iter().filter(|(id, _)| !expected.contains_key(*id)) {
        note(&|| format!("`{id}` should not be there: got {}", brief(got)));
    }
    (words, count)
}

fn brief(record: &impl Debug) -> String {
    let text = format!("{record:?}");
    match text.char_indices().nth(MAX_RECORD_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// A store holds the state after none of the calls it may.
#[derive(Clone, PartialEq, Eq)]
pub struct Mismatch {
    first: usize,
    last: usize,
    nearest: usize,
    differences: Vec<String>,
    count: usize,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last, nearest, differences, count } = self;
        write!(f, "expected the state after {first} to {last} calls; from that after {nearest}, ")?;
        writeln!(f, "the nearest, {count} records differ:")?;
        for difference in differences {
            writeln!(f, "  {difference}")?;
        }
        if *count > differences.len() {
            writeln!(f, "  and {} more", count - differences.len())?;
        }
        Ok(())
    }
}

/// The same as `Display`, so that `unwrap` in a test shows it.
impl Debug for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Mismatch {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    fn random_model(seed: u64, calls: usize) -> (Model<u64>, Vec<BTreeMap<String, u64>>) {
        let mut rng = Rng::new(seed);
        let mut model = Model::new();
        let mut states = vec![BTreeMap::new()];
        for call in 0..calls {
            let id = format!("id-{}", rng.below(20));
            let mut state = states[call].clone();
            let change = match rng.below(10) {
                0 => Change::Clear,
                1..4 => Change::Remove(id),
                _ => Change::Put(id, rng.next_u64()),
            };
            match &change {
                Change::Put(id, record) => drop(state.insert(id.clone(), *record)),
                Change::Remove(id) => drop(state.remove(id)),
                Change::Clear => state.clear(),
            }
            model.apply([change]);
            states.push(state);
        }
        (model, states)
    }

    #[test]
    fn every_past_state_can_be_had_again() {
        let (mut model, states) = random_model(1, 300);
        for (calls, state) in states.iter().enumerate() {
            assert_eq!(&model.after(calls), state, "after {calls} calls");
        }
        model.rewind(100);
        model.apply([Change::Put("new".to_owned(), 0)]);
        assert_eq!(model.calls(), 101);
        assert_eq!(model.after(64), states[64]);
        assert_eq!(model.after(100), states[100]);
        assert_eq!(model.get("new"), Some(&0));
    }

    #[test]
    fn check_takes_the_acknowledged_calls_and_at_most_one_more() {
        let mut model = Model::new();
        for record in 0..5 {
            model.apply([Change::Put(format!("id-{record}"), record)]);
        }
        assert_eq!(model.check(3, &model.after(3)), Ok(3));
        assert_eq!(model.check(3, &model.after(4)), Ok(4));
        assert_eq!(model.check(5, &model.after(5)), Ok(5));
        assert!(model.check(3, &model.after(2)).is_err());
        assert!(model.check(3, &model.after(5)).is_err());
        assert_eq!(model.check_between(0..=5, &model.after(2)), Ok(2));
    }

    #[test]
    fn a_mismatch_names_each_difference() {
        let mut model = Model::new();
        model.apply([Change::Put("kept".to_owned(), 1), Change::Put("changed".to_owned(), 2)]);
        model.apply([Change::Put("lost".to_owned(), 3)]);
        let actual =
            BTreeMap::from([("kept".to_owned(), 1), ("changed".to_owned(), 9), ("extra".to_owned(), 4)]);
        assert_eq!(
            model.check(2, &actual).unwrap_err().to_string(),
            "expected the state after 2 to 2 calls; from that after 2, the nearest, 3 records differ:\n  \
             `changed` differs: expected 2, got 9\n  \
             `lost` is missing: expected 3\n  \
             `extra` should not be there: got 4\n"
        );
    }
}
