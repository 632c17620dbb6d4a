//! Splitting JSON along its values.

use std::ops::Range;
use std::sync::Arc;

use super::chunks::{Chunks, Contexts, Field};
use super::error::{Result, SplitError};
use super::levels::{Level, WORDS};
use super::measured::{Measured, measured_splitter};
use super::outline::{Outline, push_outline};

measured_splitter! {
    /// Splits a JSON text: values are whole where they fit, others fall into members and elements, strings into words.
    ///
    /// - A chunk is a slice of the text: neighboring members or elements with the commas between them, not a JSON text of its
    ///   own unless a whole value fits.
    /// - What is known of a chunk: `path`, the JSON pointer (RFC 6901) of the value its start is in or at.
    /// - A text that is not one JSON value is an error that says where.
    ///
    /// Costs the length of the text, however deep it is nested.
    ///
    /// ```
    /// use vecstore_text::split::{FieldValue, JsonSplitter, Limits, Splitter};
    ///
    /// let text = r#"{"name": "vecstore", "tags": ["fast", "small"]}"#;
    /// let chunks = JsonSplitter::new(Limits::new(27, 0)?).split(text)?;
    /// let texts: Vec<&str> = chunks.texts(text).collect();
    /// assert_eq!(texts, [r#"{"name": "vecstore","#, r#""tags": ["fast", "small"]}"#]);
    /// assert_eq!(chunks.context(1)[0].value, FieldValue::Text("/tags".into()));
    /// # Ok::<(), vecstore_text::split::SplitError>(())
    /// ```
    JsonSplitter,
    split
}

fn split(measured: &Measured, text: &str) -> Result<Chunks> {
    measured.pack(text, |packer| {
        let values = Reader { text, at: 0, values: Vec::new() }.read()?;
        let mut json =
            Json { text, values, path: String::new(), lengths: Vec::new(), contexts: Contexts::default() };
        push_outline(&mut json, vec![0], 0..text.len(), packer)?;
        Ok(json.contexts)
    })
}

/// A value, with its key in front and the comma behind it; those inside it follow.
struct Value {
    start: usize,
    end: usize,
    /// The index of the first value that is not inside.
    after: usize,
    step: Step,
}

/// How a value is reached from the one around it.
enum Step {
    Root,
    /// The key, between its quotes.
    Key(Range<usize>),
    Index(usize),
}

struct Json<'t> {
    text: &'t str,
    values: Vec<Value>,
    /// The pointer of the value that is entered.
    path: String,
    /// How long the pointer was at each value before it was entered.
    lengths: Vec<usize>,
    contexts: Contexts,
}

impl Json<'_> {
    fn step(&mut self, value: usize) {
        match &self.values[value].step {
            Step::Root => {}
            Step::Key(key) => {
                self.path.push('/');
                // Escapes of JSON stay as they are written.
                self.path.push_str(&self.text[key.clone()].replace('~', "~0").replace('/', "~1"));
            }
            Step::Index(index) => {
                self.path.push('/');
                self.path.push_str(&index.to_string());
            }
        }
    }
}

/// A longer pointer is that of a value around it: deep nesting would make the pointers longer than the text.
const LONGEST_PATH_BYTES: usize = 1024;

impl Outline for Json<'_> {
    type Node = usize;

    fn span(&self, node: usize) -> Range<usize> {
        self.values[node].start..self.values[node].end
    }

    fn children(&mut self, node: usize, into: &mut Vec<usize>) {
        let (mut at, after) = (node + 1, self.values[node].after);
        while at < after {
            into.push(at);
            at = self.values[at].after;
        }
    }

    fn levels(&self, _node: usize) -> &'static [Level] {
        WORDS
    }

    fn visit(&mut self, node: usize, start: usize) {
        let length = self.path.len();
        if length < LONGEST_PATH_BYTES {
            self.step(node);
        }
        let mut end = self.path.len().min(LONGEST_PATH_BYTES);
        while !self.path.is_char_boundary(end) {
            end -= 1;
        }
        self.contexts.push(start, &Arc::new(vec![Field::new("path", &self.path[..end])]));
        self.path.truncate(length);
    }

    fn enter(&mut self, node: usize) {
        self.lengths.push(self.path.len());
        if self.path.len() < LONGEST_PATH_BYTES {
            self.step(node);
        }
    }

    fn leave(&mut self, _node: usize) {
        if let Some(length) = self.lengths.pop() {
            self.path.truncate(length);
        }
    }
}

/// Reads a text by the grammar of RFC 8259, with a stack of its own.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    values: Vec<Value>,
}

/// An object or array that is being read: its index, its last byte, and how many values it has.
struct Open {
    value: usize,
    close: u8,
    count: usize,
}

impl Reader<'_> {
    fn read(mut self) -> Result<Vec<Value>> {
        let mut open: Vec<Open> = Vec::new();
        self.space();
        let mut start = self.at;
        let mut step = Step::Root;
        loop {
            let index = self.values.len();
            self.values.push(Value { start, end: self.at, after: index + 1, step });
            let close = match self.byte() {
                Some(b'{') => Some(b'}'),
                Some(b'[') => Some(b']'),
                _ => None,
            };
            match close {
                Some(close) => {
                    self.at += 1;
                    open.push(Open { value: index, close, count: 0 });
                }
                None => {
                    self.scalar()?;
                    self.end_value(index, !open.is_empty());
                }
            }
            // Everything that ends here, up to the next value.
            loop {
                self.space();
                let Some(top) = open.last_mut() else {
                    return if self.at == self.text.len() {
                        Ok(self.values)
                    } else {
                        Err(self.unexpected("the end"))
                    };
                };
                let separated =
                    top.count == 0 || self.text.as_bytes()[..self.at].trim_ascii_end().ends_with(b",");
                let fresh = top.count == 0 && close.is_some() && top.value == index;
                if self.byte() == Some(top.close) && (fresh || !separated) {
                    let value = top.value;
                    open.pop();
                    self.at += 1;
                    self.end_value(value, !open.is_empty());
                    continue;
                }
                if !separated {
                    return Err(self.unexpected("`,` or a closing bracket"));
                }
                start = self.at;
                step = if top.close == b'}' {
                    let key = self.key()?;
                    Step::Key(key)
                } else {
                    Step::Index(top.count)
                };
                top.count += 1;
                break;
            }
        }
    }

    /// Ends a value here, or behind the comma that follows.
    fn end_value(&mut self, value: usize, inside: bool) {
        let end = self.at;
        self.space();
        if inside && self.byte() == Some(b',') {
            self.at += 1;
            self.values[value].end = self.at;
        } else {
            self.values[value].end = end;
        }
        self.values[value].after = self.values.len();
    }

    fn key(&mut self) -> Result<Range<usize>> {
        if self.byte() != Some(b'"') {
            return Err(self.unexpected("a key in quotes"));
        }
        let start = self.at + 1;
        self.string()?;
        let key = start..self.at - 1;
        self.space();
        if self.byte() != Some(b':') {
            return Err(self.unexpected("`:`"));
        }
        self.at += 1;
        self.space();
        Ok(key)
    }

    fn scalar(&mut self) -> Result<()> {
        match self.byte() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let rest = &self.text[self.at..];
                let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word));
                self.at += word.ok_or_else(|| self.unexpected("a value"))?.len();
                Ok(())
            }
        }
    }

    fn string(&mut self) -> Result<()> {
        self.at += 1;
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.byte() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                        Some(b'u') => {
                            let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
                            if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                                return Err(self.unexpected("four hexadecimal digits behind `\\u`"));
                            }
                            self.at += 5;
                        }
                        _ => return Err(self.unexpected("an escape")),
                    }
                }
                Some(0x20..) => self.at += 1,
                _ => return Err(self.unexpected("the end of a string")),
            }
        }
    }

    fn number(&mut self) -> Result<()> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<()> {
        if !self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected("a digit"));
        }
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn unexpected(&self, expected: &str) -> SplitError {
        let got = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        let got = got.map_or_else(|| "the end of the text".to_owned(), |character| format!("{character:?}"));
        SplitError::invalid(format!("text: expected {expected} at byte {} of the JSON, got {got}", self.at))
    }
}
