//! Choosing each point's neighbors among the candidates.

use rayon::prelude::*;
use vecstore_kernels::QueryCodes;

use super::points::Points;
use super::{DEGREE, Met};
use crate::error::Result;

/// A candidate is left out if a neighbor is nearer to it than the point is, by this factor of squared distances.
/// At 1.2^2 a search for recall .97 visits 20 % more points, at 1 it finds less.
const SLACK: f32 = 1.05 * 1.05;

/// Points that have a point as neighbor and are looked at as its neighbors, at most: the nearest.
const INCOMING_MAX: usize = 128;

/// Neighbors compared with a candidate at a time.
const BATCH: usize = 8;

/// Returns [`DEGREE`] neighbors for each point, one after the other; where there are fewer points, some twice.
pub(super) fn choose(
    points: &Points,
    candidates: &[Vec<Met>],
    check: &(dyn Fn() -> Result<()> + Sync),
) -> Result<Vec<u32>> {
    let first = candidates.par_iter().enumerate().map_init(Chooser::default, |chooser, (point, list)| {
        if point % 4096 == 0 {
            check()?;
        }
        Ok(chooser.prune(points, list, false).to_vec())
    });
    let first: Vec<Vec<Met>> = first.collect::<Result<_>>()?;
    let mut incoming = vec![Vec::new(); points.len()];
    for (point, list) in first.iter().enumerate() {
        for met in list {
            incoming[met.point() as usize].push(Met::new(met.distance(), point as u32));
        }
    }
    let mut adjacency = vec![0; points.len() * DEGREE];
    let lists = adjacency.par_chunks_mut(DEGREE).zip(&first).zip(&mut incoming).zip(candidates).enumerate();
    lists.try_for_each_init(
        Chooser::default,
        |chooser, (point, (((row, first), incoming), candidates))| {
            if point % 4096 == 0 {
                check()?;
            }
            incoming.sort_unstable();
            incoming.truncate(INCOMING_MAX);
            incoming.extend_from_slice(first);
            incoming.sort_unstable_by_key(|met| (met.point(), *met));
            incoming.dedup_by_key(|met| met.point());
            incoming.sort_unstable();
            let chosen = chooser.prune(points, incoming, true);
            let mut neighbors: Vec<u32> = chosen.iter().map(|met| met.point()).collect();
            for met in candidates {
                if neighbors.len() == DEGREE {
                    break;
                }
                if !neighbors.contains(&met.point()) {
                    neighbors.push(met.point());
                }
            }
            // Too few points: a point twice costs nothing, and itself leads nowhere.
            let known = neighbors.len();
            for (n, place) in row.iter_mut().enumerate() {
                *place = if known == 0 { point as u32 } else { neighbors[n % known] };
            }
            Ok(())
        },
    )?;
    Ok(adjacency)
}

#[derive(Default)]
struct Chooser {
    codes: QueryCodes,
    products: Vec<i32>,
    distances: Vec<f32>,
    kept: Vec<u32>,
    chosen: Vec<Met>,
    dropped: Vec<Met>,
}

impl Chooser {
    /// Returns up to [`DEGREE`] of the candidates, nearest first, that lie in different directions; with `fill` the
    /// nearest of the others after them.
    fn prune(&mut self, points: &Points, candidates: &[Met], fill: bool) -> &[Met] {
        self.kept.clear();
        self.chosen.clear();
        self.dropped.clear();
        for &met in candidates {
            if self.kept.len() == DEGREE {
                break;
            }
            if self.is_behind(points, met) {
                self.dropped.push(met);
            } else {
                self.kept.push(met.point());
                self.chosen.push(met);
            }
        }
        if fill {
            let room = DEGREE - self.chosen.len();
            self.chosen.extend(self.dropped.iter().take(room));
        }
        &self.chosen
    }

    /// Returns whether a neighbor chosen already is much nearer to the candidate than the point is.
    fn is_behind(&mut self, points: &Points, met: Met) -> bool {
        self.codes.take_row(points.codes(met.point()));
        self.kept.chunks(BATCH).any(|kept| {
            points.distances(met.point(), &self.codes, kept, &mut self.products, &mut self.distances);
            self.distances.iter().any(|distance| SLACK * distance < met.distance())
        })
    }
}
