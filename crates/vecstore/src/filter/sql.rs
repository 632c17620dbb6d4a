//! The string spelling: `price < 10 AND category IN ('a', 'b')`.
//!
//! ```text
//! filter      any of:  filter OR filter    filter AND filter    NOT filter    ( filter )    EXISTS ( path )
//!                      path comparison
//! comparison  any of:  = == != <> < <= > >=  value
//!                      [NOT] IN (value, ...)     [NOT] IN :list     [NOT] BETWEEN value AND value
//!                      [NOT] LIKE text    [NOT] CONTAINS value    [NOT] STARTSWITH text    [NOT] ENDSWITH text
//!                      IS [NOT] NULL
//! value       any of:  'text'    "text"    number    true    false    null    :parameter    $parameter
//! ```
//!
//! NOT binds before AND, and AND before OR; the AND of a BETWEEN belongs to it.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::filter::check::check_nodes;
use crate::filter::lexer::{Lexer, Token};
use crate::filter::limits::{MAX_FILTER_DEPTH, check_list_len};
use crate::filter::{Condition, Filter};
use crate::metadata::{Metadata, Value};

/// Words that name no field unless they are in backticks.
const RESERVED: [&str; 6] = ["AND", "OR", "NOT", "NULL", "TRUE", "FALSE"];

impl Filter {
    /// Reads a filter string, with `:name` and `$name` standing for values of `parameters`.
    ///
    /// Keywords are case-insensitive. A path is dotted; a part of it in backticks may have any characters. Strings stand
    /// in either quote; the quote doubled, or a backslash before a quote, `\`, `n`, `r` or `t`, writes it. `\%` and `\_`
    /// keep their backslash, which makes the character literal in LIKE.
    ///
    /// # Errors
    ///
    /// `Filter` saying what was expected at which character, counted from 0; also for a parameter that is missing, or
    /// given and not used.
    ///
    /// # Examples
    ///
    /// ```
    /// use vecstore::{Filter, Metadata, field};
    ///
    /// let filter = Filter::parse("price < :limit AND NOT tag IN ('old', 'worn')", &Metadata::new().with("limit", 10))?;
    /// assert_eq!(filter, field("price").lt(10) & !field("tag").is_in(["old", "worn"]));
    ///
    /// let error = Filter::parse("price < )", &Metadata::new()).expect_err("a value is missing");
    /// assert_eq!(error.message(), "filter string: expected a value at position 8, got `)`");
    /// # Ok::<(), vecstore::Error>(())
    /// ```
    pub fn parse(text: &str, parameters: &Metadata) -> Result<Self> {
        let mut lexer = Lexer::new(text);
        let (token, at) = lexer.next_token()?;
        let mut parser = Parser { lexer, token, at, parameters, used: HashSet::new(), depth: 0, nodes: 0 };
        let filter = parser.any()?;
        if parser.token != Token::End {
            return Err(parser.expected("AND, OR or the end of the text"));
        }
        if let Some(unused) = parameters.keys().find(|name| !parser.used.contains(name)) {
            return Err(Error::filter(format!(
                "filter string: the parameter `{unused}` was given but is not used"
            )));
        }
        filter.check()?;
        Ok(filter)
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token at hand, and where it starts in bytes.
    token: Token<'a>,
    at: usize,
    parameters: &'a Metadata,
    used: HashSet<&'a str>,
    /// How many parentheses and NOTs are open; bounds the recursion.
    depth: usize,
    nodes: usize,
}

impl<'a> Parser<'a> {
    fn expected(&self, what: &str) -> Error {
        self.lexer.error(what, self.at, &self.token.to_string())
    }

    fn advance(&mut self) -> Result<Token<'a>> {
        let (token, at) = self.lexer.next_token()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn accept_keyword(&mut self, keyword: &str) -> Result<bool> {
        let is_next = self.token.is_keyword(keyword);
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    fn accept_symbol(&mut self, symbol: &'static str) -> Result<bool> {
        let is_next = self.token == Token::Symbol(symbol);
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    fn expect_symbol(&mut self, symbol: &'static str) -> Result<()> {
        if self.accept_symbol(symbol)? { Ok(()) } else { Err(self.expected(&format!("`{symbol}`"))) }
    }

    /// Enters a parenthesis or a NOT.
    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_FILTER_DEPTH {
            let levels = format!("at most {MAX_FILTER_DEPTH} nested parentheses and NOTs");
            return Err(self.lexer.error(&levels, self.at, "one more"));
        }
        Ok(())
    }

    fn any(&mut self) -> Result<Filter> {
        let first = self.all()?;
        let mut filters = vec![first];
        while self.accept_keyword("OR")? {
            filters.push(self.all()?);
        }
        Ok(only_or(filters, Filter::Or))
    }

    fn all(&mut self) -> Result<Filter> {
        let first = self.one()?;
        let mut filters = vec![first];
        while self.accept_keyword("AND")? {
            filters.push(self.one()?);
        }
        Ok(only_or(filters, Filter::And))
    }

    fn one(&mut self) -> Result<Filter> {
        self.nodes += 1;
        check_nodes(self.nodes)?;
        if self.token.is_keyword("NOT") {
            self.enter()?;
            self.advance()?;
            let filter = !self.one()?;
            self.depth -= 1;
            return Ok(filter);
        }
        if self.token == Token::Symbol("(") {
            self.enter()?;
            self.advance()?;
            let filter = self.any()?;
            self.expect_symbol(")")?;
            self.depth -= 1;
            return Ok(filter);
        }
        self.condition()
    }

    fn condition(&mut self) -> Result<Filter> {
        let is_exists = self.token.is_keyword("EXISTS");
        let path = self.path("a field, NOT or `(`")?;
        if is_exists && self.accept_symbol("(")? {
            let path = self.path("a field")?;
            self.expect_symbol(")")?;
            return Ok(Filter::Field { path, condition: Condition::Exists(true) });
        }
        if self.accept_keyword("IS")? {
            let is_negative = self.accept_keyword("NOT")?;
            if !self.accept_keyword("NULL")? {
                return Err(self.expected(if is_negative { "NULL" } else { "NULL or NOT NULL" }));
            }
            let condition = if is_negative { Condition::Ne(Value::Null) } else { Condition::Eq(Value::Null) };
            return Ok(Filter::Field { path, condition });
        }
        let is_negative = self.accept_keyword("NOT")?;
        let condition = match self.keyword_condition()? {
            Some(Condition::In(values)) if is_negative => Condition::NotIn(values),
            Some(condition) if is_negative => {
                return Ok(!Filter::Field { path, condition });
            }
            Some(condition) => condition,
            None if is_negative => {
                return Err(self.expected("IN, BETWEEN, LIKE, CONTAINS, STARTSWITH or ENDSWITH after NOT"));
            }
            None => self.comparison()?,
        };
        Ok(Filter::Field { path, condition })
    }

    fn path(&mut self, expected: &str) -> Result<String> {
        match &self.token {
            Token::Name { path, bare }
                if !bare || !RESERVED.iter().any(|word| word.eq_ignore_ascii_case(path)) =>
            {
                let path = path.clone();
                self.advance()?;
                Ok(path)
            }
            _ => Err(self.expected(expected)),
        }
    }

    /// Reads a condition that starts with a keyword, if there is one.
    fn keyword_condition(&mut self) -> Result<Option<Condition>> {
        Ok(Some(if self.accept_keyword("IN")? {
            Condition::In(self.values()?)
        } else if self.accept_keyword("BETWEEN")? {
            let low = self.value()?;
            if !self.accept_keyword("AND")? {
                return Err(self.expected("AND and the upper bound of BETWEEN"));
            }
            Condition::Between(low, self.value()?)
        } else if self.accept_keyword("LIKE")? {
            Condition::Like(self.text()?)
        } else if self.accept_keyword("CONTAINS")? {
            Condition::Contains(self.value()?)
        } else if self.accept_keyword("STARTSWITH")? {
            Condition::StartsWith(self.text()?)
        } else if self.accept_keyword("ENDSWITH")? {
            Condition::EndsWith(self.text()?)
        } else {
            return Ok(None);
        }))
    }

    fn comparison(&mut self) -> Result<Condition> {
        let make = match self.token {
            Token::Symbol("=" | "==") => Condition::Eq,
            Token::Symbol("!=" | "<>") => Condition::Ne,
            Token::Symbol("<") => Condition::Lt,
            Token::Symbol("<=") => Condition::Lte,
            Token::Symbol(">") => Condition::Gt,
            Token::Symbol(">=") => Condition::Gte,
            _ => {
                return Err(self.expected(
                    "an operator (= == != <> < <= > >= IN NOT BETWEEN LIKE CONTAINS STARTSWITH ENDSWITH IS)",
                ));
            }
        };
        self.advance()?;
        Ok(make(self.value()?))
    }

    fn value(&mut self) -> Result<Value> {
        let value = match &self.token {
            Token::Literal(value) => value.clone(),
            Token::Parameter(name) => self.parameter(name)?.clone(),
            token if token.is_keyword("TRUE") => Value::Bool(true),
            token if token.is_keyword("FALSE") => Value::Bool(false),
            token if token.is_keyword("NULL") => Value::Null,
            _ => return Err(self.expected("a value")),
        };
        self.advance()?;
        Ok(value)
    }

    fn parameter(&mut self, name: &'a str) -> Result<&'a Value> {
        let Some(value) = self.parameters.get(name) else {
            return Err(self.lexer.error(
                &format!("a value for the parameter `{name}`"),
                self.at,
                "none among the parameters given",
            ));
        };
        self.used.insert(name);
        crate::filter::limits::check_operand(value)
            .map_err(|fault| Error::filter(format!("filter string: parameter `{name}`: {fault}")))?;
        Ok(value)
    }

    fn text(&mut self) -> Result<String> {
        let (at, shown) = (self.at, self.token.to_string());
        match self.value()?.as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(self.lexer.error("a string", at, &shown)),
        }
    }

    /// Reads the operands of IN: a list in parentheses, or a parameter that is a list.
    fn values(&mut self) -> Result<Vec<Value>> {
        if let Token::Parameter(name) = self.token {
            let Value::List(values) = self.parameter(name)? else {
                return Err(self.expected("`(` or a parameter that is a list"));
            };
            self.advance()?;
            return Ok(values.clone());
        }
        if !self.accept_symbol("(")? {
            return Err(self.expected("`(` or a parameter that is a list"));
        }
        let mut values = vec![self.value()?];
        while self.accept_symbol(",")? {
            values.push(self.value()?);
            check_list_len(values.len()).map_err(|fault| Error::filter(format!("filter string: {fault}")))?;
        }
        self.expect_symbol(")")?;
        Ok(values)
    }
}

fn only_or(mut filters: Vec<Filter>, combine: impl FnOnce(Vec<Filter>) -> Filter) -> Filter {
    match filters.pop() {
        Some(only) if filters.is_empty() => only,
        last => {
            filters.extend(last);
            combine(filters)
        }
    }
}
