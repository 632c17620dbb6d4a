//! Choosing each point's neighbors among the candidates.
//!
//! It takes two steps: each point chooses among those it met, and then among those and the points that chose it. Both may go
//! through the points in several passes, which hold the lists of some at a time: the same graph comes of it, and the first
//! step cuts the points into leaves once for each pass.

use std::ops::Range;

use rayon::prelude::*;
use vecstore_kernels::QueryCodes;

use super::candidates::{CANDIDATES, candidates};
use super::islands::Islands;
use super::points::Points;
use super::{DEGREE, Met, Random};
use crate::error::Result;

/// A candidate is left out if a neighbor is nearer to it than the point is, by this factor of squared distances.
/// At 1.2^2 a search for recall .97 visits 20 % more points, at 1 it finds less.
const SLACK: f32 = 1.05 * 1.05;

/// Points that have a point as neighbor and are looked at as its neighbors, at most: the nearest.
const INCOMING_MAX: usize = 128;

/// Neighbors compared with a candidate at a time.
const BATCH: usize = 8;

/// Bytes that both steps keep for each point beside its codes: what it chose first, how many those are, its island, and its
/// neighbors.
pub(super) const KEPT_BYTES: usize = 2 * 4 * DEGREE + 1 + 4;

/// Bytes for each point of a pass: its candidates, in lists that grow by half, or what chose it.
pub(super) const PASS_BYTES: usize = CANDIDATES * 8 * 3 / 2 + 100;

/// What the points of a range chose first, among those they met.
struct FirstChoice {
    start: u32,
    /// [`DEGREE`] points for each: those that it chose, then the nearest of the others. Itself where there are none.
    near: Vec<u32>,
    /// How many it chose.
    chosen: Vec<u8>,
    islands: Islands,
}

/// Returns [`DEGREE`] neighbors for each of `members`, among them, one after the other; where there are fewer points, some
/// twice; and the islands that they are, numbered from the first member.
pub(super) fn choose(
    points: &Points,
    members: &Range<u32>,
    passes: usize,
    random: &mut Random,
    check: &(dyn Fn() -> Result<()> + Sync),
) -> Result<(Vec<u32>, Islands)> {
    let first = FirstChoice::make(points, members, passes, random, check)?;
    Ok((first.neighbors(points, passes, check)?, first.islands))
}

/// Cuts a range into as many of about the same length, or fewer.
fn cut(members: &Range<u32>, passes: usize) -> impl Iterator<Item = Range<u32>> + use<> {
    let Range { start, end } = *members;
    let step = (end - start).div_ceil(passes as u32).max(1);
    (start..end).step_by(step as usize).map(move |from| from..end.min(from.saturating_add(step)))
}

impl FirstChoice {
    fn make(
        points: &Points,
        members: &Range<u32>,
        passes: usize,
        random: &mut Random,
        check: &(dyn Fn() -> Result<()> + Sync),
    ) -> Result<Self> {
        let mut near = vec![0; members.len() * DEGREE];
        let mut chosen = vec![0; members.len()];
        let mut islands = Islands::new(members.len());
        let before = random.clone();
        for asked in cut(members, passes) {
            *random = before.clone();
            let lists = candidates(points, members, &asked, random, check)?;
            for (list, point) in lists.iter().zip(asked.clone()) {
                islands.add(point, list, members.start);
            }
            let from = (asked.start - members.start) as usize;
            let rows = near[from * DEGREE..].par_chunks_mut(DEGREE).zip(&mut chosen[from..]);
            rows.zip(&lists).zip(asked).try_for_each_init(
                Chooser::default,
                |chooser, (((row, chosen), list), point)| {
                    if point % 4096 == 0 {
                        check()?;
                    }
                    let kept = chooser.prune(points, list, false);
                    *chosen = kept.len() as u8;
                    let others = list.iter().filter(|met| !kept.contains(met));
                    let mut all = kept.iter().chain(others).map(|met| met.point());
                    row.iter_mut().for_each(|place| *place = all.next().unwrap_or(point));
                    Ok(())
                },
            )?;
        }
        Ok(Self { start: members.start, near, chosen, islands })
    }

    fn row(&self, n: usize) -> (&[u32], &[u32]) {
        self.near[n * DEGREE..][..DEGREE].split_at(self.chosen[n].into())
    }

    fn neighbors(
        &self,
        points: &Points,
        passes: usize,
        check: &(dyn Fn() -> Result<()> + Sync),
    ) -> Result<Vec<u32>> {
        let mut adjacency = vec![0; self.near.len()];
        let count = self.chosen.len() as u32;
        for pass in cut(&(0..count), passes) {
            let mut incoming = vec![Vec::new(); pass.len()];
            for n in 0..count {
                for &to in self.row(n as usize).0 {
                    let place = (to - self.start).wrapping_sub(pass.start);
                    if let Some(list) = incoming.get_mut(place as usize) {
                        list.push(self.start + n);
                    }
                }
            }
            let rows = adjacency[pass.start as usize * DEGREE..].par_chunks_mut(DEGREE).zip(incoming);
            rows.zip(pass).try_for_each_init(Chooser::default, |chooser, ((row, incoming), n)| {
                if n % 4096 == 0 {
                    check()?;
                }
                let (first, others) = self.row(n as usize);
                let point = self.start + n;
                let mut all = chooser.met(points, point, &incoming);
                all.sort_unstable();
                all.truncate(INCOMING_MAX);
                all.extend(chooser.met(points, point, first));
                all.sort_unstable_by_key(|met| (met.point(), *met));
                all.dedup_by_key(|met| met.point());
                all.sort_unstable();
                let chosen = chooser.prune(points, &all, true);
                let mut neighbors: Vec<u32> = chosen.iter().map(|met| met.point()).collect();
                for &other in others {
                    if neighbors.len() < DEGREE && other != point && !neighbors.contains(&other) {
                        neighbors.push(other);
                    }
                }
                // Too few points: a point twice costs nothing, and itself leads nowhere.
                let known = neighbors.len();
                for (n, place) in row.iter_mut().enumerate() {
                    *place = if known == 0 { point } else { neighbors[n % known] };
                }
                Ok(())
            })?;
        }
        Ok(adjacency)
    }
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
    /// Returns how far other points are from a point.
    fn met(&mut self, points: &Points, point: u32, others: &[u32]) -> Vec<Met> {
        self.codes.take_row(points.codes(point));
        points.distances(point, &self.codes, others, &mut self.products, &mut self.distances);
        others.iter().zip(&self.distances).map(|(&other, &distance)| Met::new(distance, other)).collect()
    }

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
