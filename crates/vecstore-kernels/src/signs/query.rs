//! A query made ready for blocks of signs.

use super::GROUP;
use crate::codes::QueryCodes;

/// The signs that each value of four bits stands for.
const PATTERNS: [[f32; GROUP]; 16] = {
    let mut patterns = [[-1.0; GROUP]; 16];
    let mut at = 0;
    while at < 16 * GROUP {
        if at / GROUP >> (at % GROUP) & 1 == 1 {
            patterns[at / GROUP][at % GROUP] = 1.0;
        }
        at += 1;
    }
    patterns
};

/// A query: the look-up table for signs of its rotated vector, and the 16-bit codes of its own for rows of 8-bit codes.
#[derive(Clone, Debug, Default)]
pub struct SignQuery {
    dim: usize,
    /// For each group the products of its components with each of the 16 patterns of signs, in 8 bits.
    pub(crate) table: Vec<u8>,
    /// The value of one unit of the table.
    pub(crate) scale: f32,
    /// What all groups together start from.
    pub(crate) offset: f32,
    codes: QueryCodes,
    squared_norm: f32,
}

impl SignQuery {
    /// The body of [`Kernels::prepare`](crate::Kernels::prepare), inlined into a function of each tier.
    #[inline(always)]
    pub(crate) fn prepare(&mut self, vector: &[f32], rotated: &[f32]) {
        self.dim = rotated.len();
        self.codes.encode(vector);
        self.squared_norm = self.codes.factors.norm * self.codes.factors.norm;
        let (groups, _) = rotated.as_chunks::<GROUP>();
        let reach = |group: &[f32; GROUP]| group.iter().map(|value| value.abs()).sum::<f32>();
        let (mut widest, mut total) = (0.0f32, 0.0f32);
        for group in groups {
            widest = widest.max(reach(group));
            total += reach(group);
        }
        self.offset = -total;
        self.scale = 2.0 * widest / 255.0;
        let inverse = if self.scale > 0.0 { 1.0 / self.scale } else { 0.0 };
        self.table.resize(16 * groups.len(), 0);
        for (group, table) in groups.iter().zip(self.table.as_chunks_mut::<16>().0) {
            let start = reach(group);
            for (value, signs) in table.iter_mut().zip(&PATTERNS) {
                let product: f32 = (0..GROUP).map(|n| signs[n] * group[n]).sum();
                *value = ((start + product) * inverse + 0.5) as i32 as u8;
            }
        }
    }

    /// Returns the number of components of the rotated vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Returns the query, not rotated, in 16 bits a component.
    pub fn codes(&self) -> &QueryCodes {
        &self.codes
    }

    /// Returns the square of the Euclidean norm.
    pub fn squared_norm(&self) -> f32 {
        self.squared_norm
    }
}
