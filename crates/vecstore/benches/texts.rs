//! The time of text queries on a store that is there: `cargo bench -p vecstore --bench texts -- STORE QUERIES...`, where each
//! file of `QUERIES` has one query a line.
//!
//! Prints for each file the median and the mean, and a sum over ids and scores by which two builds are told to answer alike.

#![expect(clippy::disallowed_methods, reason = "it reads queries from files")]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use vecstore::{TextQuery, VecStore};

const ROUNDS: usize = 7;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(path) = arguments.next() else { return Ok(()) };
    let store = VecStore::options().open(path)?;
    for file in arguments {
        let text = std::fs::read_to_string(&file)?;
        let queries: Vec<TextQuery> = text.lines().map(TextQuery::new).collect();
        let mut answers = DefaultHasher::new();
        let mut best = vec![f64::INFINITY; queries.len()];
        for round in 0..ROUNDS {
            for (query, best) in queries.iter().zip(&mut best) {
                let started = Instant::now();
                let found = store.search_text(query)?;
                let ids: Vec<(&str, f32)> =
                    found.iter().map(|hit| Ok((hit.id()?, hit.score()))).collect::<vecstore::Result<_>>()?;
                *best = best.min(started.elapsed().as_secs_f64() * 1e6);
                if round == 0 {
                    for (id, score) in ids {
                        (id, score.to_bits()).hash(&mut answers);
                    }
                }
            }
        }
        best.sort_by(f64::total_cmp);
        let mean = best.iter().sum::<f64>() / best.len() as f64;
        let at = |share: f64| best[((best.len() - 1) as f64 * share) as usize];
        println!(
            "{file}: median {:.1} us, mean {mean:.1}, p90 {:.1}, p99 {:.1}, answers {:016x}",
            at(0.5),
            at(0.9),
            at(0.99),
            answers.finish()
        );
    }
    Ok(())
}
