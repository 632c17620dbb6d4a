//! Scoring of some rows of a segment on their 8-bit codes.

use vecstore_kernels::{Kernels, QueryCodes};

use super::reader::Segment;
use crate::error::{Error, Result};
use crate::index::{ROUNDING_DEVIATION, Space};

/// A query made ready for the codes of a segment.
pub(crate) struct CodeScorer<'s> {
    segment: &'s Segment,
    kernels: Kernels,
    space: Space,
    query: QueryCodes,
    /// The squared norm of the query's point.
    square: f32,
    codes: &'s [i8],
    scales: &'s [f32],
    norms: &'s [f32],
    products: Vec<i32>,
    /// The largest factor of the rows that were scored.
    widest: f32,
}

impl Segment {
    /// Makes a query ready, whose vector is as [`Space::point_of_query`] wants it.
    pub(crate) fn code_scorer(
        &self,
        kernels: Kernels,
        space: Space,
        vector: &[f32],
    ) -> Result<CodeScorer<'_>> {
        let mut point = Vec::new();
        space.point_of_query(kernels, vector, &mut point);
        let [scales, _, norms] = self.code_factors()?;
        Ok(CodeScorer {
            segment: self,
            kernels,
            space,
            query: QueryCodes::new(&point[..vector.len()]),
            square: point.iter().map(|value| value * value).sum(),
            codes: self.all_codes()?,
            scales,
            norms,
            products: Vec::new(),
            widest: 0.0,
        })
    }

    /// Returns the scales, errors and norms of the codes of all rows.
    pub(super) fn code_factors(&self) -> Result<[&[f32]; 3]> {
        let factors = self.factors()?;
        let (scales, rest) = factors.split_at(self.len());
        let (errors, norms) = rest.split_at(self.len());
        Ok([scales, errors, norms])
    }

    /// Fills in the vector that the codes of a row stand for.
    pub(super) fn read_codes(&self, row: usize, vector: &mut [f32]) -> Result<()> {
        let codes = self.codes(row..row + 1)?;
        let &[scale] = codes.scales else { return Err(Error::corrupted("a row has no scale")) };
        vector.iter_mut().zip(codes.codes).for_each(|(value, &code)| *value = scale * f32::from(code));
        Ok(())
    }
}

impl CodeScorer<'_> {
    /// Adds the squared distances of the points of some rows, with the rows.
    pub(crate) fn score(&mut self, rows: &[u32], to: &mut Vec<(f32, u32)>) -> Result<()> {
        self.segment.check_codes(rows)?;
        self.products.resize(rows.len(), 0);
        self.kernels.gather_codes(&self.query, self.codes, rows, &mut self.products);
        let unit = self.query.factors.scale;
        to.extend(rows.iter().zip(&self.products).map(|(&row, &product)| {
            let (square, factor) =
                self.space.row_factors(self.scales[row as usize], self.norms[row as usize]);
            self.widest = self.widest.max(factor.abs());
            ((self.square + square + factor * unit * product as f32).max(0.0), row)
        }));
        Ok(())
    }

    /// Returns the standard deviation of the distances of the rows that were scored, at most.
    pub(crate) fn error(&self) -> f32 {
        self.widest * self.square.sqrt() * ROUNDING_DEVIATION
    }
}
