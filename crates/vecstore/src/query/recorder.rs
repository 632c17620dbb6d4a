//! Notes what a search does while it does it, if somebody wants to know.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::approximate::SIGN_ROWS_MIN;
use super::plan::{PartKind, QueryStep, SearchMethod, StepOutcome, StepReason};
use super::scan::{Search, Task};
use super::selection::PartFilter;
use crate::collection::{Part, PartView};

/// What a search did so far. Threads that share a search share it.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Record>);

/// What was noted.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) steps: Vec<QueryStep>,
    pub(crate) filter_time: Duration,
    /// Threads of the pool, if it was used.
    pub(crate) threads: Option<usize>,
}

impl Recorder {
    pub(crate) fn into_record(self) -> Record {
        self.0.into_inner()
    }

    /// Forgets what was noted: the search starts again, for more.
    pub(crate) fn restart(&self) {
        *self.0.lock() = Record::default();
    }

    pub(super) fn filters_took(&self, time: Duration) {
        self.0.lock().filter_time = time;
    }

    pub(super) fn shared_by(&self, threads: usize) {
        self.0.lock().threads = Some(threads);
    }
}

/// The clock of a step, running.
#[derive(Clone, Copy)]
pub(super) struct Watch<'a> {
    recorder: &'a Recorder,
    started: Instant,
}

impl Search<'_> {
    /// Starts the clock of a step, if the search is recorded.
    pub(super) fn watch(&self) -> Option<Watch<'_>> {
        self.recorder.map(|recorder| Watch { recorder, started: Instant::now() })
    }

    /// Notes a step that has ended. `fill_in` adds its figures.
    pub(super) fn record(
        &self,
        watch: Option<Watch<'_>>,
        task: &Task<'_>,
        method: SearchMethod,
        fill_in: impl FnOnce(&mut QueryStep),
    ) {
        let Some(watch) = watch else { return };
        let time = watch.started.elapsed();
        let mut record = watch.recorder.0.lock();
        let position = record.steps.iter().rposition(|step| step.position == task.part);
        let reason = self.reason(task, method, position.map(|position| &record.steps[position]));
        let mut step = QueryStep {
            part: name(task.view),
            position: task.part,
            kind: match &task.view.part {
                Part::Memory(_) => PartKind::Memory,
                Part::Segment(_) => PartKind::Segment,
            },
            rows: task.view.part.len(),
            live: task.view.live() - task.view.marks.hidden.len(),
            matches_at_most: match task.filter {
                PartFilter::Everything if task.is_partition => Some(task.rows.len()),
                filter => filter.at_most(),
            },
            method,
            layout: None,
            reason,
            outcome: StepOutcome::Done,
            slack: None,
            visits: 0,
            estimates: 0,
            code_distances: 0,
            full_distances: 0,
            results: 0,
            time,
        };
        fill_in(&mut step);
        match position.map(|position| &mut record.steps[position]) {
            Some(same) if same.method == method => {
                // Another task of the same part.
                if task.is_partition {
                    let more = step.matches_at_most.unwrap_or(0);
                    same.matches_at_most = same.matches_at_most.map(|most| most + more);
                }
                same.visits += step.visits;
                same.estimates += step.estimates;
                same.code_distances += step.code_distances;
                same.full_distances += step.full_distances;
                same.time += step.time;
            }
            _ => record.steps.push(step),
        }
    }

    /// Returns why a task is done by a method. `before` is what was done to the part before.
    fn reason(&self, task: &Task<'_>, method: SearchMethod, before: Option<&QueryStep>) -> StepReason {
        match method {
            SearchMethod::GraphWalk | SearchMethod::ScanSigns | SearchMethod::ScanVectors
                if task.is_partition && before.is_none_or(|step| step.outcome == StepOutcome::Done) =>
            {
                StepReason::Partition
            }
            SearchMethod::GraphWalk => StepReason::HasGraph,
            _ if before.is_some_and(|step| step.method == SearchMethod::GraphWalk) => {
                StepReason::WalkFellShort
            }
            SearchMethod::MatchesByCodes | SearchMethod::MatchesByVectors => StepReason::FewMatches,
            SearchMethod::ScanSigns | SearchMethod::ScanCodes | SearchMethod::ScanVectors => {
                if self.recall >= 1.0 {
                    StepReason::ExactAsked
                } else if !self.scoring.uses_codes(self.dim) {
                    StepReason::NoCodes
                } else if task.view.part.len() < SIGN_ROWS_MIN {
                    StepReason::FewRows
                } else if self.filter.is_some() {
                    StepReason::FilterWithoutGraph
                } else {
                    StepReason::NoGraph
                }
            }
        }
    }
}

fn name(view: &PartView) -> String {
    const DIGITS: usize = 8;
    match &view.part {
        Part::Memory(_) => format!("memory-{}", view.id),
        Part::Segment(segment) => {
            let uuid = segment.uuid().to_string();
            format!("segment-{}", &uuid[..DIGITS])
        }
    }
}
