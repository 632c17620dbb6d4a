//! The names of measures in three spellings: trec_eval's, ir_measures' and ranx's.

use super::formula::{Formula, Gain};
use super::measure::Measure;
use crate::{Error, Result};

const CUTS: &[usize] = &[5, 10, 15, 20, 30, 100, 200, 500, 1000];
const SUCCESS_CUTS: &[usize] = &[1, 5, 10];
const UNJUDGED_CUTS: &[usize] = &[5, 10, 20];
const TENTHS: &[f64] = &[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
const MULTIPLES: &[f64] = &[0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0];
/// The persistence of trec_eval 10's `rbp`.
const PERSISTENCE: f64 = 0.9;
/// The persistence of ir_measures' `RBP`.
const PERSISTENCE_BINARY: f64 = 0.8;

const LINEAR: Gain = Gain::Linear;
const EXPONENTIAL: Gain = Gain::Exponential;

/// A name of trec_eval, and what may follow it.
enum Family {
    Plain(Formula),
    /// A cutoff follows.
    Cut(fn(usize) -> Formula, &'static [usize]),
    /// A number follows, printed with two decimals.
    Level(fn(f64) -> Formula, &'static [f64]),
    /// A number may follow.
    Parameter(fn(f64) -> Formula, f64),
}

const FAMILIES: &[(&str, Family)] = &[
    ("num_q", Family::Plain(Formula::Queries)),
    ("num_ret", Family::Plain(Formula::Retrieved)),
    ("num_rel", Family::Plain(Formula::Relevant)),
    ("num_rel_ret", Family::Plain(Formula::RelevantRetrieved)),
    ("num_nonrel_judged_ret", Family::Plain(Formula::NonrelevantRetrieved)),
    ("map", Family::Plain(Formula::AveragePrecision(None))),
    ("map_cut", Family::Cut(|k| Formula::AveragePrecision(Some(k)), CUTS)),
    ("gm_map", Family::Plain(Formula::GeometricAveragePrecision)),
    ("Rprec", Family::Plain(Formula::RPrecision)),
    ("Rprec_mult", Family::Level(Formula::RPrecisionMultiple, MULTIPLES)),
    ("bpref", Family::Plain(Formula::Bpref)),
    ("gm_bpref", Family::Plain(Formula::GeometricBpref)),
    ("recip_rank", Family::Plain(Formula::ReciprocalRank(None))),
    ("recip_rank_cut", Family::Cut(|k| Formula::ReciprocalRank(Some(k)), SUCCESS_CUTS)),
    ("iprec_at_recall", Family::Level(Formula::InterpolatedPrecision, TENTHS)),
    ("11pt_avg", Family::Plain(Formula::ElevenPoint)),
    ("P", Family::Cut(Formula::Precision, CUTS)),
    ("relative_P", Family::Cut(Formula::RelativePrecision, CUTS)),
    ("recall", Family::Cut(Formula::Recall, CUTS)),
    ("success", Family::Cut(Formula::Success, SUCCESS_CUTS)),
    ("F", Family::Cut(|cut| Formula::F { cut, beta_squared: 1.0 }, CUTS)),
    ("infAP", Family::Plain(Formula::InferredAp)),
    ("ndcg", Family::Plain(Formula::Ndcg { cut: None, gain: LINEAR })),
    ("ndcg_cut", Family::Cut(|k| Formula::Ndcg { cut: Some(k), gain: LINEAR }, CUTS)),
    ("ndcg_exp", Family::Plain(Formula::Ndcg { cut: None, gain: EXPONENTIAL })),
    ("ndcg_exp_cut", Family::Cut(|k| Formula::Ndcg { cut: Some(k), gain: EXPONENTIAL }, CUTS)),
    ("dcg", Family::Plain(Formula::Dcg { cut: None, gain: LINEAR })),
    ("dcg_cut", Family::Cut(|k| Formula::Dcg { cut: Some(k), gain: LINEAR }, CUTS)),
    (
        "rbp",
        Family::Parameter(|persistence| Formula::Rbp { persistence, cut: None, graded: true }, PERSISTENCE),
    ),
    ("err", Family::Plain(Formula::Err { cut: None, top_grade: None })),
    ("err_cut", Family::Cut(|k| Formula::Err { cut: Some(k), top_grade: None }, CUTS)),
    ("set_P", Family::Plain(Formula::SetPrecision)),
    ("set_relative_P", Family::Plain(Formula::SetRelativePrecision)),
    ("set_recall", Family::Plain(Formula::SetRecall)),
    ("set_F", Family::Parameter(|beta_squared| Formula::SetF { beta_squared }, 1.0)),
    ("set_map", Family::Plain(Formula::SetMap)),
    ("judged", Family::Cut(|k| Formula::Judged(Some(k)), UNJUDGED_CUTS)),
    ("unj", Family::Cut(Formula::Unjudged, UNJUDGED_CUTS)),
    ("binG", Family::Plain(Formula::BinG)),
    ("utility", Family::Plain(Formula::Utility)),
];

/// Names before an `@`, or alone, in lower case without punctuation.
const ALIASES: &[&str] = &[
    "AP", "nDCG", "DCG", "RR", "MRR", "P", "R", "F1", "Success", "hit_rate", "Rprec", "Bpref", "infAP",
    "ERR", "RBP", "Judged", "SetP", "SetR", "SetF", "SetAP", "NumQ", "NumRet", "NumRel",
];

/// Every name, for messages and for help.
pub(super) fn all() -> Vec<&'static str> {
    FAMILIES.iter().map(|&(name, _)| name).chain(ALIASES.iter().copied()).collect()
}

pub(super) fn parse(name: &str) -> Result<Vec<Measure>> {
    match trec_eval(name)? {
        Some(measures) => Ok(measures),
        None => Ok(vec![other_spelling(name)?]),
    }
}

fn unknown(name: &str) -> Error {
    Error::new(format!("measure `{name}` is unknown: expected one of {}", all().join(", ")))
}

fn bad_parameter(name: &str, got: &str, expected: &str) -> Error {
    Error::new(format!("measure `{name}`: expected {expected}, got `{got}`"))
}

fn trec_eval(name: &str) -> Result<Option<Vec<Measure>>> {
    let (stem, parameters) = match name.split_once('.') {
        // `iprec_at_recall_0.10` has a dot of its own; `P.5,10` is a family with parameters.
        Some((stem, parameters)) if FAMILIES.iter().any(|&(family, _)| family == stem) => {
            (stem, Some(parameters))
        }
        _ => (name, None),
    };
    for (family, kind) in FAMILIES {
        let follows = match parameters {
            Some(parameters) if stem == *family => Some(parameters),
            Some(_) => continue,
            None if name == *family => None,
            None => match name.strip_prefix(family).and_then(|rest| rest.strip_prefix('_')) {
                Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => Some(rest),
                _ => continue,
            },
        };
        return expand(name, family, kind, follows).map(Some);
    }
    Ok(None)
}

fn expand(name: &str, family: &str, kind: &Family, follows: Option<&str>) -> Result<Vec<Measure>> {
    let measure = |name: String, formula| Measure::new(name, formula, None);
    match (kind, follows) {
        (Family::Plain(formula), None) => Ok(vec![measure(family.to_owned(), *formula)]),
        (Family::Plain(_), Some(got)) => Err(bad_parameter(name, got, "no parameter")),
        (Family::Cut(formula, cuts), None) => {
            Ok(cuts.iter().map(|&cut| measure(format!("{family}_{cut}"), formula(cut))).collect())
        }
        (Family::Cut(formula, _), Some(list)) => list
            .split(',')
            .map(|text| {
                let cut = cutoff(name, text)?;
                Ok(measure(format!("{family}_{cut}"), formula(cut)))
            })
            .collect(),
        (Family::Level(formula, levels), None) => {
            Ok(levels.iter().map(|&level| measure(format!("{family}_{level:.2}"), formula(level))).collect())
        }
        (Family::Level(formula, _), Some(list)) => list
            .split(',')
            .map(|text| {
                let level = number(name, text, 0.0, 1000.0)?;
                Ok(measure(format!("{family}_{level:.2}"), formula(level)))
            })
            .collect(),
        (Family::Parameter(formula, default), None) => {
            Ok(vec![measure(family.to_owned(), formula(*default))])
        }
        (Family::Parameter(formula, _), Some(text)) => {
            let most = if family == "rbp" { 1.0 } else { 1e6 };
            let value = number(name, text.trim_start_matches("p="), 0.0, most)?;
            Ok(vec![measure(name.to_owned(), formula(value))])
        }
    }
}

fn cutoff(name: &str, text: &str) -> Result<usize> {
    text.trim()
        .parse()
        .ok()
        .filter(|&cut| cut > 0)
        .ok_or_else(|| bad_parameter(name, text, "a cutoff that is a whole number above 0"))
}

fn number(name: &str, text: &str, least: f64, most: f64) -> Result<f64> {
    text.trim()
        .parse()
        .ok()
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(|| bad_parameter(name, text, &format!("a number from {least} to {most}")))
}

/// Reads `stem(parameter=value, ...)@cut`.
fn other_spelling(name: &str) -> Result<Measure> {
    let (head, cut) = match name.rsplit_once('@') {
        Some((head, cut)) => (head, Some(cutoff(name, cut)?)),
        None => (name, None),
    };
    let (stem, list) = match head.split_once('(') {
        Some((stem, rest)) => {
            let list =
                rest.strip_suffix(')').ok_or_else(|| bad_parameter(name, head, "a closing bracket"))?;
            (stem, list)
        }
        None => (head, ""),
    };
    let mut parameters = Parameters { name, list: Vec::new() };
    for pair in list.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| bad_parameter(name, pair, "parameter=value"))?;
        parameters.list.push((key.trim(), value.trim().trim_matches(|c| c == '\'' || c == '"')));
    }
    let key: String =
        stem.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let graded = parameters.get("rel").is_none();
    let level = match parameters.take("rel") {
        Some(text) => Some(cutoff(name, text)? as u32),
        None => None,
    };
    let needs_cut = |formula: fn(usize) -> Formula| {
        cut.map(formula).ok_or_else(|| bad_parameter(name, name, "a cutoff, as in `P@10`"))
    };
    let mut takes_cut = true;
    let formula = match key.as_str() {
        "ap" | "map" | "averageprecision" => Formula::AveragePrecision(cut),
        "ndcg" | "ndcgburges" | "dcg" => {
            let gain = match parameters.take("dcg") {
                Some("exp-log2") => EXPONENTIAL,
                Some("log2") => LINEAR,
                Some(other) => return Err(bad_parameter(name, other, "dcg='log2' or dcg='exp-log2'")),
                None if key == "ndcgburges" => EXPONENTIAL,
                None => LINEAR,
            };
            if key == "dcg" { Formula::Dcg { cut, gain } } else { Formula::Ndcg { cut, gain } }
        }
        "rr" | "mrr" | "reciprank" => Formula::ReciprocalRank(cut),
        "p" | "precision" => match cut {
            Some(cut) => Formula::Precision(cut),
            None => Formula::SetPrecision,
        },
        "r" | "recall" => match cut {
            Some(cut) => Formula::Recall(cut),
            None => Formula::SetRecall,
        },
        "f1" | "f" => match cut {
            Some(cut) => Formula::F { cut, beta_squared: 1.0 },
            None => Formula::SetF { beta_squared: 1.0 },
        },
        "success" | "hitrate" | "hit" => needs_cut(Formula::Success)?,
        "err" => {
            let top_grade = parameters.take("max").map(|text| cutoff(name, text)).transpose()?;
            Formula::Err { cut, top_grade: top_grade.map(|grade| grade as u32) }
        }
        "rbp" => {
            let persistence = match parameters.take("p") {
                Some(text) => number(name, text, 0.0, 1.0)?,
                None => PERSISTENCE_BINARY,
            };
            Formula::Rbp { persistence, cut, graded }
        }
        "judged" => Formula::Judged(cut),
        _ => {
            takes_cut = false;
            match key.as_str() {
                "rprec" | "rprecision" => Formula::RPrecision,
                "bpref" => Formula::Bpref,
                "infap" => Formula::InferredAp,
                "setp" => Formula::SetPrecision,
                "setr" => Formula::SetRecall,
                "setf" => {
                    let beta =
                        parameters.take("beta").map_or(Ok(1.0), |text| number(name, text, 0.0, 1000.0))?;
                    Formula::SetF { beta_squared: beta }
                }
                "setap" => Formula::SetMap,
                "numq" => Formula::Queries,
                "numret" => Formula::Retrieved,
                "numrel" => Formula::Relevant,
                _ => return Err(unknown(name)),
            }
        }
    };
    if !takes_cut && cut.is_some() {
        return Err(bad_parameter(name, name, "no cutoff"));
    }
    parameters.finish()?;
    Ok(Measure::new(name.to_owned(), formula, level))
}

/// The parameters in brackets that are not yet used.
struct Parameters<'a> {
    name: &'a str,
    list: Vec<(&'a str, &'a str)>,
}

impl<'a> Parameters<'a> {
    fn get(&self, key: &str) -> Option<&'a str> {
        self.list.iter().find(|&&(name, _)| name == key).map(|&(_, value)| value)
    }

    fn take(&mut self, key: &str) -> Option<&'a str> {
        let at = self.list.iter().position(|&(name, _)| name == key)?;
        Some(self.list.remove(at).1)
    }

    fn finish(self) -> Result<()> {
        match self.list.first() {
            Some((key, value)) => {
                Err(Error::new(format!("measure `{}`: unknown parameter `{key}={value}`", self.name)))
            }
            None => Ok(()),
        }
    }
}
