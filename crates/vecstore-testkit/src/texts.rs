//! BM25 and dot products of sparse vectors by brute force, in 64 bits: what a search of texts must find.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// Texts as terms, by id. Those of records that count but must not be found are marked.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    texts: BTreeMap<String, (Rc<Terms>, bool)>,
}

/// How often each term is in a text, and how many there are in all.
#[derive(Debug, Default)]
struct Terms {
    times: HashMap<String, f64>,
    len: f64,
}

thread_local! {
    /// The terms of texts seen before: states of a disk, of which there are thousands, have most texts in common.
    static SEEN: RefCell<HashMap<String, Rc<Terms>>> = RefCell::default();
}

impl Terms {
    /// Splits at what is no letter or digit.
    fn of(text: &str) -> Self {
        let mut found = Self::default();
        for term in text.split(|c: char| !c.is_alphanumeric()).filter(|term| !term.is_empty()) {
            *found.times.entry(term.to_lowercase()).or_default() += 1.0;
            found.len += 1.0;
        }
        found
    }

    fn seen(text: &str) -> Rc<Self> {
        SEEN.with_borrow_mut(|seen| match seen.get(text) {
            Some(terms) => Rc::clone(terms),
            None => Rc::clone(seen.entry(text.to_owned()).or_insert(Rc::new(Self::of(text)))),
        })
    }
}

impl Texts {
    /// Adds a text, which is split at what is no letter or digit. One that is hidden is only counted.
    pub fn add(&mut self, id: &str, text: &str, hidden: bool) {
        self.texts.insert(id.to_owned(), (Terms::seen(text), hidden));
    }

    /// Returns the scores of all texts that have one of some terms, best first, ties by id.
    pub fn ranked(&self, terms: &[&str], matches: impl Fn(&str) -> bool) -> Vec<(&str, f64)> {
        let count = self.texts.len() as f64;
        let mean = self.texts.values().map(|(terms, _)| terms.len).sum::<f64>() / count;
        let holds =
            |term: &str| self.texts.values().filter(|(terms, _)| terms.times.contains_key(term)).count();
        let idf: Vec<f64> = terms
            .iter()
            .map(|term| {
                let rows = holds(term) as f64;
                (1.0 + (count - rows + 0.5) / (rows + 0.5)).ln()
            })
            .collect();
        let score = |text: &Terms| -> Option<f64> {
            let mut sum = None;
            for (&term, idf) in terms.iter().zip(&idf) {
                if let Some(times) = text.times.get(term) {
                    let length = 1.0 - B + B * text.len / mean;
                    *sum.get_or_insert(0.0) += idf * times * (K1 + 1.0) / (times + K1 * length);
                }
            }
            sum
        };
        let found = self.texts.iter().filter(|(id, (_, hidden))| !hidden && matches(id));
        rank(found.filter_map(|(id, (text, _))| Some((id.as_str(), score(text)?))))
    }
}

/// Ranks sparse vectors by their dot product with one; those that share no dimension with it are left out.
pub fn ranked_sparse<'a>(
    query: &[(u32, f32)],
    vectors: impl Iterator<Item = (&'a str, &'a [(u32, f32)])>,
) -> Vec<(&'a str, f64)> {
    rank(vectors.filter_map(|(id, vector)| {
        let shared = vector.iter().filter_map(|(dimension, weight)| {
            let (_, other) = query.iter().find(|(other, _)| other == dimension)?;
            Some(f64::from(*weight) * f64::from(*other))
        });
        let shared: Vec<f64> = shared.collect();
        (!shared.is_empty()).then(|| (id, shared.iter().sum()))
    }))
}

fn rank<'a>(found: impl Iterator<Item = (&'a str, f64)>) -> Vec<(&'a str, f64)> {
    let mut ranked: Vec<(&str, f64)> = found.collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
    ranked
}

/// Fails unless `found` is the first `k` of `ranked`: the same scores to 1e-4, the same ids but where scores are as close.
///
/// # Errors
///
/// What is wrong first.
pub fn check_ranking(found: &[(&str, f32)], ranked: &[(&str, f64)], k: usize) -> Result<(), String> {
    let expected = &ranked[..k.min(ranked.len())];
    if found.len() != expected.len() {
        return Err(format!("expected {} hits, got {}: {found:?} {expected:?}", expected.len(), found.len()));
    }
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-4 * b.abs().max(1e-3);
    for (n, (&(id, score), &(_, best))) in found.iter().zip(expected).enumerate() {
        let Some(&(_, own)) = ranked.iter().find(|(other, _)| *other == id) else {
            return Err(format!("`{id}` at {n} must not be found"));
        };
        if !close(f64::from(score), own) || !close(own, best) {
            return Err(format!("`{id}` at {n}: score {score}, its own {own}, that of the rank {best}"));
        }
        if found[..n].iter().any(|(other, _)| *other == id) {
            return Err(format!("`{id}` is found twice"));
        }
        // Equal scores are in the order of ids.
        if n > 0 && found[n - 1].1 == score && found[n - 1].0 > id {
            return Err(format!("`{id}` at {n} is out of order"));
        }
    }
    Ok(())
}
