//! Codes: the same integers on every tier, and bounds that hold.

use proptest::prelude::*;
use vecstore_kernels::{Kernels, QueryCodes, Tier};

fn vectors() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    let dims = prop_oneof![1usize..70, Just(127), Just(128), Just(384), Just(1000)];
    let component = prop_oneof![Just(0.0f32), -1.0f32..1.0, -1e-3f32..1e-3, -1e6f32..1e6];
    dims.prop_flat_map(move |dim| {
        let vector = prop::collection::vec(component.clone(), dim);
        (vector, prop::collection::vec(component.clone(), dim * 7))
    })
}

proptest! {
    #[test]
    fn every_tier_gives_the_same_integers_and_the_bounds_hold((query, rows) in vectors()) {
        let dim = query.len();
        let encoded = QueryCodes::new(&query);
        let mut codes = vec![0i8; rows.len() + 1];
        // Off by one byte, so that no load is aligned.
        let codes = &mut codes[1..];
        let scalar = Kernels::for_tier(Tier::Scalar).unwrap();
        let factors: Vec<_> =
            rows.chunks(dim).zip(codes.chunks_mut(dim)).map(|(row, codes)| scalar.encode(row, codes)).collect();
        let mut expected = vec![0; 7];
        scalar.scan_codes(&encoded, codes, &mut expected);
        for kernels in Tier::available().iter().filter_map(|&tier| Kernels::for_tier(tier)) {
            let mut again = vec![0i8; dim];
            for ((row, codes), factors) in rows.chunks(dim).zip(codes.chunks(dim)).zip(&factors) {
                prop_assert_eq!(&kernels.encode(row, &mut again), factors);
                prop_assert_eq!(&again, codes);
            }
            let mut out = vec![i32::MIN; 7];
            kernels.scan_codes(&encoded, codes, &mut out);
            prop_assert_eq!(&out, &expected, "{:?}", kernels.tier());
        }
        let q = encoded.factors;
        for ((row, x), &sum) in rows.chunks(dim).zip(&factors).zip(&expected) {
            let exact: f64 = query.iter().zip(row).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
            let found = f64::from(q.scale) * f64::from(x.scale) * f64::from(sum);
            let bound = f64::from(q.error) * f64::from(x.norm)
                + (f64::from(q.norm) + f64::from(q.error)) * f64::from(x.error);
            prop_assert!((exact - found).abs() <= bound * (1.0 + 1e-12), "{exact} {found} {bound}");
        }
    }
}

#[test]
fn the_largest_dimension_does_not_overflow() {
    let dim = 65_536;
    let ones = vec![1.0f32; dim];
    let mut codes = vec![0i8; dim];
    let factors = Kernels::detect().encode(&ones, &mut codes);
    let query = QueryCodes::new(&ones);
    for kernels in Tier::available().iter().filter_map(|&tier| Kernels::for_tier(tier)) {
        let mut out = [0];
        kernels.scan_codes(&query, &codes, &mut out);
        let dot = f64::from(query.factors.scale) * f64::from(factors.scale) * f64::from(out[0]);
        assert!((dot - 65_536.0).abs() < 1.0, "{dot}");
    }
}
