//! One metadata value, with the type it was given in.

use crate::metadata::{DateTime, Metadata};

/// A metadata value; what goes in comes out with the same type, so `Int(1)`, `Float(1.0)` and `Bool(true)` differ.
///
/// Equality is exact by type, with the rules of `f64` for floats (`NaN` differs from itself). Filters compare more
/// loosely; see [`Filter`](crate::Filter).
///
/// Dropping is iterative, so a tree of any depth can be dropped. Cloning, comparing and printing recurse as deep as the
/// tree; [`encode`](crate::metadata::encode) and filters check the depth before they do.
///
/// # Examples
///
/// ```
/// use vecstore::Value;
///
/// let tags = Value::from(["red", "blue"]);
/// assert_eq!(tags.as_list().map(<[Value]>::len), Some(2));
/// assert_ne!(Value::from(1), Value::from(1.0));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// The absence of a value; filters treat a missing field the same.
    #[default]
    Null,
    /// A truth value; equal to no number.
    Bool(bool),
    /// A 64-bit signed integer.
    Int(i64),
    /// A 64-bit float; NaN and infinities are kept bit for bit.
    Float(f64),
    /// A string.
    Str(String),
    /// A byte string.
    Bytes(Vec<u8>),
    /// An instant with its UTC offset.
    DateTime(DateTime),
    /// An ordered list of values of any types.
    List(Vec<Value>),
    /// A map from strings to values.
    Map(Metadata),
}

impl Value {
    /// Returns the name of the value's type, as error messages write it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::DateTime(_) => "datetime",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    /// Returns whether the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the truth value of a `Bool`.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the integer of an `Int`.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the float of a `Float`; an `Int` is not converted.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the text of a `Str`.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the bytes of a `Bytes`.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the instant of a `DateTime`.
    pub fn as_datetime(&self) -> Option<DateTime> {
        match self {
            Self::DateTime(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the items of a `List`.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the entries of a `Map`.
    pub fn as_map(&self) -> Option<&Metadata> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Returns whether dropping the value would recurse further than into itself.
    fn is_filled_container(&self) -> bool {
        match self {
            Self::List(items) => !items.is_empty(),
            Self::Map(map) => !map.is_empty(),
            _ => false,
        }
    }

    /// Moves the filled containers among the direct children to `pending`, so that what stays behind is flat.
    fn take_containers(&mut self, pending: &mut Vec<Value>) {
        let mut take = |child: &mut Value| {
            if child.is_filled_container() {
                pending.push(std::mem::take(child));
            }
        };
        match self {
            Self::List(items) => items.iter_mut().for_each(&mut take),
            Self::Map(map) => map.values_mut().for_each(&mut take),
            _ => {}
        }
    }
}

impl Drop for Value {
    /// Drops nested containers from a work list: recursion would overflow the stack on a tree 100,000 levels deep.
    fn drop(&mut self) {
        if !self.is_filled_container() {
            return;
        }
        let mut pending = Vec::new(); // allocates only when there is a container inside a container
        self.take_containers(&mut pending);
        while let Some(mut value) = pending.pop() {
            value.take_containers(&mut pending);
        }
    }
}

macro_rules! from_scalar {
    ($($source:ty => $variant:ident),* $(,)?) => {$(
        impl From<$source> for Value {
            fn from(value: $source) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from_scalar! {
    bool => Bool,
    i8 => Int, i16 => Int, i32 => Int, i64 => Int, u16 => Int, u32 => Int,
    f32 => Float, f64 => Float,
    &str => Str, String => Str,
    &[u8] => Bytes, Vec<u8> => Bytes,
    DateTime => DateTime,
    Metadata => Map,
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Str(value.clone())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(items: [T; N]) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}
