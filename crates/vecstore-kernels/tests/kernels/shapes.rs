//! Shapes at the edges: nothing to read, and what does not fit is refused before anything is read.

use std::panic::catch_unwind;

use vecstore_kernels::{CandidatePool, Kernels, Metric, Op, Panels, QueryCodes, Rotation, SignQuery};

use crate::oracle::every_tier;

#[test]
fn dimension_zero_reads_nothing() {
    for kernels in every_tier() {
        let mut out = [f32::NAN; 3];
        kernels.scan(Op::Dot, &[], &[], &mut out);
        assert_eq!(out, [0.0; 3]);
        out = [f32::NAN; 3];
        kernels.gather(Op::Jaccard, &[], &[], &[0, 7, u32::MAX], &mut out);
        assert_eq!(out, [0.0; 3]);
        out = [f32::NAN; 3];
        kernels.scan_queries(Op::Dot, &[], 0, &[], &mut out);
        assert_eq!(out, [0.0; 3]);
        kernels.inverse_norms(0, &[], &mut out);
        assert_eq!(out, [0.0; 3]);
        assert_eq!(kernels.norm(&[]), 0.0);
        assert_eq!(kernels.first_non_finite(&[]), None);
        for metric in Metric::ALL {
            let expected = if metric == Metric::Cosine { 1.0 } else { 0.0 };
            assert_eq!(kernels.distance(metric, &[], &[]), expected, "{metric}");
        }
    }
}

#[test]
fn no_rows_is_no_work() {
    for kernels in every_tier() {
        kernels.scan(Op::Dot, &[1.0], &[], &mut []);
        kernels.gather(Op::Dot, &[1.0], &[1.0], &[], &mut []);
        kernels.scan_queries(Op::Dot, &[1.0], 1, &[], &mut []);
        kernels.scan_queries(Op::Dot, &[], 1, &[1.0], &mut []);
    }
}

#[test]
fn shapes_that_do_not_fit_panic() {
    type Call = fn(&Kernels);
    let calls: [(&str, Call); 21] = [
        ("distance of two lengths", |k| assert!(k.distance(Metric::Dot, &[1.0; 2], &[1.0; 3]) < 0.0)),
        ("scan with a row short", |k| k.scan(Op::Dot, &[1.0; 2], &[1.0; 3], &mut [0.0; 2])),
        ("scan with a row more", |k| k.scan(Op::Dot, &[1.0; 2], &[1.0; 6], &mut [0.0; 2])),
        ("gather out of range", |k| k.gather(Op::Dot, &[1.0; 2], &[1.0; 4], &[0, 2], &mut [0.0; 2])),
        ("gather into too little", |k| k.gather(Op::Dot, &[1.0; 2], &[1.0; 4], &[0, 1], &mut [0.0; 1])),
        ("gather from part of a row", |k| k.gather(Op::Dot, &[1.0; 2], &[1.0; 3], &[0], &mut [0.0; 1])),
        ("queries of part of a row", |k| k.scan_queries(Op::Dot, &[1.0; 3], 2, &[1.0; 4], &mut [0.0; 2])),
        ("queries into too much", |k| k.scan_queries(Op::Dot, &[1.0; 2], 2, &[1.0; 4], &mut [0.0; 3])),
        ("inverse norms into too little", |k| k.inverse_norms(2, &[1.0; 4], &mut [0.0; 1])),
        ("codes of a row short", |k| k.gather_codes(&QueryCodes::new(&[1.0; 2]), &[1; 3], &[1], &mut [0])),
        ("codes of a row out of range", |k| {
            k.gather_codes(&QueryCodes::new(&[1.0; 2]), &[1; 64], &[0, 1, 2, 3, 4, 5, u32::MAX], &mut [0; 7]);
        }),
        ("codes into too little", |k| {
            k.gather_codes(&QueryCodes::new(&[1.0; 2]), &[1; 4], &[0, 1], &mut [0]);
        }),
        ("rotation of another dimension", |k| k.rotate(&Rotation::new(64), &[1.0; 63], &mut [0.0; 64])),
        ("rotation into too little", |k| k.rotate(&Rotation::new(65), &[1.0; 65], &mut [0.0; 64])),
        ("query not of whole registers", |k| k.prepare(&mut SignQuery::default(), &[1.0; 65], &[1.0; 65])),
        ("row of another dimension", |k| {
            k.encode_sign_row(&[0.0; 64], &[0.0; 128], 0, 0, &mut [0; 64], &mut [0; 640]);
        }),
        ("block of another dimension", |k| {
            k.encode_sign_row(&[0.0; 64], &[0.0; 64], 0, 0, &mut [0; 64], &mut [0; 639]);
        }),
        ("place beyond a block", |k| {
            k.encode_sign_row(&[0.0; 64], &[0.0; 64], 32, 0, &mut [0; 64], &mut [0; 640]);
        }),
        ("estimate from part of a block", |k| {
            let mut query = SignQuery::default();
            k.prepare(&mut query, &[1.0; 64], &[1.0; 64]);
            k.estimate(&query, &[0; 639], 0.0, 1.0, &mut CandidatePool::default());
        }),
        ("queries of part of a panel's row", |k| {
            let mut panels = Panels::default();
            panels.pack(64, [[1_i8; 64].as_slice()].into_iter());
            k.panel_products(&panels, &[1; 63], &mut [0; 16]);
        }),
        ("products into too little", |k| {
            let mut panels = Panels::default();
            panels.pack(64, [[1_i8; 64].as_slice()].into_iter());
            k.panel_products(&panels, &[1; 64], &mut [0; 15]);
        }),
    ];
    for kernels in every_tier() {
        for (name, call) in calls {
            assert!(catch_unwind(|| call(&kernels)).is_err(), "{name} on {:?}", kernels.tier());
        }
    }
}
