//! The order of rows in the file: neighbors near each other, so that a search stays in fewer pages.

use std::collections::VecDeque;

use super::DEGREE;

/// Returns the points in the order of a breadth-first walk from `first`, and the first point of each further walk that
/// was needed: those that no walk before it reached.
pub(super) fn breadth_first(adjacency: &[u32], first: u32) -> (Vec<u32>, Vec<u32>) {
    let count = adjacency.len() / DEGREE;
    let (mut order, mut unreached) = (Vec::with_capacity(count), Vec::new());
    let mut seen = vec![false; count];
    let mut queue = VecDeque::new();
    let roots = std::iter::once(first).chain(0..count as u32);
    for root in roots {
        if std::mem::replace(&mut seen[root as usize], true) {
            continue;
        }
        if !order.is_empty() {
            unreached.push(root);
        }
        queue.push_back(root);
        while let Some(point) = queue.pop_front() {
            order.push(point);
            for &neighbor in &adjacency[point as usize * DEGREE..][..DEGREE] {
                if !std::mem::replace(&mut seen[neighbor as usize], true) {
                    queue.push_back(neighbor);
                }
            }
        }
    }
    (order, unreached)
}
