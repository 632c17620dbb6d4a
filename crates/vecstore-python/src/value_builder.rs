//! A tree of values, built from the same walk over Python objects as a document.

use vecstore::{DateTime, Error, ErrorKind, Metadata, Result, Value};

use crate::metadata_in::Sink;

/// Deeper than any filter within the engine's limits: 64 levels of a list in a dict, and an operand.
const DEPTH_MAX: usize = 256;

/// More than any filter within the engine's limits; a list that holds itself many times is stopped here.
const VALUES_MAX: usize = 1 << 20;

/// Builds one [`Value`].
#[derive(Default)]
pub(crate) struct ValueBuilder {
    open: Vec<Open>,
    done: Option<Value>,
    values: usize,
}

enum Open {
    List(Vec<Value>),
    Map(Metadata, String),
}

impl ValueBuilder {
    /// Returns the value; the walk pushes exactly one.
    pub(crate) fn finish(self) -> Value {
        self.done.unwrap_or_default()
    }

    fn put(&mut self, value: Value) -> Result<()> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err(too_large(&format!("expected at most {VALUES_MAX} values")));
        }
        match self.open.last_mut() {
            None => self.done = Some(value),
            Some(Open::List(items)) => items.push(value),
            Some(Open::Map(map, key)) => _ = map.insert(std::mem::take(key), value),
        }
        Ok(())
    }

    fn begin(&mut self, open: Open) -> Result<()> {
        if self.open.len() == DEPTH_MAX {
            return Err(too_large(&format!("it nests too deep, expected at most {DEPTH_MAX} levels")));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        match self.open.pop() {
            Some(Open::List(items)) => self.put(Value::List(items)),
            Some(Open::Map(map, _)) => self.put(Value::Map(map)),
            None => Ok(()),
        }
    }
}

fn too_large(what: &str) -> Error {
    Error::new(ErrorKind::Filter, format!("filter: {what}"))
}

impl Sink for ValueBuilder {
    fn null(&mut self) -> Result<()> {
        self.put(Value::Null)
    }
    fn bool(&mut self, value: bool) -> Result<()> {
        self.put(Value::Bool(value))
    }
    fn int(&mut self, value: i64) -> Result<()> {
        self.put(Value::Int(value))
    }
    fn float(&mut self, value: f64) -> Result<()> {
        self.put(Value::Float(value))
    }
    fn str(&mut self, value: &str) -> Result<()> {
        self.put(Value::from(value))
    }
    fn bytes(&mut self, value: &[u8]) -> Result<()> {
        self.put(Value::from(value))
    }
    fn datetime(&mut self, value: DateTime) -> Result<()> {
        self.put(Value::DateTime(value))
    }
    fn begin_list(&mut self) -> Result<()> {
        self.begin(Open::List(Vec::new()))
    }
    fn end_list(&mut self) -> Result<()> {
        self.end()
    }
    fn begin_map(&mut self) -> Result<()> {
        self.begin(Open::Map(Metadata::new(), String::new()))
    }
    fn end_map(&mut self) -> Result<()> {
        self.end()
    }
    fn key(&mut self, key: &str) -> Result<()> {
        if let Some(Open::Map(_, pending)) = self.open.last_mut() {
            key.clone_into(pending);
        }
        Ok(())
    }
}
