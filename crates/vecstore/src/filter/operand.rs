//! Operands, prepared once for comparing with many stored values.

use std::collections::HashSet;
use std::hash::Hash;

use crate::filter::compare::{equals, float_as_int};
use crate::metadata::{DateTime, Value, ValueRef};

/// An operand; a string that reads as a time has been read.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str {
        text: String,
        /// Microseconds since 1970, for comparing with stored datetimes.
        time: Option<i64>,
    },
    Bytes(Vec<u8>),
    /// Microseconds since 1970.
    Time(i64),
    List(Vec<Operand>),
    Map(Vec<(String, Operand)>),
}

impl From<&Value> for Operand {
    /// Recurses as deep as the value, whose depth `Filter::check` has bounded.
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Float(value) => Self::Float(*value),
            Value::Str(text) => {
                Self::Str { text: text.clone(), time: DateTime::try_parse(text).map(DateTime::unix_micros) }
            }
            Value::Bytes(bytes) => Self::Bytes(bytes.clone()),
            Value::DateTime(time) => Self::Time(time.unix_micros()),
            Value::List(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Map(map) => {
                Self::Map(map.iter().map(|(key, value)| (key.to_owned(), value.into())).collect())
            }
        }
    }
}

/// What a stored value must be to equal an operand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// A datetime, in microseconds since 1970.
    Time(i64),
    /// A string that reads as this time.
    TimeAsText(i64),
    /// Some list; which one is for the documents to tell.
    List,
    /// Some map, likewise.
    Map,
}

impl Operand {
    /// Passes on what equals the operand.
    pub(crate) fn for_each_wanted<'a>(&'a self, visit: &mut dyn FnMut(Wanted<'a>)) {
        match self {
            Self::Null => visit(Wanted::Null),
            Self::Bool(value) => visit(Wanted::Bool(*value)),
            Self::Int(value) => visit(Wanted::Int(*value)),
            Self::Float(value) => visit(Wanted::Float(*value)),
            Self::Str { text, time } => {
                visit(Wanted::Text(text));
                time.iter().for_each(|&micros| visit(Wanted::Time(micros)));
            }
            Self::Bytes(bytes) => visit(Wanted::Bytes(bytes)),
            Self::Time(micros) => {
                visit(Wanted::Time(*micros));
                visit(Wanted::TimeAsText(*micros));
            }
            Self::List(_) => visit(Wanted::List),
            Self::Map(_) => visit(Wanted::Map),
        }
    }
}

/// Up to this many operands, comparing with each beats hashing (5 ns for each string against 12 ns in all).
const LINEAR_OPERANDS: usize = 2;

/// The operands of `$in` and its kin.
#[derive(Clone, Debug)]
pub(crate) enum OperandSet {
    Few(Vec<Operand>),
    Many(Box<HashedOperands>),
}

/// Operands by type: what is equal has the same hash, so a number is an integer wherever it equals one.
#[derive(Clone, Debug, Default)]
pub(crate) struct HashedOperands {
    has_null: bool,
    /// Whether `false` and `true` are among the operands.
    has_bool: [bool; 2],
    ints: HashSet<i64>,
    /// The bits of floats that equal no integer.
    floats: HashSet<u64>,
    texts: HashSet<Box<str>>,
    bytes: HashSet<Box<[u8]>>,
    /// Datetime operands, which equal stored datetimes and stored strings that read as times.
    times: HashSet<i64>,
    /// String operands that read as times, which equal stored datetimes but not other spellings in stored strings.
    text_times: HashSet<i64>,
    /// Lists and maps, compared one by one.
    containers: Vec<Operand>,
}

impl OperandSet {
    pub(super) fn new(values: &[Value]) -> Self {
        let operands = values.iter().map(Operand::from);
        if values.len() <= LINEAR_OPERANDS {
            return Self::Few(operands.collect());
        }
        let mut hashed = HashedOperands::default();
        operands.for_each(|operand| hashed.insert(operand));
        Self::Many(Box::new(hashed))
    }

    /// Passes on what equals one of the operands.
    pub(crate) fn for_each_wanted<'a>(&'a self, visit: &mut dyn FnMut(Wanted<'a>)) {
        match self {
            Self::Few(operands) => operands.iter().for_each(|operand| operand.for_each_wanted(visit)),
            Self::Many(hashed) => hashed.for_each_wanted(visit),
        }
    }

    /// Returns the operands, if they are no more than so many.
    pub(crate) fn operands(&self, most: usize) -> Option<Vec<Operand>> {
        match self {
            Self::Few(operands) => (operands.len() <= most).then(|| operands.clone()),
            Self::Many(hashed) => hashed.operands(most),
        }
    }

    pub(super) fn has_null(&self) -> bool {
        self.contains(ValueRef::Null)
    }

    /// Returns whether an operand equals the stored value itself.
    pub(super) fn contains(&self, stored: ValueRef<'_>) -> bool {
        match self {
            Self::Few(operands) => operands.iter().any(|operand| equals(stored, operand)),
            Self::Many(hashed) => hashed.contains(stored),
        }
    }
}

impl HashedOperands {
    fn operands(&self, most: usize) -> Option<Vec<Operand>> {
        let count = self.ints.len() + self.floats.len() + self.texts.len() + self.bytes.len();
        // Those that equal values of several kinds name no partition.
        let is_plain = self.times.is_empty() && self.text_times.is_empty() && self.containers.is_empty();
        if !is_plain || self.has_null || count + 2 > most {
            return None;
        }
        let bools = [false, true].into_iter().filter(|&value| self.has_bool[usize::from(value)]);
        let texts = self.texts.iter().map(|text| Operand::Str { text: text.to_string(), time: None });
        Some(
            bools
                .map(Operand::Bool)
                .chain(self.ints.iter().map(|&value| Operand::Int(value)))
                .chain(self.floats.iter().map(|&bits| Operand::Float(f64::from_bits(bits))))
                .chain(texts)
                .chain(self.bytes.iter().map(|bytes| Operand::Bytes(bytes.to_vec())))
                .collect(),
        )
    }

    fn for_each_wanted<'a>(&'a self, visit: &mut dyn FnMut(Wanted<'a>)) {
        if self.has_null {
            visit(Wanted::Null);
        }
        [false, true]
            .into_iter()
            .filter(|&value| self.has_bool[usize::from(value)])
            .for_each(|value| visit(Wanted::Bool(value)));
        self.ints.iter().for_each(|&value| visit(Wanted::Int(value)));
        self.floats.iter().for_each(|&bits| visit(Wanted::Float(f64::from_bits(bits))));
        self.texts.iter().for_each(|text| visit(Wanted::Text(text)));
        self.bytes.iter().for_each(|bytes| visit(Wanted::Bytes(bytes)));
        self.text_times.iter().for_each(|&micros| visit(Wanted::Time(micros)));
        for &micros in &self.times {
            visit(Wanted::Time(micros));
            visit(Wanted::TimeAsText(micros));
        }
        self.containers.iter().for_each(|container| container.for_each_wanted(visit));
    }

    fn insert(&mut self, operand: Operand) {
        match operand {
            Operand::Null => self.has_null = true,
            Operand::Bool(value) => self.has_bool[usize::from(value)] = true,
            Operand::Int(value) => add(&mut self.ints, value),
            Operand::Float(value) => match float_as_int(value) {
                Some(value) => add(&mut self.ints, value),
                None if value.is_nan() => {} // equals nothing
                None => add(&mut self.floats, value.to_bits()),
            },
            Operand::Str { text, time } => {
                self.text_times.extend(time);
                add(&mut self.texts, text.into_boxed_str());
            }
            Operand::Bytes(bytes) => add(&mut self.bytes, bytes.into_boxed_slice()),
            Operand::Time(micros) => add(&mut self.times, micros),
            container @ (Operand::List(_) | Operand::Map(_)) => self.containers.push(container),
        }
    }

    fn contains(&self, stored: ValueRef<'_>) -> bool {
        match stored {
            ValueRef::Null => self.has_null,
            ValueRef::Bool(value) => self.has_bool[usize::from(value)],
            ValueRef::Int(value) => self.ints.contains(&value),
            ValueRef::Float(value) => match float_as_int(value) {
                Some(value) => self.ints.contains(&value),
                None => self.floats.contains(&value.to_bits()), // never has a NaN
            },
            ValueRef::Str(text) => self.texts.contains(text) || self.times_contain(text),
            ValueRef::Bytes(bytes) => self.bytes.contains(bytes),
            ValueRef::DateTime(time) => {
                let micros = time.unix_micros();
                self.times.contains(&micros) || self.text_times.contains(&micros)
            }
            ValueRef::List(_) | ValueRef::Map(_) => {
                self.containers.iter().any(|container| equals(stored, container))
            }
        }
    }

    fn times_contain(&self, text: &str) -> bool {
        !self.times.is_empty()
            && DateTime::try_parse(text).is_some_and(|time| self.times.contains(&time.unix_micros()))
    }
}

fn add<T: Eq + Hash>(set: &mut HashSet<T>, value: T) {
    set.insert(value);
}
