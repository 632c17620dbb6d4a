use vecstore::{
    BoostMode, DateTime, Decay, DecayShape, ErrorKind, FieldBoost, FilterBoost, HybridQuery, Metadata,
    Metric, Modifier, Origin, Query, QueryOptions, Record, TextQuery, Value, VecStore, field,
};

use super::world::{DIM, METRICS, World, assert_best, day_micros};

fn multiplied(score: f64, by: f64) -> f64 {
    if score >= 0.0 { score * by } else { score / by.max(f64::MIN_POSITIVE) }
}

/// A boost, and what it makes of a score.
type Case = (QueryOptions, Box<dyn Fn(&Record, f64) -> f64>);

fn cases() -> Vec<(&'static str, Case)> {
    let days = |record: &Record| {
        let day = record.metadata.get("day")?.as_datetime()?;
        Some((day.unix_micros() - day_micros(50)).abs() as f64 / 86_400e6)
    };
    let origin = Origin::Time(DateTime::new(day_micros(50), 0).unwrap());
    let stars = |record: &Record| record.metadata.get("stars").unwrap().as_float().unwrap();
    let options = QueryOptions::new;
    let decay = Decay::new("day", origin, 10.0 * 86_400.0);
    vec![
        (
            "exponential",
            (
                options().boost(decay.clone().decay(0.3)),
                Box::new(move |r, s| multiplied(s, days(r).map_or(1.0, |d| 0.3f64.powf(d / 10.0)))),
            ),
        ),
        (
            "gauss",
            (
                options().boost(
                    decay.clone().shape(DecayShape::Gauss).offset(5.0 * 86_400.0).missing(0.25).weight(0.5),
                ),
                Box::new(move |r, s| {
                    let left = days(r).map_or(0.25, |d| 0.5f64.powf(((d - 5.0).max(0.0) / 10.0).powi(2)));
                    multiplied(s, 0.5 + 0.5 * left)
                }),
            ),
        ),
        (
            "linear, added",
            (
                options()
                    .boost(decay.shape(DecayShape::Linear).missing(0.0).mode(BoostMode::Add).weight(3.0)),
                Box::new(move |r, s| s + 3.0 * days(r).map_or(0.0, |d| (1.0 - 0.5 * d / 10.0).max(0.0))),
            ),
        ),
        (
            "field",
            (
                options().boost(FieldBoost::new("stars").factor(2.0).modifier(Modifier::Log1p)),
                Box::new(move |r, s| multiplied(s, (2.0 * stars(r).max(0.0)).ln_1p())),
            ),
        ),
        (
            "filter and field",
            (
                options()
                    .boost(FilterBoost::new(field("rare").eq(true), 4.0))
                    .boost(FieldBoost::new("stars").most(2.0).mode(BoostMode::Add)),
                Box::new(move |r, s| {
                    let rare = r.metadata.get("rare") == Some(&Value::from(true));
                    (if rare { multiplied(s, 4.0) } else { s }) + stars(r).clamp(0.0, 2.0)
                }),
            ),
        ),
        (
            "number",
            (
                options().boost(Decay::new("n", Origin::Number(200.0), 50.0)),
                Box::new(|r, s| {
                    let n = r.metadata.get("n").unwrap().as_int().unwrap();
                    multiplied(s, 0.5f64.powf((n - 200).abs() as f64 / 50.0))
                }),
            ),
        ),
    ]
}

#[test]
fn exact_boosted_search_is_the_boosted_order_of_all() {
    for metric in METRICS {
        let mut world = World::new(metric, 8);
        for (name, (options, boosted)) in cases() {
            for filter in world.filters() {
                let vector = world.rng.vector(DIM);
                let ranked = world
                    .ranked(filter.as_ref(), |record| boosted(record, world.score(&vector, &record.vector)));
                let what = format!("{metric} {name} {filter:?}");
                let options = options.clone().filter(filter).k(9).exact(true);
                let query = Query::new(vector).options(options);
                let found = world.store.query(&query).unwrap();
                assert_best(&found, &ranked, 9, &what);
                if ranked.len() > 20 {
                    let page = world.store.query(&query.clone().offset(5)).unwrap();
                    assert_best(&page, &ranked[5..].to_vec(), 9, &what);
                    let least = query.min_score(found[4].score);
                    assert_eq!(world.store.query(&least).unwrap(), found[..5], "{what}");
                }
            }
        }
    }
}

#[test]
fn distances_stay_those_of_the_metric() {
    let store = VecStore::options().metric(Metric::Euclidean).open_in_memory().unwrap();
    store.upsert("a", &[3.0, 4.0], &Metadata::new()).unwrap();
    let boost = FilterBoost::new(field("x").exists(false), 10.0);
    let found = store.query(&Query::new([0.0, 0.0]).options(QueryOptions::new().boost(boost))).unwrap();
    assert_eq!(found[0].distance, 5.0);
    assert!((found[0].score - 10.0 / 6.0).abs() < 1e-6);
}

#[test]
fn texts_are_boosted_exactly() {
    let world = World::new(Metric::Cosine, 9);
    let everything = TextQuery::new("red thing").k(1000);
    let plain = world.store.text_query(&everything).unwrap();
    for (name, (options, boosted)) in cases() {
        let mut ranked: Vec<(String, f64)> = plain
            .iter()
            .map(|hit| (hit.id.clone(), boosted(&world.records[&hit.id], f64::from(hit.score))))
            .collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let found = world.store.text_query(&TextQuery::new("red thing").options(options.k(9))).unwrap();
        assert_best(&found, &ranked, 9, name);
    }
}

#[test]
fn hybrid_scores_are_boosted() {
    let mut world = World::new(Metric::Cosine, 10);
    let vector = world.rng.vector(DIM);
    for alpha in [0.0, 0.4, 1.0] {
        let query = HybridQuery::new(vector.clone(), "red").alpha(alpha).candidates(1000).exact(true);
        let plain = world.store.hybrid_query(&query.clone().k(1000)).unwrap();
        for (name, (options, boosted)) in cases() {
            let mut ranked: Vec<(String, f64)> = plain
                .iter()
                .map(|hit| (hit.id.clone(), boosted(&world.records[&hit.id], f64::from(hit.score))))
                .collect();
            ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
            let found = world.store.hybrid_query(&query.clone().options(options.exact(true).k(9))).unwrap();
            let score = |hit: &vecstore::Neighbor| f64::from(hit.score);
            for (hit, (_, expected)) in found.iter().zip(&ranked) {
                assert!((score(hit) - expected).abs() < 1e-4 * (1.0 + expected.abs()), "{name} {alpha}");
            }
        }
    }
}

#[test]
fn recency_counts_from_the_time_of_the_search() {
    let store = VecStore::options().open_in_memory().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as i64;
    let ago = |seconds: i64| Value::from(DateTime::new(now - seconds * 1_000_000, 0).unwrap());
    for (id, at) in [
        ("old", ago(100_000)),
        ("young", ago(1)),
        ("seconds", Value::from(now as f64 / 1e6)),
        ("text", Value::from("2001-01-01T00:00:00Z")),
    ] {
        store.upsert(id, &[1.0, 0.0], &Metadata::from([("at", at)])).unwrap();
    }
    let recent = Decay::new("at", Origin::Now, 50_000.0);
    let found = store.query(&Query::new([1.0, 0.0]).options(QueryOptions::new().boost(recent))).unwrap();
    let ids: Vec<&str> = found.iter().map(|hit| hit.id.as_str()).collect();
    assert_eq!(ids, ["seconds", "young", "old", "text"]);
    assert!((found[2].score - 0.25).abs() < 0.01);
    assert_eq!(found[3].score, 0.0);
}

#[test]
fn bad_boosts_are_refused() {
    let world = World::new(Metric::Cosine, 11);
    let decay = |scale| Decay::new("day", Origin::Now, scale);
    let options = QueryOptions::new;
    for (options, expected) in [
        (options().boost(decay(0.0)), "scale"),
        (options().boost(decay(f64::NAN)), "scale"),
        (options().boost(decay(1.0).decay(1.0)), "decay must be"),
        (options().boost(decay(1.0).offset(-1.0)), "offset"),
        (options().boost(decay(1.0).weight(2.0)), "weight"),
        (options().boost(decay(1.0).missing(2.0)), "missing"),
        (options().boost(Decay::new("", Origin::Now, 1.0)), "path"),
        (options().boost(Decay::new("x", Origin::Number(f64::INFINITY), 1.0)), "origin"),
        (options().boost(FieldBoost::new("x").factor(-1.0)), "factor"),
        (options().boost(FilterBoost::new(field("x").eq(1), -1.0)), "weight"),
        ((0..65).fold(options(), |options, _| options.boost(decay(1.0))), "64"),
    ] {
        let query = Query::new([1.0; DIM]).options(options);
        let error = world.store.query(&query).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().contains(expected), "{error}");
    }
}
