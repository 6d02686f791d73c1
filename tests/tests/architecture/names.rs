//! Names in code: what remains of a source without comments, documentation and texts.

use proc_macro2::{Delimiter, Group, LexError, Spacing, TokenStream, TokenTree};

/// An identifier, with the path written before it; or a number.
pub(crate) struct Name {
    /// `std::fs::File` for the `File` of `use std::{fs::File}`.
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first of its path, so that it may name a crate.
    Root,
    /// It stands after `::`, or in the braces after one.
    Below,
    /// A module declared here.
    Module,
    /// A number with a fraction, an exponent or the suffix of a float.
    Float,
}

/// All names of a source in their order. Renaming by `use .. as` is not followed.
pub(crate) fn names(source: &str) -> Result<Vec<Name>, LexError> {
    let mut names = Vec::new();
    walk(source.parse()?, None, &mut names);
    Ok(names)
}

/// What stood before a token.
#[derive(Default)]
struct Before {
    /// The path that `::` would continue.
    path: Option<String>,
    /// The path that has been continued by `::`.
    continued: Option<String>,
    /// The first half of a `::`.
    colon: bool,
    /// The first half of a `..`.
    dot: bool,
    /// A field or method follows.
    field: bool,
    /// A module's name follows.
    module: bool,
}

fn walk(tokens: TokenStream, prefix: Option<&str>, names: &mut Vec<Name>) {
    let start = || Before { continued: prefix.map(str::to_owned), ..Before::default() };
    let mut before = start();
    for token in tokens {
        let span = token.span();
        before = match token {
            TokenTree::Ident(ident) => {
                let ident = ident.to_string();
                let (path, kind) = match before.continued {
                    Some(above) => (format!("{above}::{ident}"), Kind::Below),
                    None if before.module => (ident.clone(), Kind::Module),
                    None => (ident.clone(), Kind::Root),
                };
                if !before.field {
                    names.push(Name { path: path.clone(), line: span.start().line, kind });
                }
                Before { module: ident == "mod", path: Some(path), ..Before::default() }
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                ':' if before.colon => Before { continued: before.path, ..Before::default() },
                ':' if punct.spacing() == Spacing::Joint => {
                    Before { colon: true, path: before.path, ..Before::default() }
                }
                '.' if punct.spacing() == Spacing::Joint => {
                    Before { dot: true, ..Before::default() }
                }
                '.' => Before { field: !before.dot, ..Before::default() },
                // The next branch of a tree of paths.
                ',' => start(),
                _ => Before::default(),
            },
            TokenTree::Literal(number) => {
                let text = number.to_string();
                // `x.0.1` has two fields and no fraction.
                if is_float(&text) && !before.field {
                    names.push(Name { path: text, line: span.start().line, kind: Kind::Float });
                }
                Before::default()
            }
            TokenTree::Group(group) => {
                let above = before.continued.filter(|_| is_braced(&group));
                walk(group.stream(), above.as_deref(), names);
                Before::default()
            }
        };
    }
}

fn is_braced(group: &Group) -> bool {
    group.delimiter() == Delimiter::Brace
}

fn is_float(literal: &str) -> bool {
    let radix = ["0x", "0o", "0b"].iter().any(|radix| literal.starts_with(radix));
    let number = literal.starts_with(|first: char| first.is_ascii_digit());
    let exponent = |text: &str| text.contains(['e', 'E']) && !text.contains("size");
    let suffix = literal.ends_with("f32") || literal.ends_with("f64");
    number && !radix && (literal.contains('.') || suffix || exponent(literal))
}
