//! What a model is asked for more queries, and how its answer is read.

/// What is made of a query by a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expansion {
    /// The question in other words.
    Paraphrases,
    /// The simpler questions it is made of.
    SubQuestions,
    /// Passages that would answer it (Gao et al., "HyDE", 2022).
    HypotheticalDocuments,
}

impl Expansion {
    /// Returns the prompt that asks for `count` of them.
    pub fn prompt(self, query: &str, count: usize) -> String {
        let task = match self {
            Self::Paraphrases => format!(
                "Write {count} other ways to ask the question below, with other words where there are any, so that a search \
                 finds what the first wording misses. Write one on each line and nothing else."
            ),
            Self::SubQuestions => format!(
                "Break the question below into at most {count} simpler questions that can each be looked up on their own, and \
                 that together answer it. Write one on each line and nothing else. If it is simple already, repeat it."
            ),
            Self::HypotheticalDocuments => {
                "Write a short passage, as it could stand in a reference work, that answers the \
                 question below. Write the passage and nothing else."
                    .to_owned()
            }
        };
        format!("{task}\n\n<question>\n{query}\n</question>")
    }

    /// Returns the prompts to send: one, or one for each document.
    pub fn prompts(self, query: &str, count: usize) -> Vec<String> {
        match self {
            Self::HypotheticalDocuments => vec![self.prompt(query, 1); count],
            Self::Paraphrases | Self::SubQuestions => vec![self.prompt(query, count)],
        }
    }
}

/// Reads the lines of an answer: at most `most`, without their numbers, bullets and quotes, each once. Lines that announce a
/// list (they end with a colon) and fences are left out.
pub fn parse_lines(answer: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in answer.lines().map(unmarked) {
        if line.is_empty()
            || line.ends_with(':')
            || line.starts_with("```")
            || lines.iter().any(|known| known == line)
        {
            continue;
        }
        lines.push(line.to_owned());
        if lines.len() == most {
            break;
        }
    }
    lines
}

/// Removes `1.`, `2)`, `-`, `*` and the like, and quotes around the whole.
fn unmarked(line: &str) -> &str {
    let line = line.trim().trim_start_matches(['-', '*', '\u{2022}', '>']).trim_start();
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let numbered = (1..=3).contains(&digits)
        && line[digits..].starts_with(['.', ')', ':'])
        && line[digits + 1..].starts_with(char::is_whitespace);
    let line = if numbered { line[digits + 1..].trim_start() } else { line };
    let quoted = |quote: char| line.len() > 1 && line.starts_with(quote) && line.ends_with(quote);
    if quoted('"') || quoted('\'') { line[1..line.len() - 1].trim() } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_every_kind_are_read() {
        let answer = "Here are three:\n1. What is a log?\n2) \"What is synced?\"\n- What is synced?\n\n```\n* 3.5 or 4?\n";
        assert_eq!(parse_lines(answer, 9), ["What is a log?", "What is synced?", "3.5 or 4?"]);
        assert_eq!(parse_lines(answer, 1), ["What is a log?"]);
        assert!(parse_lines("", 3).is_empty());
    }

    #[test]
    fn the_query_is_in_the_prompt_as_it_is() {
        for kind in [Expansion::Paraphrases, Expansion::SubQuestions, Expansion::HypotheticalDocuments] {
            for prompt in kind.prompts("what {is} it?", 2) {
                assert!(prompt.ends_with("<question>\nwhat {is} it?\n</question>"));
            }
        }
        assert_eq!(Expansion::HypotheticalDocuments.prompts("q", 3).len(), 3);
    }
}
