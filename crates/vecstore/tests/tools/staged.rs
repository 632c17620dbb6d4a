use vecstore::{
    ErrorKind, FilterBoost, Fusion, HybridQuery, Metric, Neighbor, PrefetchQuery, Query, QueryStage, Rerank,
    SparseQuery, SparseVector, TextQuery, field,
};

use super::world::{DIM, World, assert_best};

fn ids(found: &[Neighbor]) -> Vec<&str> {
    found.iter().map(|hit| hit.id.as_str()).collect()
}

#[test]
fn one_stage_is_the_search_itself() {
    let mut world = World::new(Metric::Cosine, 12);
    let store = &world.store;
    for filter in world.filters() {
        let vector = world.rng.vector(DIM);
        let query = Query::new(vector.clone()).k(12).filter(filter.clone());
        let staged = PrefetchQuery::new([query.clone().into()]).k(12);
        assert_eq!(store.prefetch_query(&staged).unwrap(), store.query(&query).unwrap());
        // It makes no difference where the filter stands.
        let outside =
            PrefetchQuery::new([Query::new(vector.clone()).k(12).into()]).k(12).filter(filter.clone());
        assert_eq!(store.prefetch_query(&outside).unwrap(), store.query(&query).unwrap());
        let words = TextQuery::new("red").k(12).filter(filter.clone());
        let staged = PrefetchQuery::new([words.clone().into()]).k(12);
        assert_eq!(store.prefetch_query(&staged).unwrap(), store.text_query(&words).unwrap());
        let hybrid = HybridQuery::new(vector, "red").k(12).candidates(40).filter(filter);
        let staged = PrefetchQuery::new([hybrid.clone().into()]).k(5).offset(2);
        assert_eq!(
            ids(&store.prefetch_query(&staged).unwrap()),
            ids(&store.hybrid_query(&hybrid.k(5).offset(2)).unwrap())
        );
    }
}

#[test]
fn stages_do_what_they_say() {
    let mut world = World::new(Metric::Cosine, 13);
    let (a, b) = (world.rng.vector(DIM), world.rng.vector(DIM));
    let search = || QueryStage::from(Query::new(a.clone()).k(80).exact(true));
    let run = |stages: Vec<QueryStage>| world.store.prefetch_query(&PrefetchQuery::new(stages)).unwrap();
    let ranked = world.ranked(None, |record| world.score(&a, &record.vector));
    let nearest = &ranked[..80];
    let rescored = |score: &dyn Fn(&str, f64, usize) -> f64| {
        let scored = nearest.iter().enumerate().map(|(at, (id, old))| (id.clone(), score(id, *old, at + 1)));
        let mut scored: Vec<(String, f64)> = scored.collect();
        scored.sort_by(|a, b| b.1.total_cmp(&a.1));
        scored
    };
    let by_other = rescored(&|id, _, _| world.score(&b, &world.records[id].vector));
    assert_best(&run(vec![search(), QueryStage::rerank(Rerank::Vector(b.clone()))]), &by_other, 10, "rerank");
    let n = |id: &str| world.records[id].metadata.get("n").unwrap().as_int().unwrap() as f64;
    let by_formula = rescored(&|id, old, rank| old * 2.0 + n(id) / 1000.0 - rank as f64);
    let formula = Rerank::Expression("score * 2 + n / 1000 - rank".to_owned());
    assert_best(&run(vec![search(), QueryStage::rerank(formula)]), &by_formula, 10, "formula");
    let mut kept = nearest.to_vec();
    kept.retain(|(id, _)| n(id) < 100.0);
    assert_best(&run(vec![search(), QueryStage::Filter(field("n").lt(100))]), &kept, 10, "filter");
    let boosts = vec![FilterBoost::new(field("n").lt(100), 9.0).into()];
    let boosted = rescored(&|id, old, _| if n(id) < 100.0 { old * 9.0 } else { old });
    assert_best(&run(vec![search(), QueryStage::Boost { boosts, k: Some(4) }]), &boosted, 4, "boost");
    assert_eq!(run(vec![search(), QueryStage::Limit(3)]).len(), 3);
    let min = nearest[6].1 as f32 - 1e-6;
    assert_eq!(run(vec![search(), QueryStage::MinScore(min)]).len(), 7);
    let mmr = vecstore::MmrQuery::new(a.clone()).k(6).fetch_k(80).exact(true);
    let stage = QueryStage::Mmr { k: 6, lambda: 0.5, vector: Some(a.clone()) };
    assert_eq!(ids(&run(vec![search(), stage])), ids(&world.store.mmr_query(&mmr).unwrap()));
    assert_eq!(ids(&run(vec![search(), QueryStage::mmr(6)]))[0], nearest[0].0);
}

#[test]
fn two_prefetches_fused_are_a_hybrid_search() {
    let mut world = World::new(Metric::Cosine, 14);
    for fusion in Fusion::ALL {
        let vector = world.rng.vector(DIM);
        let hybrid =
            HybridQuery::new(vector.clone(), "red").alpha(0.25).candidates(40).fusion(fusion).exact(true);
        let arms = [
            PrefetchQuery::new([Query::new(vector).k(40).exact(true).into()]),
            PrefetchQuery::new([TextQuery::new("red").k(40).into()]),
        ];
        let stage = QueryStage::Fusion { prefetch: arms.to_vec(), fusion, weights: vec![0.25, 0.75], k: 10 };
        let staged = world.store.prefetch_query(&PrefetchQuery::new([stage])).unwrap();
        assert_eq!(staged, world.store.hybrid_query(&hybrid).unwrap(), "{fusion}");
    }
}

#[test]
fn three_rankings_nest_and_fuse() {
    let mut world = World::new(Metric::Cosine, 15);
    let vectors = [world.rng.vector(DIM), world.rng.vector(DIM), world.rng.vector(DIM)];
    let search = |n: usize| PrefetchQuery::new([Query::new(vectors[n].clone()).k(30).exact(true).into()]);
    let inner = QueryStage::fusion(Fusion::default(), [search(0), search(1)]);
    let outer = QueryStage::fusion(Fusion::default(), [PrefetchQuery::new([inner]), search(2)]);
    let filter = field("n").lt(300);
    let found = world.store.prefetch_query(&PrefetchQuery::new([outer]).filter(filter.clone())).unwrap();
    let fused = |rankings: [Vec<(String, f64)>; 2]| {
        let mut scores = std::collections::BTreeMap::new();
        for ranking in rankings {
            for (at, (id, _)) in ranking.into_iter().enumerate() {
                *scores.entry(id).or_insert(0.0) += 1.0 / (61.0 + at as f64);
            }
        }
        let mut fused: Vec<(String, f64)> = scores.into_iter().collect();
        fused.sort_by(|a, b| (b.1 as f32).total_cmp(&(a.1 as f32)).then_with(|| a.0.cmp(&b.0)));
        fused
    };
    let ranking = |n: usize| {
        let mut ranked = world.ranked(Some(&filter), |record| world.score(&vectors[n], &record.vector));
        ranked.truncate(30);
        ranked
    };
    let expected = fused([fused([ranking(0), ranking(1)]), ranking(2)]);
    assert_best(&found, &expected, 10, "nested");
}

#[test]
fn errors_name_the_stage() {
    let world = World::new(Metric::Cosine, 16);
    let search = || QueryStage::from(Query::new([1.0; DIM]));
    let bad = || QueryStage::from(Query::new([1.0; 3]));
    let rerank = |formula: &str| QueryStage::rerank(Rerank::Expression(formula.to_owned()));
    let deep = (0..9)
        .fold(search(), |stage, _| QueryStage::fusion(Fusion::default(), [PrefetchQuery::new([stage])]));
    let sparse = SparseQuery::new(SparseVector::new([(1, 1.0)]).unwrap());
    for (stages, kind, expected) in [
        (vec![], ErrorKind::InvalidInput, "at least one stage"),
        (vec![bad()], ErrorKind::DimensionMismatch, "stage 1 (vector_search): dimension"),
        (vec![QueryStage::Limit(3)], ErrorKind::InvalidInput, "stage 1 (limit): the first stage"),
        (vec![search(), sparse.into()], ErrorKind::InvalidInput, "stage 2 (sparse_search): only"),
        (vec![search(), rerank("1 +")], ErrorKind::InvalidInput, "stage 2 (rerank): formula"),
        (vec![search(), rerank("nothing")], ErrorKind::InvalidInput, "stage 2 (rerank): record `r"),
        (
            vec![search(), QueryStage::rerank(Rerank::Vector(vec![1.0]))],
            ErrorKind::DimensionMismatch,
            "(rerank)",
        ),
        (
            vec![QueryStage::fusion(Fusion::default(), [PrefetchQuery::new([bad()])])],
            ErrorKind::DimensionMismatch,
            "stage 1 (fusion): prefetch 1: stage 1 (vector_search): dimension",
        ),
        (vec![QueryStage::fusion(Fusion::default(), [])], ErrorKind::InvalidInput, "at least one prefetch"),
        (vec![deep], ErrorKind::InvalidInput, "nest 8 deep"),
        (vec![search(); 300], ErrorKind::InvalidInput, "stage 2"),
    ] {
        let error = world.store.prefetch_query(&PrefetchQuery::new(stages)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(expected), "{error}");
    }
    let many = [search()].into_iter().chain((0..300).map(|_| QueryStage::Limit(3)));
    let error = world.store.prefetch_query(&PrefetchQuery::new(many)).unwrap_err();
    assert!(error.message().contains("256 stages"), "{error}");
}

#[test]
fn a_search_of_any_kind_counts_once() {
    let world = World::new(Metric::Cosine, 17);
    let store = &world.store;
    let queries = || store.stats().unwrap().queries;
    let before = queries();
    store.hybrid_query(&HybridQuery::new([1.0; DIM], "red")).unwrap();
    assert_eq!(queries(), before + 1);
    let search = || PrefetchQuery::new([Query::new([1.0; DIM]).into()]);
    let fused = QueryStage::fusion(Fusion::default(), [search(), search()]);
    store.prefetch_query(&PrefetchQuery::new([fused])).unwrap();
    assert_eq!(queries(), before + 2);
}
