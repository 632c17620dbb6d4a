//! Islands: groups of points each of whose nearest neighbors are in the group. No direction leads there from elsewhere, so
//! that a search finds one only if it starts there.

use super::Met;

/// Neighbors that make two points one island: with fewer there would be islands that a search finds by itself.
const NEAREST: usize = 16;

/// Sets of points, numbered from 0; the least of each is its root.
#[derive(Debug)]
pub(super) struct Islands {
    root: Vec<u32>,
}

impl Islands {
    /// Makes each point an island.
    pub(super) fn new(count: usize) -> Self {
        Self { root: (0..count as u32).collect() }
    }

    /// Notes the neighbors of a point, nearest first, of points that are numbered from `first` on.
    pub(super) fn add(&mut self, point: u32, near: &[Met], first: u32) {
        for met in &near[..near.len().min(NEAREST)] {
            let (a, b) = (self.root_of(point - first), self.root_of(met.point() - first));
            self.root[a.max(b) as usize] = a.min(b);
        }
    }

    /// Returns a point of each island that has none of `starts`, of larger ones first, no more than `most`.
    pub(super) fn without_start(&mut self, starts: &[u32], most: usize) -> Vec<u32> {
        let count = self.root.len() as u32;
        let mut sizes = vec![0u32; self.root.len()];
        (0..count).for_each(|point| sizes[self.root_of(point) as usize] += 1);
        for &start in starts {
            sizes[self.root_of(start) as usize] = 0;
        }
        let mut found: Vec<u32> = (0..count).filter(|&root| sizes[root as usize] > 0).collect();
        found.sort_by_key(|&root| std::cmp::Reverse(sizes[root as usize]));
        found.truncate(most);
        found
    }

    fn root_of(&mut self, mut point: u32) -> u32 {
        while self.root[point as usize] != point {
            let next = self.root[self.root[point as usize] as usize];
            self.root[point as usize] = next;
            point = next;
        }
        point
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_island_without_a_start_gets_one_larger_ones_first() {
        let mut islands = Islands::new(180);
        for (first, size) in [(0, 40), (40, 90), (130, 50)] {
            for n in 0..size {
                let near: Vec<Met> =
                    (1..=20).map(|step| Met::new(step as f32, 1000 + first + (n + step) % size)).collect();
                islands.add(1000 + first + n, &near, 1000);
            }
        }
        assert_eq!(islands.without_start(&[7], 10), [40, 130]);
        assert_eq!(islands.without_start(&[7], 1), [40]);
        assert!(islands.without_start(&[7, 41, 179], 10).is_empty());
    }
}
