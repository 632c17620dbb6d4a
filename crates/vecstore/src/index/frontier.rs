//! The candidates of a walk: those estimated and not visited yet.

use vecstore_kernels::{CandidatePool, Kernels};

/// Candidates among which the nearest is looked for: a look costs about 1 ns for each 32.
const NEAR_MAX: usize = 512;

/// Of more, so many stay near.
const NEAR_KEPT: usize = 128;

/// Candidates in two pools, so that finding the nearest looks at few of many.
#[derive(Debug, Default)]
pub(super) struct Frontier {
    /// Where kernels add candidates.
    pub(super) near: CandidatePool,
    /// Candidates put aside, none of them nearer than `far_least`.
    far: CandidatePool,
    far_least: Option<f32>,
}

impl Frontier {
    pub(super) fn clear(&mut self) {
        self.near.clear();
        self.far.clear();
        self.far_least = None;
    }

    /// Takes the nearest candidate. Those that are not nearer than `bound` may be forgotten.
    #[inline]
    pub(super) fn pop(&mut self, kernels: Kernels, bound: f32) -> Option<(f32, u32)> {
        if self.near.len() > NEAR_MAX {
            self.put_aside(kernels, bound);
        }
        let nearest = kernels.pop_nearest(&mut self.near);
        let Some(far_least) = self.far_least else { return nearest };
        match nearest {
            Some(nearest) if nearest.0 <= far_least => Some(nearest),
            nearest => self.fetch(kernels, bound, nearest),
        }
    }

    #[cold]
    fn put_aside(&mut self, kernels: Kernels, bound: f32) {
        kernels.retain_below(&mut self.near, bound);
        if self.near.len() > NEAR_MAX {
            let least = self.near.move_farther(NEAR_KEPT, &mut self.far);
            self.far_least = Some(self.far_least.map_or(least, |known| known.min(least)));
        }
    }

    /// Goes on with those put aside, the nearest of which may be nearer than `nearest`.
    #[cold]
    fn fetch(&mut self, kernels: Kernels, bound: f32, nearest: Option<(f32, u32)>) -> Option<(f32, u32)> {
        if let Some((distance, point)) = nearest {
            self.far.push(distance, point);
        }
        kernels.retain_below(&mut self.far, bound);
        for (distance, point) in self.near.entries() {
            self.far.push(distance, point);
        }
        std::mem::swap(&mut self.near, &mut self.far);
        self.far.clear();
        self.far_least = None;
        if self.near.len() > NEAR_MAX {
            self.far_least = Some(self.near.move_farther(NEAR_KEPT, &mut self.far));
        }
        kernels.pop_nearest(&mut self.near)
    }
}
