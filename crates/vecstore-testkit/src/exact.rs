//! Every metric in f64, term by term as its definition reads: what the kernels are held against.

/// A distance between two vectors of one length; smaller is nearer.
pub type ExactDistance = fn(&[f32], &[f32]) -> f64;

/// Returns the distance of a metric by its canonical name (`cosine`, `dot`, `euclidean`, `manhattan`, `hamming`,
/// `jaccard`, `chebyshev`, `canberra`, `braycurtis`).
pub fn exact_distance(metric: &str) -> Option<ExactDistance> {
    Some(match metric {
        "cosine" => cosine,
        "dot" => dot,
        "euclidean" => euclidean,
        "manhattan" => manhattan,
        "hamming" => hamming,
        "jaccard" => jaccard,
        "chebyshev" => chebyshev,
        "canberra" => canberra,
        "braycurtis" => bray_curtis,
        _ => return None,
    })
}

fn pairs<'a>(left: &'a [f32], right: &'a [f32]) -> impl Iterator<Item = (f64, f64)> + 'a {
    assert_eq!(left.len(), right.len(), "vectors of different dimensions have no distance");
    left.iter().zip(right).map(|(&a, &b)| (f64::from(a), f64::from(b)))
}

fn product(left: &[f32], right: &[f32]) -> f64 {
    pairs(left, right).map(|(a, b)| a * b).sum()
}

fn cosine(left: &[f32], right: &[f32]) -> f64 {
    let norms = product(left, left).sqrt() * product(right, right).sqrt();
    if norms == 0.0 { 1.0 } else { 1.0 - (product(left, right) / norms).clamp(-1.0, 1.0) }
}

fn dot(left: &[f32], right: &[f32]) -> f64 {
    0.0 - product(left, right)
}

fn euclidean(left: &[f32], right: &[f32]) -> f64 {
    pairs(left, right).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

fn manhattan(left: &[f32], right: &[f32]) -> f64 {
    pairs(left, right).map(|(a, b)| (a - b).abs()).sum()
}

fn hamming(left: &[f32], right: &[f32]) -> f64 {
    pairs(left, right).filter(|(a, b)| a != b).count() as f64
}

fn jaccard(left: &[f32], right: &[f32]) -> f64 {
    let either = pairs(left, right).filter(|&(a, b)| a != 0.0 || b != 0.0).count();
    if either == 0 { 0.0 } else { hamming(left, right) / either as f64 }
}

fn chebyshev(left: &[f32], right: &[f32]) -> f64 {
    pairs(left, right).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn canberra(left: &[f32], right: &[f32]) -> f64 {
    let term = |(a, b): (f64, f64)| if a == b { 0.0 } else { (a - b).abs() / (a.abs() + b.abs()) };
    pairs(left, right).map(term).sum()
}

fn bray_curtis(left: &[f32], right: &[f32]) -> f64 {
    let difference: f64 = pairs(left, right).map(|(a, b)| (a - b).abs()).sum();
    let total: f64 = pairs(left, right).map(|(a, b)| (a + b).abs()).sum();
    if difference == 0.0 { 0.0 } else { difference / total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_worked_out_by_hand() {
        let (left, right) = ([3.0, 0.0, 4.0, 0.0], [0.0, 0.0, 4.0, -2.0]);
        let expected = [
            ("cosine", 1.0 - 16.0 / (5.0 * 20.0_f64.sqrt())),
            ("dot", -16.0),
            ("euclidean", 13.0_f64.sqrt()),
            ("manhattan", 5.0),
            ("hamming", 2.0),
            ("jaccard", 2.0 / 3.0),
            ("chebyshev", 3.0),
            ("canberra", 2.0),
            ("braycurtis", 5.0 / 13.0),
        ];
        for (metric, distance) in expected {
            let got = exact_distance(metric).unwrap()(&left, &right);
            assert!((got - distance).abs() < 1e-12, "{metric}: expected {distance}, got {got}");
        }
        assert!(exact_distance("l3").is_none());
    }

    #[test]
    fn vectors_without_a_direction_or_a_sum() {
        let (zero, one) = ([0.0; 2], [1.0, 1.0]);
        assert_eq!(cosine(&zero, &one), 1.0);
        assert_eq!(jaccard(&zero, &zero), 0.0);
        assert_eq!(canberra(&zero, &zero), 0.0);
        assert_eq!(bray_curtis(&zero, &zero), 0.0);
        assert_eq!(bray_curtis(&one, &[-1.0, -1.0]), f64::INFINITY);
        assert!(dot(&zero, &one).is_sign_positive());
    }
}
