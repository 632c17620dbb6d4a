//! The right answer to a search, by brute force.

use std::collections::BTreeMap;

use crate::ExactDistance;

/// A record and how far it is from the query.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The id of the record.
    pub id: String,
    /// The exact distance.
    pub distance: f64,
}

/// All records that a query matches, nearest first and ties in the order of ids.
#[derive(Clone, Debug)]
pub struct Ranking {
    hits: Vec<Hit>,
}

impl Ranking {
    /// Ranks the records by brute force: O(records x dimension).
    pub fn new<'a>(
        distance: ExactDistance,
        query: &[f32],
        records: impl IntoIterator<Item = (&'a str, &'a [f32])>,
    ) -> Self {
        let hit = |(id, vector): (&str, &[f32])| Hit { id: id.to_owned(), distance: distance(query, vector) };
        let mut hits: Vec<Hit> = records.into_iter().map(hit).collect();
        hits.sort_by(|left, right| {
            left.distance.total_cmp(&right.distance).then_with(|| left.id.cmp(&right.id))
        });
        Self { hits }
    }

    /// Returns the nearest `k` records, or all if there are fewer.
    pub fn nearest(&self, k: usize) -> &[Hit] {
        &self.hits[..k.min(self.hits.len())]
    }

    /// Returns the share of the nearest `k` records that is among `ids`; 1 if there is no record at all.
    pub fn recall<'a>(&self, k: usize, ids: impl IntoIterator<Item = &'a str>) -> f64 {
        let nearest = self.nearest(k);
        if nearest.is_empty() {
            return 1.0;
        }
        let ids: Vec<&str> = ids.into_iter().collect();
        let found = nearest.iter().filter(|hit| ids.contains(&hit.id.as_str())).count();
        found as f64 / nearest.len() as f64
    }

    /// Checks an exact search: `answer`, ids with distances, must be the nearest `k` records, in order, each with
    /// its distance, and equal distances in the order of ids. Records whose exact distances are within
    /// `tolerance` (relative above 1) may stand for each other, as f32 cannot tell them apart.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self, k: usize, answer: &[(&str, f64)], tolerance: f64) -> Result<(), String> {
        let nearest = self.nearest(k);
        if answer.len() != nearest.len() {
            return Err(format!("expected {} hits, got {}", nearest.len(), answer.len()));
        }
        let mut unseen: BTreeMap<&str, f64> =
            self.hits.iter().map(|hit| (hit.id.as_str(), hit.distance)).collect();
        for (rank, (&(id, distance), expected)) in answer.iter().zip(nearest).enumerate() {
            let Some(exact) = unseen.remove(id) else {
                return Err(format!("hit {rank} is `{id}`, which is no match or comes twice"));
            };
            if !is_close(distance, exact, tolerance) {
                return Err(format!("hit {rank}, `{id}`, is at {exact}, but is given as {distance}"));
            }
            if exact > expected.distance && !is_close(exact, expected.distance, tolerance) {
                let Hit { id: nearer, distance } = expected;
                return Err(format!("hit {rank} is `{id}` at {exact}, expected `{nearer}` at {distance}"));
            }
        }
        for (rank, pair) in answer.windows(2).enumerate() {
            let [(left, nearer), (right, farther)] = *pair else { continue };
            if nearer > farther || (nearer == farther && left > right) {
                let next = rank + 1;
                return Err(format!(
                    "hits {rank} and {next} are swapped: `{left}` at {nearer}, `{right}` at {farther}"
                ));
            }
        }
        Ok(())
    }
}

fn is_close(left: f64, right: f64, tolerance: f64) -> bool {
    left == right || (left - right).abs() <= tolerance * right.abs().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact_distance;

    fn ranking() -> Ranking {
        let records: [(&str, &[f32]); 4] =
            [("far", &[9.0]), ("tie-b", &[2.0]), ("near", &[1.0]), ("tie-a", &[-2.0])];
        Ranking::new(exact_distance("euclidean").unwrap(), &[0.0], records)
    }

    #[test]
    fn ranks_by_distance_and_then_by_id() {
        let ids: Vec<String> = ranking().nearest(9).iter().map(|hit| hit.id.clone()).collect();
        assert_eq!(ids, ["near", "tie-a", "tie-b", "far"]);
        assert_eq!(ranking().recall(2, ["near", "far"]), 0.5);
    }

    #[test]
    fn accepts_the_right_answer_within_the_tolerance() {
        let ranking = ranking();
        assert_eq!(ranking.check(2, &[("near", 1.000_000_1), ("tie-a", 2.0)], 1e-6), Ok(()));
        assert_eq!(ranking.check(0, &[], 0.0), Ok(()));
        assert_eq!(ranking.check(2, &[("near", 1.0), ("tie-b", 2.0)], 1e-6), Ok(()));
    }

    #[test]
    fn refuses_every_kind_of_wrong_answer() {
        let wrong: [&[(&str, f64)]; 6] = [
            &[("near", 1.0)],
            &[("near", 1.0), ("near", 1.0)],
            &[("near", 1.0), ("unknown", 2.0)],
            &[("near", 1.0), ("far", 9.0)],
            &[("near", 1.5), ("tie-a", 2.0)],
            &[("tie-a", 2.0), ("near", 1.0)],
        ];
        for answer in wrong {
            assert!(ranking().check(2, answer, 1e-6).is_err(), "{answer:?}");
        }
        assert!(ranking().check(3, &[("near", 1.0), ("tie-b", 2.0), ("tie-a", 2.0)], 1e-6).is_err());
    }
}
