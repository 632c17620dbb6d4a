//! Measures by name: a formula, its parameters, and how its values over queries become one.

use super::formula::{Formula, Rules};
use super::names;
use super::{Compat, Topic};
use crate::{Error, Result};

/// A measure: what to compute for a query, and how to combine queries.
///
/// # Examples
/// ```
/// use vecstore_eval::Measure;
///
/// assert_eq!(Measure::parse("P")?.len(), 9); // a family at trec_eval's own cutoffs
/// assert_eq!(Measure::parse("nDCG@10")?[0].name(), "nDCG@10");
/// assert!(Measure::parse("ndgc").unwrap_err().to_string().contains("ndcg_cut"));
/// # Ok::<(), vecstore_eval::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    name: String,
    formula: Formula,
    level: Option<u32>,
}

/// Values of measures: for each query, and over all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// `per_query[query][measure]`, in the order given. Geometric measures have no value for a single query.
    pub per_query: Vec<Vec<Option<f64>>>,
    /// `summary[measure]`: the mean, the geometric mean, or the sum of counts. 0 where there are no queries.
    pub summary: Vec<f64>,
}

impl Measure {
    pub(super) fn new(name: String, formula: Formula, level: Option<u32>) -> Self {
        Self { name, formula, level }
    }

    /// Reads a measure's name: trec_eval's (`ndcg_cut_10`, `P_5`, `map`; a family such as `P` or `P.5,20` gives
    /// several), ir_measures' (`nDCG@10`, `AP(rel=2)`, `RBP(p=0.8)`) or ranx's (`ndcg@10`, `mrr`, `hit_rate@5`).
    ///
    /// # Errors
    /// An unknown name; the message lists the known ones.
    pub fn parse(name: &str) -> Result<Vec<Self>> {
        names::parse(name)
    }

    /// Returns every name that `parse` knows, families by their stem.
    pub fn names() -> Vec<&'static str> {
        names::all()
    }

    /// Returns the name by which its values go.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn is_geometric(&self) -> bool {
        matches!(self.formula, Formula::GeometricAveragePrecision | Formula::GeometricBpref)
    }

    fn is_count(&self) -> bool {
        matches!(
            self.formula,
            Formula::Queries
                | Formula::Retrieved
                | Formula::Relevant
                | Formula::RelevantRetrieved
                | Formula::NonrelevantRetrieved
        )
    }

    fn combine(&self, values: &[f64]) -> f64 {
        let sum: f64 = values.iter().sum();
        if values.is_empty() || self.is_count() {
            sum
        } else if self.is_geometric() {
            (sum / values.len() as f64).exp()
        } else {
            sum / values.len() as f64
        }
    }
}

/// Evaluates topics under measures.
///
/// `level` is the grade from which on a document is relevant, unless a measure has its own (`P(rel=2)@5`). Gains of
/// nDCG, DCG, ERR and graded RBP do not depend on it. Costs O(retrieved) for each topic and measure.
///
/// # Errors
/// No measures.
///
/// # Examples
/// ```
/// use vecstore_eval::{Compat, Judgment, Measure, Topic, evaluate_topics};
///
/// let relevant = Judgment::Grade(1);
/// let topic = Topic::new(vec![Judgment::Unpooled, relevant], [relevant, relevant]);
/// let evaluation = evaluate_topics(&[topic], &Measure::parse("map")?, Compat::default(), 1)?;
/// assert_eq!(evaluation.summary, [0.25]);
/// # Ok::<(), vecstore_eval::Error>(())
/// ```
pub fn evaluate_topics(
    topics: &[Topic],
    measures: &[Measure],
    compat: Compat,
    level: u32,
) -> Result<Evaluation> {
    if measures.is_empty() {
        return Err(Error::new("measures: expected at least one, got none"));
    }
    let top_grade = topics.iter().filter_map(Topic::top_grade).max().unwrap_or(0);
    let mut columns = vec![Vec::with_capacity(topics.len()); measures.len()];
    let mut per_query = Vec::with_capacity(topics.len());
    for topic in topics {
        let mut row = Vec::with_capacity(measures.len());
        for (measure, column) in measures.iter().zip(&mut columns) {
            let rules = Rules { compat, level: measure.level.unwrap_or(level), top_grade };
            let value = measure.formula.of(topic, rules);
            column.push(value);
            row.push((!measure.is_geometric()).then_some(value));
        }
        per_query.push(row);
    }
    let summary = measures.iter().zip(&columns).map(|(measure, column)| measure.combine(column)).collect();
    Ok(Evaluation { per_query, summary })
}
