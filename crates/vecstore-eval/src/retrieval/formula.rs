//! The formulas of the measures, on one topic.
//!
//! Sources: trec_eval's documentation of its measures; Jarvelin and Kekalainen 2002 (DCG); Buckley and Voorhees 2004
//! (bpref); Yilmaz and Aslam 2006 (infAP); Moffat and Zobel 2008 (RBP); Chapelle et al. 2009 (ERR).

use super::{Compat, Judgment, Topic};

/// Keeps the inferred precision above no judged documents defined; trec_eval's value.
const INFERRED_EPSILON: f64 = 0.000_01;
/// The least value in a geometric mean, so that one failed query does not make it zero; trec_eval's value.
const GEOMETRIC_MIN: f64 = 0.000_01;

/// What a formula may need besides the topic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) compat: Compat,
    /// The grade from which on a document counts as relevant.
    pub(crate) level: u32,
    /// The greatest grade of all topics, which ERR takes its probabilities from.
    pub(crate) top_grade: u32,
}

/// How gain grows with the grade.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Gain {
    /// The grade.
    Linear,
    /// `2^grade - 1`.
    Exponential,
}

/// A formula with its parameters. `None` as a cut is the whole ranking.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Formula {
    Queries,
    Retrieved,
    Relevant,
    RelevantRetrieved,
    NonrelevantRetrieved,
    AveragePrecision(Option<usize>),
    GeometricAveragePrecision,
    RPrecision,
    /// Precision at a multiple of the number of relevant documents.
    RPrecisionMultiple(f64),
    Bpref,
    GeometricBpref,
    ReciprocalRank(Option<usize>),
    InterpolatedPrecision(f64),
    ElevenPoint,
    Precision(usize),
    RelativePrecision(usize),
    Recall(usize),
    Success(usize),
    F {
        cut: usize,
        beta_squared: f64,
    },
    InferredAp,
    Ndcg {
        cut: Option<usize>,
        gain: Gain,
    },
    Dcg {
        cut: Option<usize>,
        gain: Gain,
    },
    /// Rank-biased precision; graded, with gains scaled into 0 to 1, or binary.
    Rbp {
        persistence: f64,
        cut: Option<usize>,
        graded: bool,
    },
    Err {
        cut: Option<usize>,
        top_grade: Option<u32>,
    },
    SetPrecision,
    SetRelativePrecision,
    SetRecall,
    SetF {
        beta_squared: f64,
    },
    SetMap,
    Judged(Option<usize>),
    Unjudged(usize),
    BinG,
    Utility,
}

impl Formula {
    /// Returns the value for a topic. It is finite for every topic.
    pub(crate) fn of(self, topic: &Topic, rules: Rules) -> f64 {
        let level = rules.level;
        let relevant = topic.relevant(level);
        let retrieved = topic.ranked().len();
        match self {
            Self::Queries => 1.0,
            Self::Retrieved => retrieved as f64,
            Self::Relevant => relevant as f64,
            Self::RelevantRetrieved => topic.found(None, level) as f64,
            Self::NonrelevantRetrieved => {
                let judged = topic.ranked().iter().filter(|judgment| judgment.is_judged()).count();
                (judged - topic.found(None, level)) as f64
            }
            Self::AveragePrecision(cut) => average_precision(topic, cut, level),
            Self::GeometricAveragePrecision => average_precision(topic, None, level).max(GEOMETRIC_MIN).ln(),
            Self::RPrecision => ratio(topic.found(Some(relevant), level), relevant),
            Self::RPrecisionMultiple(multiple) => {
                // Both versions round these up from a tenth.
                let cut = Compat::TrecEval9.documents(multiple, relevant);
                ratio(topic.found(Some(cut), level), cut)
            }
            Self::Bpref => bpref(topic, level),
            Self::GeometricBpref => bpref(topic, level).max(GEOMETRIC_MIN).ln(),
            Self::ReciprocalRank(cut) => topic
                .until(cut)
                .iter()
                .position(|judgment| judgment.is_relevant(level))
                .map_or(0.0, |at| 1.0 / (at + 1) as f64),
            Self::InterpolatedPrecision(recall) => interpolated(topic, &[recall], rules),
            Self::ElevenPoint => {
                let recalls: [f64; 11] = std::array::from_fn(|tenth| tenth as f64 / 10.0);
                interpolated(topic, &recalls, rules)
            }
            Self::Precision(cut) => ratio(topic.found(Some(cut), level), cut),
            Self::RelativePrecision(cut) => ratio(topic.found(Some(cut), level), cut.min(relevant)),
            Self::Recall(cut) => ratio(topic.found(Some(cut), level), relevant),
            Self::Success(cut) => f64::from(u8::from(topic.found(Some(cut), level) > 0)),
            Self::F { cut, beta_squared } => {
                let found = topic.found(Some(cut), level);
                f_measure(ratio(found, cut), ratio(found, relevant), beta_squared)
            }
            Self::InferredAp => inferred_ap(topic, level),
            Self::Ndcg { cut, gain } => {
                let ideal = dcg(topic.ideal(), cut, gain);
                if ideal > 0.0 {
                    dcg(topic.ranked().iter().map(|j| j.grade()), cut, gain) / ideal
                } else {
                    0.0
                }
            }
            Self::Dcg { cut, gain } => dcg(topic.ranked().iter().map(|j| j.grade()), cut, gain),
            Self::Rbp { persistence, cut, graded } => rank_biased(topic, persistence, cut, graded, level),
            Self::Err { cut, top_grade } => {
                expected_reciprocal_rank(topic.until(cut), top_grade.unwrap_or(rules.top_grade))
            }
            Self::SetPrecision => ratio(topic.found(None, level), retrieved),
            Self::SetRelativePrecision => ratio(topic.found(None, level), retrieved.min(relevant)),
            Self::SetRecall => ratio(topic.found(None, level), relevant),
            Self::SetF { beta_squared } => {
                let found = topic.found(None, level);
                f_measure(ratio(found, retrieved), ratio(found, relevant), beta_squared)
            }
            Self::SetMap => {
                let found = topic.found(None, level);
                ratio(found, retrieved) * ratio(found, relevant)
            }
            Self::Judged(cut) => {
                let shown = topic.until(cut);
                ratio(shown.iter().filter(|&&judgment| judgment != Judgment::Unpooled).count(), shown.len())
            }
            Self::Unjudged(cut) => {
                ratio(topic.until(Some(cut)).iter().filter(|judgment| !judgment.is_judged()).count(), cut)
            }
            Self::BinG => bin_g(topic, relevant, level),
            Self::Utility => {
                let found = topic.found(None, level) as f64;
                found - (retrieved as f64 - found)
            }
        }
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

pub(crate) fn f_measure(precision: f64, recall: f64, beta_squared: f64) -> f64 {
    let weighted = beta_squared * precision + recall;
    if weighted > 0.0 { (1.0 + beta_squared) * precision * recall / weighted } else { 0.0 }
}

fn average_precision(topic: &Topic, cut: Option<usize>, level: u32) -> f64 {
    let mut found = 0;
    let mut sum = 0.0;
    for (at, judgment) in topic.until(cut).iter().enumerate() {
        if judgment.is_relevant(level) {
            found += 1;
            sum += ratio(found, at + 1);
        }
    }
    if found == 0 { 0.0 } else { sum / topic.relevant(level) as f64 }
}

fn bpref(topic: &Topic, level: u32) -> f64 {
    let relevant = topic.relevant(level);
    let bound = topic.nonrelevant(level).min(relevant);
    let mut above = 0;
    let mut sum = 0.0;
    for judgment in topic.ranked().iter().filter(|judgment| judgment.is_judged()) {
        if !judgment.is_relevant(level) {
            above += 1;
        } else if above > 0 {
            sum += 1.0 - ratio(above.min(relevant), bound);
        } else {
            sum += 1.0;
        }
    }
    if relevant == 0 { 0.0 } else { sum / relevant as f64 }
}

fn inferred_ap(topic: &Topic, level: u32) -> f64 {
    let (mut relevant_above, mut nonrelevant_above, mut unjudged_above) = (0.0, 0.0, 0.0);
    let mut sum = 0.0;
    for (at, &judgment) in topic.ranked().iter().enumerate() {
        match judgment {
            Judgment::Unpooled => {}
            Judgment::Pooled => unjudged_above += 1.0,
            Judgment::Grade(grade) if grade < level => nonrelevant_above += 1.0,
            Judgment::Grade(_) => {
                let above = at as f64;
                sum += 1.0 / (above + 1.0);
                if at > 0 {
                    let pooled = (relevant_above + nonrelevant_above + unjudged_above) / above;
                    let precision = (relevant_above + INFERRED_EPSILON)
                        / (relevant_above + nonrelevant_above + 2.0 * INFERRED_EPSILON);
                    sum += above / (above + 1.0) * pooled * precision;
                }
                relevant_above += 1.0;
            }
        }
    }
    let relevant = topic.relevant(level);
    if relevant == 0 { 0.0 } else { sum / relevant as f64 }
}

/// Returns the mean over `recalls`, ascending, of the best precision at that recall or beyond.
fn interpolated(topic: &Topic, recalls: &[f64], rules: Rules) -> f64 {
    let relevant = topic.relevant(rules.level);
    let found = topic.found(None, rules.level);
    // best[n]: the greatest precision at any rank that n relevant documents are found by.
    let mut best = vec![0.0; found + 1];
    let mut remaining = found;
    let mut greatest = ratio(found, topic.ranked().len());
    best[remaining] = greatest;
    for at in (0..topic.ranked().len()).rev() {
        if remaining == 0 {
            break;
        }
        greatest = f64::max(greatest, ratio(remaining, at + 1));
        if topic.ranked()[at].is_relevant(rules.level) {
            best[remaining] = greatest;
            remaining -= 1;
        }
    }
    best[0] = greatest;
    let sum: f64 = recalls
        .iter()
        .map(|&recall| best.get(rules.compat.documents(recall, relevant)).copied().unwrap_or(0.0))
        .sum();
    sum / recalls.len() as f64
}

pub(crate) fn discount(at: usize) -> f64 {
    ((at + 2) as f64).log2()
}

fn dcg(grades: impl Iterator<Item = u32>, cut: Option<usize>, gain: Gain) -> f64 {
    grades
        .take(cut.unwrap_or(usize::MAX))
        .enumerate()
        .filter(|&(_, grade)| grade > 0)
        .map(|(at, grade)| {
            let gain = match gain {
                Gain::Linear => f64::from(grade),
                Gain::Exponential => exponential(grade),
            };
            gain / discount(at)
        })
        .sum()
}

/// `2^grade - 1`, held where sums over any ranking stay finite.
fn exponential(grade: u32) -> f64 {
    f64::from(grade.min(512)).exp2() - 1.0
}

fn rank_biased(topic: &Topic, persistence: f64, cut: Option<usize>, graded: bool, level: u32) -> f64 {
    let scale = f64::from(topic.top_grade().unwrap_or(1).max(1));
    let mut weight = 1.0;
    let mut sum = 0.0;
    for judgment in topic.until(cut) {
        let gain = if graded {
            f64::from(judgment.grade()) / scale
        } else {
            f64::from(u8::from(judgment.is_relevant(level)))
        };
        sum += gain * weight;
        weight *= persistence;
    }
    (1.0 - persistence) * sum
}

fn expected_reciprocal_rank(ranked: &[Judgment], top_grade: u32) -> f64 {
    let scale = f64::from(top_grade.min(512)).exp2();
    let mut unsatisfied = 1.0;
    let mut sum = 0.0;
    for (at, judgment) in ranked.iter().enumerate() {
        let satisfied = exponential(judgment.grade().min(top_grade)) / scale;
        sum += unsatisfied * satisfied / (at + 1) as f64;
        unsatisfied *= 1.0 - satisfied;
    }
    sum
}

fn bin_g(topic: &Topic, relevant: usize, level: u32) -> f64 {
    let mut found = 0;
    let mut sum = 0.0;
    for (at, judgment) in topic.ranked().iter().enumerate() {
        if judgment.is_relevant(level) {
            found += 1;
            sum += 1.0 / ((3 + at - found) as f64).log2();
        }
    }
    if found == 0 { 0.0 } else { sum / relevant as f64 }
}
