//! Vectors with the geometry of embeddings: clusters, and few directions in which most of the variance lies.

use crate::Rng;

/// Directions that the vectors of all clusters vary in. Of embeddings of text about 20 explain most neighbors.
const DIRECTIONS: usize = 20;

/// Noise in every component, against 1 for the strongest direction.
const NOISE: f32 = 0.15;

/// A source of clustered vectors: those drawn later are as those before, so that queries can be held out.
#[derive(Clone, Debug)]
pub struct Clusters {
    rng: Rng,
    centres: Vec<Vec<f32>>,
    directions: Vec<Vec<f32>>,
}

impl Clusters {
    /// Chooses the clusters of a seed.
    pub fn new(seed: u64, dim: usize, clusters: usize) -> Self {
        let mut rng = Rng::new(seed);
        let centres = (0..clusters).map(|_| rng.vector(dim)).collect();
        let share = |n: usize| (1.0 / (1.0 + n as f32)).sqrt();
        let direction = |n| rng.vector(dim).into_iter().map(|value| value * share(n)).collect();
        let directions = (0..DIRECTIONS).map(direction).collect();
        Self { rng, centres, directions }
    }

    /// Draws a vector and the number of its cluster. Lengths differ by a factor of up to two.
    pub fn draw(&mut self) -> (Vec<f32>, usize) {
        let cluster = self.rng.below(self.centres.len() as u64) as usize;
        let mut vector = self.centres[cluster].clone();
        for direction in &self.directions {
            let share = self.rng.component();
            vector.iter_mut().zip(direction).for_each(|(value, part)| *value += share * part);
        }
        let length = 1.0 + 0.33 * self.rng.component();
        for value in &mut vector {
            *value = (*value + NOISE * self.rng.component()) * length;
        }
        (vector, cluster)
    }

    /// Draws `count` vectors.
    pub fn vectors(&mut self, count: usize) -> Vec<Vec<f32>> {
        (0..count).map(|_| self.draw().0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_vectors_and_clusters_differ_more_than_their_members() {
        let draw = || {
            let mut clusters = Clusters::new(3, 64, 5);
            (0..200).map(|_| clusters.draw()).collect::<Vec<_>>()
        };
        let drawn = draw();
        assert_eq!(drawn, draw());
        let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
        let nearest_is_of_the_same = |(vector, cluster): &(Vec<f32>, usize)| {
            let others = drawn.iter().filter(|(other, _)| other != vector);
            let nearest =
                others.min_by(|a, b| distance(&a.0, vector).total_cmp(&distance(&b.0, vector))).unwrap();
            nearest.1 == *cluster
        };
        assert!(drawn.iter().filter(|member| nearest_is_of_the_same(member)).count() > 150);
    }
}
