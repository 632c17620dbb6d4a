//! Languages that are split along lines which begin with certain words, for want of a parser.

use std::ops::Range;

use super::Language;
use crate::split::error::Result;
use crate::split::levels::{LINES, push_text};
use crate::split::packer::Packer;

/// What lines of a language begin with where something new begins.
pub(super) struct Words {
    /// Words that begin definitions, and modifiers that stand in front of these.
    definitions: &'static [&'static str],
    /// Words that begin statements.
    statements: &'static [&'static str],
    /// Beginnings of comments: those directly above a definition go with it.
    comments: &'static [&'static str],
}

const fn words(
    definitions: &'static [&'static str],
    statements: &'static [&'static str],
    comments: &'static [&'static str],
) -> Words {
    Words { definitions, statements, comments }
}

const SLASHES: &[&str] = &["//", "/*", "*", "@", "["];
const HASHES: &[&str] = &["#"];
const DASHES: &[&str] = &["--"];
const BRANCHES: &[&str] = &["if", "for", "while", "switch", "case", "default", "do", "try", "return"];

static BASH: Words =
    words(&["function"], &["if", "for", "while", "until", "case", "select", "export", "local"], HASHES);
static C: Words = words(
    &[
        "static",
        "extern",
        "inline",
        "void",
        "int",
        "unsigned",
        "signed",
        "char",
        "short",
        "long",
        "float",
        "double",
        "bool",
        "size_t",
        "struct",
        "union",
        "enum",
        "typedef",
        "const",
        "class",
        "namespace",
        "template",
        "using",
        "public",
        "private",
        "protected",
        "virtual",
        "auto",
        "constexpr",
        "#define",
        "#ifdef",
        "#ifndef",
        "#if",
    ],
    BRANCHES,
    &["//", "/*", "*"],
);
static CLOJURE: Words = words(
    &["(ns", "(defn", "(defn-", "(def", "(defmacro", "(defprotocol", "(defrecord", "(deftype", "(deftest"],
    &["(let", "(if", "(when", "(cond"],
    &[";"],
);
static COBOL: Words = words(
    &["IDENTIFICATION", "ENVIRONMENT", "DATA", "PROCEDURE", "WORKING-STORAGE", "LINKAGE", "FILE", "FD", "01"],
    &["PERFORM", "IF", "MOVE", "EVALUATE", "READ", "WRITE", "OPEN", "CLOSE", "DISPLAY", "STOP"],
    &["*"],
);
static CSHARP: Words = words(
    &[
        "namespace",
        "class",
        "interface",
        "struct",
        "record",
        "enum",
        "delegate",
        "event",
        "public",
        "private",
        "protected",
        "internal",
        "static",
        "abstract",
        "sealed",
        "partial",
        "async",
        "override",
        "virtual",
        "using",
    ],
    &["if", "for", "foreach", "while", "switch", "case", "try", "catch", "return", "throw"],
    SLASHES,
);
static CSS: Words = words(
    &["@media", "@import", "@font-face", "@keyframes", "@layer", "@supports", ".", "#", ":root"],
    &[],
    &["/*"],
);
static DART: Words = words(
    &[
        "class",
        "abstract",
        "mixin",
        "extension",
        "enum",
        "typedef",
        "void",
        "Future",
        "Stream",
        "Widget",
        "static",
        "final",
        "const",
        "factory",
        "import",
    ],
    BRANCHES,
    SLASHES,
);
static ELIXIR: Words = words(
    &[
        "defmodule",
        "def",
        "defp",
        "defmacro",
        "defmacrop",
        "defprotocol",
        "defimpl",
        "defstruct",
        "describe",
        "test",
    ],
    &["if", "unless", "case", "cond", "with", "for", "receive", "try"],
    &["#", "@doc", "@spec"],
);
static ERLANG: Words = words(
    &["-module", "-export", "-record", "-define", "-spec", "-type"],
    &["case", "if", "receive"],
    &["%"],
);
static GROOVY: Words = words(
    &["class", "interface", "trait", "enum", "def", "void", "static", "public", "private", "import"],
    BRANCHES,
    SLASHES,
);
static HASKELL: Words = words(
    &[
        "module", "import", "data", "newtype", "type", "class", "instance", "deriving", "infixl", "infixr",
        "main",
    ],
    &["where", "let", "in", "do", "case", "if"],
    &["--", "{-"],
);
static JAVASCRIPT: Words = words(
    &[
        "export",
        "import",
        "async",
        "function",
        "class",
        "const",
        "let",
        "var",
        "interface",
        "type",
        "enum",
        "namespace",
        "abstract",
        "declare",
        "public",
        "private",
        "protected",
        "static",
    ],
    BRANCHES,
    SLASHES,
);
static JULIA: Words = words(
    &[
        "module",
        "function",
        "struct",
        "mutable",
        "abstract",
        "primitive",
        "macro",
        "const",
        "using",
        "import",
    ],
    &["if", "for", "while", "let", "begin", "try", "return"],
    &["#", "@"],
);
static KOTLIN: Words = words(
    &[
        "package",
        "import",
        "class",
        "interface",
        "object",
        "data",
        "sealed",
        "enum",
        "abstract",
        "open",
        "fun",
        "suspend",
        "val",
        "var",
        "public",
        "private",
        "protected",
        "internal",
        "override",
        "companion",
        "typealias",
    ],
    &["if", "for", "while", "when", "try", "return"],
    SLASHES,
);
static LATEX: Words = words(
    &[
        "\\part",
        "\\chapter",
        "\\section",
        "\\subsection",
        "\\subsubsection",
        "\\paragraph",
        "\\begin{document}",
    ],
    &["\\begin", "\\item", "\\["],
    &["%"],
);
static LUA: Words = words(&["function", "local", "return"], &["if", "for", "while", "repeat"], DASHES);
static OBJECTIVE_C: Words = words(
    &["@interface", "@implementation", "@protocol", "@property", "-", "+", "#import", "static", "typedef"],
    BRANCHES,
    &["//", "/*", "*"],
);
static OCAML: Words = words(
    &["module", "open", "let", "type", "exception", "class", "val", "external"],
    &["match", "if", "try"],
    &["(*"],
);
static PERL: Words = words(
    &["package", "sub", "use", "our", "my"],
    &["if", "unless", "for", "foreach", "while", "return"],
    &["#", "="],
);
static PHP: Words = words(
    &[
        "namespace",
        "use",
        "class",
        "abstract",
        "final",
        "interface",
        "trait",
        "enum",
        "function",
        "public",
        "private",
        "protected",
        "static",
        "const",
    ],
    &["if", "foreach", "for", "while", "do", "switch", "case", "try", "return", "echo"],
    &["//", "/*", "*", "#"],
);
static POWERSHELL: Words = words(
    &["function", "filter", "class", "enum", "param", "workflow", "configuration", "using"],
    &["if", "foreach", "for", "while", "switch", "try", "return"],
    HASHES,
);
static PROTOBUF: Words = words(
    &["syntax", "package", "import", "option", "message", "enum", "service", "extend"],
    &["rpc", "oneof", "map", "repeated"],
    SLASHES,
);
static PYTHON: Words = words(
    &["class", "def", "async", "@", "import", "from", "if __name__"],
    &["if", "for", "while", "try", "with", "return"],
    HASHES,
);
static R: Words = words(
    &["library", "require", "source", "setClass", "setMethod", "setGeneric", "setRefClass"],
    &["if", "for", "while", "repeat", "return"],
    HASHES,
);
static RST: Words = words(
    &[".. _", ".. toctree", ".. module", ".. class", ".. function"],
    &[".. code", ".. note", "-", "*"],
    &[],
);
static RUBY: Words = words(
    &[
        "module",
        "class",
        "def",
        "require",
        "attr_reader",
        "attr_accessor",
        "describe",
        "context",
        "it",
        "private",
    ],
    &["if", "unless", "while", "until", "case", "begin", "rescue", "loop", "return"],
    HASHES,
);
static SCALA: Words = words(
    &[
        "package",
        "import",
        "class",
        "object",
        "trait",
        "case",
        "abstract",
        "sealed",
        "def",
        "val",
        "var",
        "type",
        "given",
        "enum",
        "private",
        "protected",
        "override",
        "implicit",
    ],
    &["if", "for", "while", "match", "try"],
    SLASHES,
);
static SOLIDITY: Words = words(
    &[
        "pragma",
        "import",
        "contract",
        "abstract",
        "interface",
        "library",
        "struct",
        "enum",
        "event",
        "error",
        "modifier",
        "constructor",
        "function",
        "mapping",
        "using",
    ],
    &["if", "for", "while", "do", "assembly", "require", "emit", "return"],
    SLASHES,
);
static SQL: Words = words(
    &["CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE", "SELECT", "WITH", "BEGIN", "GRANT", "MERGE"],
    &["FROM", "JOIN", "LEFT", "WHERE", "GROUP", "ORDER", "HAVING", "UNION", "VALUES", "SET"],
    DASHES,
);
static SWIFT: Words = words(
    &[
        "import",
        "class",
        "struct",
        "enum",
        "protocol",
        "extension",
        "actor",
        "func",
        "init",
        "deinit",
        "var",
        "let",
        "public",
        "private",
        "internal",
        "fileprivate",
        "open",
        "static",
        "final",
        "override",
        "typealias",
    ],
    &["if", "guard", "for", "while", "switch", "case", "do", "return"],
    SLASHES,
);
static VISUAL_BASIC: Words = words(
    &[
        "Public", "Private", "Friend", "Sub", "Function", "Property", "Class", "Module", "Type", "Enum",
        "Imports",
    ],
    &["If", "ElseIf", "Else", "Select", "Case", "For", "Do", "While", "With"],
    &["'"],
);
static ZIG: Words = words(
    &["pub", "fn", "const", "var", "test", "export", "extern", "comptime", "usingnamespace"],
    BRANCHES,
    &["//"],
);
/// Languages of braces of which nothing is known but that.
static ANY: Words = words(&[], &[], &["//", "/*", "#", "--"]);

/// Returns the words of a language.
pub(super) fn words_of(language: Language) -> &'static Words {
    use Language as L;
    match language {
        L::Bash => &BASH,
        L::C | L::Cpp | L::Java | L::Go | L::Rust => match language {
            L::Go => &GO,
            L::Java => &CSHARP,
            L::Rust => &RUST,
            _ => &C,
        },
        L::Clojure => &CLOJURE,
        L::Cobol => &COBOL,
        L::CSharp => &CSHARP,
        L::Css => &CSS,
        L::Dart => &DART,
        L::Elixir => &ELIXIR,
        L::Erlang => &ERLANG,
        L::Groovy => &GROOVY,
        L::Haskell => &HASKELL,
        L::JavaScript | L::TypeScript | L::Tsx => &JAVASCRIPT,
        L::Julia => &JULIA,
        L::Kotlin => &KOTLIN,
        L::Latex => &LATEX,
        L::Lua => &LUA,
        L::ObjectiveC => &OBJECTIVE_C,
        L::OCaml => &OCAML,
        L::Perl => &PERL,
        L::Php => &PHP,
        L::PowerShell => &POWERSHELL,
        L::Protobuf => &PROTOBUF,
        L::Python => &PYTHON,
        L::R => &R,
        L::Rst => &RST,
        L::Ruby => &RUBY,
        L::Scala => &SCALA,
        L::Solidity => &SOLIDITY,
        L::Sql => &SQL,
        L::Swift => &SWIFT,
        L::VisualBasic => &VISUAL_BASIC,
        L::Zig => &ZIG,
        L::Any => &ANY,
    }
}

static GO: Words = words(&["package", "import", "func", "type", "var", "const"], BRANCHES, &["//", "/*"]);
static RUST: Words = words(
    &[
        "mod",
        "use",
        "pub",
        "fn",
        "async",
        "unsafe",
        "const",
        "static",
        "struct",
        "enum",
        "union",
        "trait",
        "impl",
        "type",
        "macro_rules!",
        "extern",
    ],
    &["if", "for", "while", "loop", "match", "let", "return"],
    &["//", "/*", "#[", "#!["],
);

/// A kind of place to cut at, the coarsest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// A definition at the margin.
    Outermost,
    /// A definition anywhere.
    Inner,
    /// A statement.
    Statement,
}

const PLACES: [Place; 3] = [Place::Outermost, Place::Inner, Place::Statement];

/// Pushes a range of a text of a language.
pub(super) fn push_words(packer: &mut Packer<'_, '_>, range: Range<usize>, words: &Words) -> Result<()> {
    let text = packer.ruler().text;
    // Each place with where a cut there lies; comments above belong to it.
    let mut cuts: Vec<(usize, Place)> = Vec::new();
    let mut comment_start = None;
    let mut start = range.start;
    for line in text[range.clone()].split_inclusive('\n') {
        let content = line.trim_start();
        let indented = content.len() < line.len();
        if words.begins_definition(content) {
            let place = if indented { Place::Inner } else { Place::Outermost };
            cuts.push((comment_start.take().unwrap_or(start), place));
        } else if content.is_empty() {
            comment_start = None;
        } else if words.comments.iter().any(|comment| content.starts_with(comment)) {
            comment_start.get_or_insert(start);
        } else {
            comment_start = None;
            if words.statements.iter().any(|word| begins(content, word)) {
                cuts.push((start, Place::Statement));
            }
        }
        start += line.len();
    }
    push_places(packer, range, &cuts, &PLACES)
}

fn push_places(
    packer: &mut Packer<'_, '_>,
    range: Range<usize>,
    cuts: &[(usize, Place)],
    places: &[Place],
) -> Result<()> {
    let range = packer.ruler().edges.stripped_between_graphemes(range);
    if let Some(size) = packer.ruler().size_within(range.clone(), packer.chunk_size())? {
        return packer.push(range, size);
    }
    let Some((&place, finer)) = places.split_first() else { return push_text(packer, range, LINES) };
    let (mut start, mut rest) = (range.start, cuts);
    let outermost = place == Place::Outermost;
    for (index, &(at, kind)) in cuts.iter().enumerate() {
        if kind != place || at <= start {
            continue;
        }
        let (inside, _) = rest.split_at(index - (cuts.len() - rest.len()));
        push_part(packer, start..at, inside, finer, outermost)?;
        (start, rest) = (at, &cuts[index..]);
    }
    push_part(packer, start..range.end, rest, finer, outermost)
}

/// Pushes a part; one that is too long for a chunk shares none with others if it is an outermost definition.
fn push_part(
    packer: &mut Packer<'_, '_>,
    range: Range<usize>,
    cuts: &[(usize, Place)],
    finer: &[Place],
    alone: bool,
) -> Result<()> {
    let kept = packer.ruler().edges.stripped_between_graphemes(range.clone());
    let alone = alone && !packer.ruler().fits(kept, packer.chunk_size())?;
    if alone {
        packer.flush()?;
    }
    push_places(packer, range, cuts, finer)?;
    if alone { packer.flush() } else { Ok(()) }
}

impl Words {
    fn begins_definition(&self, content: &str) -> bool {
        self.definitions.iter().any(|word| begins(content, word))
    }
}

/// Returns whether a line begins with a word, of which nothing follows that would make it another.
fn begins(content: &str, word: &str) -> bool {
    let Some(rest) = content.strip_prefix(word) else { return false };
    let open = word.ends_with(|character: char| character.is_alphanumeric());
    !open || !rest.starts_with(|character: char| character.is_alphanumeric() || character == '_')
}
