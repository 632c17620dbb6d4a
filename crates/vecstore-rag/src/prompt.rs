//! Prompts with variables.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// A text with variables in braces: `{name}`. Doubled braces are braces: `{{` and `}}`.
///
/// A name has letters, digits, `_`, `-` and `.`. What a variable is filled with is text: braces in it stay as they are.
///
/// # Examples
///
/// ```
/// use vecstore_rag::PromptTemplate;
///
/// let template = PromptTemplate::new("{question}\nAnswer as {{\"answer\": ...}} in {language}.")?
///     .with_default("language", "English");
/// let prompt = template.fill("question", "What is {this}?").render()?;
/// assert_eq!(prompt, "What is {this}?\nAnswer as {\"answer\": ...} in English.");
/// # Ok::<(), vecstore_rag::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PromptTemplate {
    source: String,
    parts: Vec<Part>,
    values: BTreeMap<String, String>,
    defaults: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Variable(String),
}

impl PromptTemplate {
    /// Parses a template.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a brace that is neither part of a variable nor doubled, with its position in characters.
    pub fn new(template: impl Into<String>) -> Result<Self> {
        let source = template.into();
        let parts = parse(&source)?;
        Ok(Self { source, parts, values: BTreeMap::new(), defaults: BTreeMap::new() })
    }

    /// Returns the template as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the names of the variables, each once, in order of their first place.
    pub fn variables(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for part in &self.parts {
            if let Part::Variable(name) = part
                && !names.contains(&name.as_str())
            {
                names.push(name.as_str());
            }
        }
        names
    }

    /// Returns what variables are filled with.
    pub fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// Returns what variables are if they are not filled.
    pub fn defaults(&self) -> &BTreeMap<String, String> {
        &self.defaults
    }

    /// Fills a variable. One that the template does not have is of no effect.
    #[must_use]
    pub fn fill(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets what a variable is if it is not filled.
    #[must_use]
    pub fn with_default(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set_default(name, value);
        self
    }

    /// Does what [`Self::fill`] does, in place.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.values.insert(name.into(), value.into());
    }

    /// Does what [`Self::with_default`] does, in place.
    pub fn set_default(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.defaults.insert(name.into(), value.into());
    }

    /// Returns the text with all variables filled.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if variables are neither filled nor have a default; it names them.
    pub fn render(&self) -> Result<String> {
        self.format(&BTreeMap::new())
    }

    /// Returns the text, and forgets what variables were filled with. Defaults stay. After an error nothing is forgotten.
    pub fn render_and_reset(&mut self) -> Result<String> {
        let rendered = self.render()?;
        self.values.clear();
        Ok(rendered)
    }

    /// Returns the text with these values, which go before what was filled, and before defaults.
    pub fn format(&self, values: &BTreeMap<String, String>) -> Result<String> {
        let value = |name: &String| {
            [values, &self.values, &self.defaults].into_iter().find_map(|from| from.get(name))
        };
        let missing: Vec<String> = self
            .variables()
            .into_iter()
            .filter(|name| value(&(*name).to_owned()).is_none())
            .map(|name| format!("`{name}`"))
            .collect();
        if !missing.is_empty() {
            let is = if missing.len() == 1 { "is" } else { "are" };
            return Err(Error::invalid(format!(
                "{} {is} in the template, with neither a value nor a default",
                missing.join(", ")
            )));
        }
        let mut text = String::with_capacity(self.source.len());
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Variable(name) => text.push_str(value(name).map_or("", String::as_str)),
            }
        }
        Ok(text)
    }
}

fn parse(source: &str) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = source;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let braced = &rest[at..];
        if let Some(after) = braced.strip_prefix("{{") {
            text.push('{');
            rest = after;
        } else if let Some(after) = braced.strip_prefix("}}") {
            text.push('}');
            rest = after;
        } else if let Some((name, after)) = variable(braced) {
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = after;
        } else {
            let position = source[..source.len() - braced.len()].chars().count();
            let brace = &braced[..1];
            return Err(Error::invalid(format!(
                "template: `{brace}` at character {position} is not part of a variable such as `{{name}}`; \
                 write `{brace}{brace}` for a brace"
            )));
        }
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

/// Splits `{name}` off.
fn variable(braced: &str) -> Option<(&str, &str)> {
    let (name, after) = braced.strip_prefix('{')?.split_once('}')?;
    let name = name.trim_matches(' ');
    let valid = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.');
    (!name.is_empty() && name.chars().all(valid)).then_some((name, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_missing_variable_is_named() {
        let template = PromptTemplate::new("{a} {b} {c}").unwrap().fill("b", "1");
        let message = template.render().unwrap_err().to_string();
        assert!(message.contains("`a`, `c`") && !message.contains("`b`"), "{message}");
    }

    #[test]
    fn a_lone_brace_is_an_error_that_says_where() {
        for (source, place) in
            [("ab {", "3"), ("}", "0"), ("\u{e9}{\"a\": 1}", "1"), ("{}", "0"), ("{a{b}", "0")]
        {
            let message = PromptTemplate::new(source).unwrap_err().to_string();
            assert!(message.contains(&format!("at character {place}")), "{source}: {message}");
        }
    }

    #[test]
    fn resetting_forgets_values_and_keeps_defaults() {
        let mut template = PromptTemplate::new("{a}{b}").unwrap().with_default("b", "2").fill("a", "1");
        assert_eq!(template.render_and_reset().unwrap(), "12");
        assert!(template.render().is_err());
        template.set("a", "3");
        assert_eq!(template.render().unwrap(), "32");
    }

    proptest! {
        #[test]
        fn values_stay_as_they_are(values in prop::collection::vec("[{}a-c\\PC]{0,6}", 3)) {
            let template = PromptTemplate::new("{a}-{b}-{a}-{{a}}-{c}").unwrap();
            let filled = template.fill("a", &values[0]).fill("b", &values[1]).fill("c", &values[2]).render().unwrap();
            prop_assert_eq!(filled, format!("{0}-{1}-{0}-{{a}}-{2}", values[0], values[1], values[2]));
        }

        #[test]
        fn escaped_text_is_itself(text in any::<String>()) {
            let escaped = text.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(PromptTemplate::new(escaped).unwrap().render().unwrap(), text);
        }
    }
}
