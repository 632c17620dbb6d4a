//! The languages that code is split by.

use std::sync::Arc;

use crate::split::chunks::Field;
use crate::split::error::{Result, SplitError};

/// A programming language, or one of markup or data that is split like code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Language {
    Bash,
    C,
    Clojure,
    Cobol,
    Cpp,
    CSharp,
    Css,
    Dart,
    Elixir,
    Erlang,
    Go,
    Groovy,
    Haskell,
    Java,
    JavaScript,
    Julia,
    Kotlin,
    Latex,
    Lua,
    ObjectiveC,
    OCaml,
    Perl,
    Php,
    PowerShell,
    Protobuf,
    Python,
    R,
    Rst,
    Ruby,
    Rust,
    Scala,
    Solidity,
    Sql,
    Swift,
    Tsx,
    TypeScript,
    VisualBasic,
    Zig,
    /// None in particular: blank lines and lines.
    Any,
}

/// Every language but [`Language::Any`], with its name and other names for it, which include the usual endings of files.
static NAMES: &[(Language, &str, &[&str])] = &[
    (Language::Bash, "bash", &["sh", "shell", "zsh"]),
    (Language::C, "c", &["h"]),
    (Language::Clojure, "clojure", &["clj", "cljs"]),
    (Language::Cobol, "cobol", &["cbl", "cob"]),
    (Language::Cpp, "cpp", &["c++", "cc", "cxx", "hpp", "hh"]),
    (Language::CSharp, "csharp", &["c#", "cs"]),
    (Language::Css, "css", &["scss", "less"]),
    (Language::Dart, "dart", &[]),
    (Language::Elixir, "elixir", &["ex", "exs"]),
    (Language::Erlang, "erlang", &["erl"]),
    (Language::Go, "go", &["golang"]),
    (Language::Groovy, "groovy", &["gradle"]),
    (Language::Haskell, "haskell", &["hs"]),
    (Language::Java, "java", &[]),
    (Language::JavaScript, "javascript", &["js", "jsx", "mjs", "cjs"]),
    (Language::Julia, "julia", &["jl"]),
    (Language::Kotlin, "kotlin", &["kt", "kts"]),
    (Language::Latex, "latex", &["tex"]),
    (Language::Lua, "lua", &[]),
    (Language::ObjectiveC, "objectivec", &["objective-c", "objc", "m", "mm"]),
    (Language::OCaml, "ocaml", &["ml", "mli"]),
    (Language::Perl, "perl", &["pl", "pm"]),
    (Language::Php, "php", &[]),
    (Language::PowerShell, "powershell", &["ps1", "psm1"]),
    (Language::Protobuf, "protobuf", &["proto"]),
    (Language::Python, "python", &["py", "pyi"]),
    (Language::R, "r", &[]),
    (Language::Rst, "rst", &["restructuredtext"]),
    (Language::Ruby, "ruby", &["rb"]),
    (Language::Rust, "rust", &["rs"]),
    (Language::Scala, "scala", &["sc"]),
    (Language::Solidity, "solidity", &["sol"]),
    (Language::Sql, "sql", &[]),
    (Language::Swift, "swift", &[]),
    (Language::Tsx, "tsx", &[]),
    (Language::TypeScript, "typescript", &["ts", "mts", "cts"]),
    (Language::VisualBasic, "visualbasic", &["vb", "vba", "visualbasic6", "bas"]),
    (Language::Zig, "zig", &[]),
];

impl Language {
    /// Returns the names of all languages.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(_, name, _)| *name)
    }

    /// Returns the language of a name, in whatever case; endings of files are names, too.
    ///
    /// # Errors
    ///
    /// If there is none; the message lists the names.
    pub fn parse(name: &str) -> Result<Self> {
        let lower = name.trim_start_matches('.').to_lowercase();
        let known = NAMES.iter().find(|(_, name, others)| *name == lower || others.contains(&lower.as_str()));
        known.map(|(language, _, _)| *language).ok_or_else(|| {
            let names = Self::names().collect::<Vec<_>>().join(", ");
            SplitError::invalid(format!("language: expected one of {names}; got `{name}`"))
        })
    }

    /// Returns its name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(language, _, _)| *language == self).map_or("any", |(_, name, _)| name)
    }

    /// Returns whether source code is parsed; otherwise it is split by the words its lines begin with.
    pub fn is_parsed(self) -> bool {
        cfg!(feature = "grammars")
            && matches!(
                self,
                Self::C
                    | Self::Cpp
                    | Self::Go
                    | Self::Java
                    | Self::JavaScript
                    | Self::Python
                    | Self::Rust
                    | Self::Tsx
                    | Self::TypeScript
            )
    }

    /// Returns what is known of a place in code of this language.
    pub(super) fn fields(self, symbols: &[String]) -> Arc<Vec<Field>> {
        let mut fields = Vec::new();
        if self != Self::Any {
            fields.push(Field::new("language", self.name()));
        }
        if !symbols.is_empty() {
            fields.push(Field::new("symbols", symbols.to_vec()));
        }
        Arc::new(fields)
    }
}
