//! Formulas that scores are computed by.
//!
//! ```text
//! sum     = product (("+" | "-") product)*
//! product = sign (("*" | "/") sign)*
//! sign    = "-" sign | value
//! value   = number | "(" sum ")" | function "(" sum ("," sum)* ")" | "default" "(" path "," sum ")"
//!         | "score" | "rank" | "now" | path
//! ```

use crate::error::{Error, Result};
use crate::filter::FieldPath;
use crate::metadata::{DocumentRef, ValueRef};

/// The longest formula, in bytes, and how deep it may nest.
const BYTES_MAX: usize = 4096;
const DEPTH_MAX: usize = 64;

const MICROS_PER_SECOND: f64 = 1e6;

/// A formula, as steps for a machine with a stack.
#[derive(Debug)]
pub(crate) struct Expression {
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Number(f64),
    Score,
    Rank,
    Now,
    /// Fails if there is no number.
    Field(FieldPath),
    /// The number at the path, or else that on the stack.
    FieldOr(FieldPath),
    Negate,
    Unary(fn(f64) -> f64),
    Binary(fn(f64, f64) -> f64),
}

/// What a formula is computed of.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) score: f32,
    /// From 1.
    pub(crate) rank: usize,
    pub(crate) now_unix_ms: u64,
    pub(crate) document: DocumentRef<'a>,
}

impl Expression {
    /// Reads a formula.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.len() > BYTES_MAX {
            return Err(Error::invalid(format!("a formula may have {BYTES_MAX} bytes, got {}", text.len())));
        }
        let mut parser = Parser { text, at: 0, steps: Vec::new(), depth: 0 };
        parser.sum()?;
        if parser.peek().is_some() {
            return Err(parser.expected("an operator or the end"));
        }
        Ok(Self { steps: parser.steps })
    }

    /// Computes the formula.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the record lacks a number at a path, or the result is not finite.
    pub(crate) fn value(&self, inputs: Inputs<'_>) -> Result<f32> {
        let mut stack: Vec<f64> = Vec::new();
        let pop = |stack: &mut Vec<f64>| stack.pop().expect("the parser leaves an operand for each step");
        for step in &self.steps {
            let value = match step {
                Step::Number(number) => *number,
                Step::Score => f64::from(inputs.score),
                Step::Rank => inputs.rank as f64,
                Step::Now => inputs.now_unix_ms as f64 / 1000.0,
                Step::Field(path) => number(path.find_in(inputs.document)).ok_or_else(|| {
                    let path = path.as_str();
                    Error::invalid(format!(
                        "expected a number or a time at `{path}`, got none: `default({path}, 0)` stands for one"
                    ))
                })?,
                Step::FieldOr(path) => {
                    let default = pop(&mut stack);
                    number(path.find_in(inputs.document)).unwrap_or(default)
                }
                Step::Negate => -pop(&mut stack),
                Step::Unary(function) => function(pop(&mut stack)),
                Step::Binary(function) => {
                    let second = pop(&mut stack);
                    function(pop(&mut stack), second)
                }
            };
            stack.push(value);
        }
        let value = pop(&mut stack) as f32;
        if value.is_finite() {
            return Ok(value);
        }
        Err(Error::invalid(format!("the formula must come to a finite number, got {value}")))
    }
}

fn number(stored: Option<ValueRef<'_>>) -> Option<f64> {
    match stored? {
        ValueRef::Int(number) => Some(number as f64),
        ValueRef::Float(number) => Some(number),
        ValueRef::Bool(value) => Some(f64::from(u8::from(value))),
        ValueRef::DateTime(time) => Some(time.unix_micros() as f64 / MICROS_PER_SECOND),
        _ => None,
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    steps: Vec<Step>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Returns the next character that is no space, which is left there.
    fn peek(&mut self) -> Option<char> {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.rest().chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let is_there = self.peek() == Some(wanted);
        if is_there {
            self.at += wanted.len_utf8();
        }
        is_there
    }

    fn expected(&mut self, what: &str) -> Error {
        let got = match self.peek() {
            Some(_) => {
                let start: String = self.rest().chars().take(20).collect();
                format!("`{}`", start.escape_debug())
            }
            None => "the end".to_owned(),
        };
        Error::invalid(format!("formula: expected {what} at byte {}, got {got}", self.at))
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == DEPTH_MAX {
            return Err(Error::invalid(format!("a formula may nest {DEPTH_MAX} deep, got more")));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn sum(&mut self) -> Result<()> {
        self.deeper(|parser| {
            parser.product()?;
            loop {
                let step: fn(f64, f64) -> f64 = if parser.take('+') {
                    |a, b| a + b
                } else if parser.take('-') {
                    |a, b| a - b
                } else {
                    return Ok(());
                };
                parser.product()?;
                parser.steps.push(Step::Binary(step));
            }
        })
    }

    fn product(&mut self) -> Result<()> {
        self.sign()?;
        loop {
            let step: fn(f64, f64) -> f64 = if self.take('*') {
                |a, b| a * b
            } else if self.take('/') {
                |a, b| a / b
            } else {
                return Ok(());
            };
            self.sign()?;
            self.steps.push(Step::Binary(step));
        }
    }

    fn sign(&mut self) -> Result<()> {
        if self.take('-') {
            self.deeper(Self::sign)?;
            self.steps.push(Step::Negate);
            return Ok(());
        }
        self.value()
    }

    fn value(&mut self) -> Result<()> {
        match self.peek() {
            Some('(') => {
                self.at += 1;
                self.sum()?;
                self.close()
            }
            Some(first) if first.is_ascii_digit() || first == '.' => self.number(),
            Some('`') => {
                let path = self.path()?;
                self.steps.push(Step::Field(path));
                Ok(())
            }
            Some(first) if is_word(first) => self.named(),
            _ => Err(self.expected("a number, a path, a function or `(`")),
        }
    }

    fn number(&mut self) -> Result<()> {
        let rest = self.rest().as_bytes();
        let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut len = digits(0);
        if rest.get(len) == Some(&b'.') {
            len += 1 + digits(len + 1);
        }
        if matches!(rest.get(len), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(rest.get(len + 1), Some(b'+' | b'-')));
            let exponent = digits((len + 1 + sign).min(rest.len()));
            if exponent > 0 {
                len += 1 + sign + exponent;
            }
        }
        let Ok(number) = self.rest()[..len].parse() else { return Err(self.expected("a number")) };
        self.at += len;
        self.steps.push(Step::Number(number));
        Ok(())
    }

    /// Reads a path: words with dots between, or anything in backticks.
    fn path(&mut self) -> Result<FieldPath> {
        if self.take('`') {
            let Some((path, _)) = self.rest().split_once('`').filter(|(path, _)| !path.is_empty()) else {
                return Err(self.expected("a path that ends with a backtick"));
            };
            self.at += path.len() + 1;
            return Ok(FieldPath::new(path));
        }
        self.peek();
        let word = self.word();
        if word.is_empty() {
            return Err(self.expected("a path"));
        }
        Ok(FieldPath::new(word))
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let is_end = |c: char| !is_word(c) && !c.is_ascii_digit() && c != '.';
        let word = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    /// Reads what starts with a word: a function, one of the three names, or a path.
    fn named(&mut self) -> Result<()> {
        let word = self.word();
        if self.take('(') {
            return self.call(word);
        }
        self.steps.push(match word {
            "score" => Step::Score,
            "rank" => Step::Rank,
            "now" => Step::Now,
            path => Step::Field(FieldPath::new(path)),
        });
        Ok(())
    }

    fn call(&mut self, name: &str) -> Result<()> {
        let unary: Option<fn(f64) -> f64> = match name {
            "abs" => Some(f64::abs),
            "sqrt" => Some(f64::sqrt),
            "exp" => Some(f64::exp),
            "ln" => Some(f64::ln),
            "log10" => Some(f64::log10),
            _ => None,
        };
        let binary: Option<fn(f64, f64) -> f64> = match name {
            "pow" => Some(f64::powf),
            "min" => Some(f64::min),
            "max" => Some(f64::max),
            _ => None,
        };
        if let Some(unary) = unary {
            self.sum()?;
            self.steps.push(Step::Unary(unary));
        } else if let Some(binary) = binary {
            self.sum()?;
            self.comma()?;
            self.sum()?;
            self.steps.push(Step::Binary(binary));
        } else if name == "default" {
            let path = self.path()?;
            self.comma()?;
            self.sum()?;
            self.steps.push(Step::FieldOr(path));
        } else {
            return Err(Error::invalid(format!(
                "formula: there is no function `{}`; there are abs, sqrt, exp, ln, log10, pow, min, max, default",
                name.chars().take(40).collect::<String>().escape_debug()
            )));
        }
        self.close()
    }

    fn comma(&mut self) -> Result<()> {
        if self.take(',') { Ok(()) } else { Err(self.expected("`,`")) }
    }

    fn close(&mut self) -> Result<()> {
        if self.take(')') { Ok(()) } else { Err(self.expected("`)`")) }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{Document, Metadata, Value};

    fn value(text: &str) -> Result<f32> {
        let inner = Metadata::from([("stars", 4.into())]);
        let metadata =
            Metadata::from([("price", 2.5.into()), ("a b", 7.into()), ("shop", Value::from(inner))]);
        let document = Document::new(&metadata)?;
        let document = DocumentRef::new(document.as_bytes())?;
        Expression::parse(text)?.value(Inputs { score: 0.5, rank: 3, now_unix_ms: 1_500, document })
    }

    #[test]
    fn formulas_are_arithmetic() {
        for (text, expected) in [
            ("1 + 2 * 3", 7.0),
            ("(1 + 2) * 3 - -4 / 2", 11.0),
            ("2 - 3 - 4", -5.0),
            ("score * price + `a b`", 8.25),
            ("shop.stars / rank", 4.0 / 3.0),
            ("now", 1.5),
            ("pow(2, 10) - max(1, min(5, 3))", 1021.0),
            ("default(nothing, 1.5e1) + default(price, 9)", 17.5),
            ("exp(ln(abs(-2))) + sqrt(9) + log10(100)", 7.0),
            (".5e-1", 0.05),
        ] {
            let got = value(text).unwrap();
            assert!((got - expected).abs() < 1e-5, "{text}: {got}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, expected) in [
            ("", "got the end"),
            ("1 +", "at byte 3"),
            ("1 2", "an operator or the end"),
            ("nothing", "default(nothing, 0)"),
            ("1 / 0", "finite"),
            ("sin(1)", "no function `sin`"),
            ("max(1)", "expected `,`"),
            ("`a", "backtick"),
            ("1 \u{e9}%", "got `\u{e9}%`"),
        ] {
            let message = value(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
        assert!(value(&"(".repeat(4000)).unwrap_err().to_string().contains("deep"));
        assert!(value(&"-".repeat(4000)).unwrap_err().to_string().contains("deep"));
        assert!(value(&"1+".repeat(4000)).unwrap_err().to_string().contains("4096"));
    }
}
