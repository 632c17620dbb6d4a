//! The words of a filter string, one at a time, so that an error ends the reading early.

use std::fmt;

use crate::error::{Error, Result};
use crate::metadata::Value;

/// One word of a filter string.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// A dotted path, or a keyword if `bare`: one part without backticks.
    Name {
        path: String,
        bare: bool,
    },
    /// A number or a quoted string.
    Literal(Value),
    /// `:name` or `$name`.
    Parameter(&'a str),
    /// An operator, a parenthesis or a comma.
    Symbol(&'static str),
    End,
}

impl Token<'_> {
    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self, Self::Name { path, bare: true } if path.eq_ignore_ascii_case(keyword))
    }
}

/// The most characters of a token that an error message shows.
const SHOWN_CHARS: usize = 40;

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| text.chars().take(SHOWN_CHARS).collect::<String>();
        match self {
            Self::Name { path, .. } => write!(f, "`{}`", shown(path)),
            Self::Literal(Value::Str(text)) => write!(f, "the string '{}'", shown(text)),
            Self::Literal(Value::Int(number)) => write!(f, "the number {number}"),
            Self::Literal(Value::Float(number)) => write!(f, "the number {number}"),
            Self::Literal(other) => write!(f, "a {}", other.type_name()),
            Self::Parameter(name) => write!(f, "the parameter `{}`", shown(name)),
            Self::Symbol(symbol) => write!(f, "`{symbol}`"),
            Self::End => f.write_str("the end of the text"),
        }
    }
}

/// Symbols, each before its own prefixes.
const SYMBOLS: [&str; 11] = ["==", "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ","];

pub(super) struct Lexer<'a> {
    text: &'a str,
    /// Where the next token is looked for, in bytes.
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Makes an error about a place given in bytes; the message counts characters, from 0.
    pub(super) fn error(&self, expected: &str, at: usize, got: &str) -> Error {
        let position = self.text.get(..at).map_or(0, |before| before.chars().count());
        Error::filter(format!("filter string: expected {expected} at position {position}, got {got}"))
    }

    /// Takes the next token, with where it starts in bytes.
    pub(super) fn next_token(&mut self) -> Result<(Token<'a>, usize)> {
        let rest = self.rest().trim_start();
        let start = self.text.len() - rest.len();
        self.at = start;
        let Some(first) = rest.chars().next() else { return Ok((Token::End, start)) };
        let token = match first {
            '\'' | '"' => self.string(first)?,
            '`' => self.name()?,
            ':' | '$' => self.parameter()?,
            _ if is_name_start(first) => self.name()?,
            _ if starts_number(rest) => self.number()?,
            _ => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                Some(symbol) => {
                    self.at += symbol.len();
                    Token::Symbol(symbol)
                }
                None => return Err(self.error("a field, a value or an operator", start, &shown(first))),
            },
        };
        Ok((token, start))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes characters as long as they satisfy `accepts`.
    fn take_while(&mut self, accepts: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|character| !accepts(character)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn take_if(&mut self, accepts: impl Fn(char) -> bool) -> Option<char> {
        let next = self.rest().chars().next().filter(|next| accepts(*next))?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Takes a path: parts of letters, digits and `_`, or of anything between backticks, joined by dots.
    fn name(&mut self) -> Result<Token<'a>> {
        let mut path = String::new();
        let mut bare = true;
        loop {
            let start = self.at;
            if self.take_if(|next| next == '`').is_some() {
                bare = false;
                path.push_str(&self.quoted('`', start)?);
            } else {
                let part = self.take_while(is_name_part);
                if part.is_empty() {
                    let got = self.rest().chars().next().map_or_else(|| Token::End.to_string(), shown);
                    return Err(self.error("a name after `.`", start, &got));
                }
                path.push_str(part);
            }
            if self.take_if(|next| next == '.').is_none() {
                return Ok(Token::Name { path, bare });
            }
            bare = false;
            path.push('.');
        }
    }

    fn parameter(&mut self) -> Result<Token<'a>> {
        let start = self.at;
        self.at += 1;
        match self.take_while(is_name_part) {
            "" => Err(self.error("a name after the `:` or `$` of a parameter", start, "none")),
            name => Ok(Token::Parameter(name)),
        }
    }

    fn number(&mut self) -> Result<Token<'a>> {
        let start = self.at;
        self.take_if(|next| next == '-' || next == '+');
        self.take_while(|next| next.is_ascii_digit());
        let mut is_float = false;
        if self.take_if(|next| next == '.').is_some() {
            is_float = true;
            self.take_while(|next| next.is_ascii_digit());
        }
        if self.take_if(|next| next == 'e' || next == 'E').is_some() {
            is_float = true;
            self.take_if(|next| next == '-' || next == '+');
            self.take_while(|next| next.is_ascii_digit());
        }
        self.take_while(|next| is_name_part(next) || next == '.'); // so that `10abc` and `1.2.3` are one wrong number
        let number = &self.text[start..self.at];
        let got = || format!("`{}`", number.chars().take(SHOWN_CHARS).collect::<String>());
        if !is_float && number.bytes().skip(1).all(|byte| byte.is_ascii_digit()) {
            let int = number.parse().map_err(|_| self.error("an integer of 64 bits", start, &got()))?;
            return Ok(Token::Literal(Value::Int(int)));
        }
        match number.parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(Token::Literal(Value::Float(float))),
            Ok(_) => Err(self.error("a number within the range of a 64-bit float", start, &got())),
            Err(_) => Err(self.error("a number", start, &got())),
        }
    }

    fn string(&mut self, quote: char) -> Result<Token<'a>> {
        let start = self.at;
        self.at += 1;
        Ok(Token::Literal(Value::Str(self.quoted(quote, start)?)))
    }

    /// Takes the text up to a closing quote; the quote doubled stands for itself. A backslash escapes in strings only.
    fn quoted(&mut self, quote: char, start: usize) -> Result<String> {
        let mut text = String::new();
        loop {
            let escape_at = self.at;
            match self.take_if(|_| true) {
                None => {
                    return Err(self.error(
                        &format!("a closing {quote} for the text that starts"),
                        start,
                        "the end of the text",
                    ));
                }
                Some('\\') if quote != '`' => self.escape(escape_at, &mut text)?,
                Some(next) if next != quote => text.push(next),
                Some(_) => match self.take_if(|next| next == quote) {
                    Some(doubled) => text.push(doubled),
                    None => return Ok(text),
                },
            }
        }
    }

    fn escape(&mut self, start: usize, text: &mut String) -> Result<()> {
        match self.take_if(|_| true) {
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some(same @ ('\\' | '\'' | '"')) => text.push(same),
            Some(wildcard @ ('%' | '_')) => {
                text.push('\\'); // stays for LIKE, where it makes the wildcard literal
                text.push(wildcard);
            }
            Some(other) => {
                let got = shown(other);
                return Err(self.error(r#"one of n r t \ ' " % _ after the backslash"#, start, &got));
            }
            None => {} // the caller reports the missing quote
        }
        Ok(())
    }
}

fn shown(character: char) -> String {
    format!("`{}`", character.escape_debug())
}

fn is_name_start(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

fn is_name_part(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn starts_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    unsigned.strip_prefix('.').unwrap_or(unsigned).starts_with(|next: char| next.is_ascii_digit())
}
