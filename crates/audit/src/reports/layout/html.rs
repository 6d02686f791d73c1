//! A document as one HTML file: style and charts are in it, and it asks for nothing.
//!
//! No script, no reference to anything outside; a policy in its head forbids both besides. It shows
//! well on paper, in light and in dark.

use std::fmt::Write as _;

use super::{Block, Cell, Document, Row, Table, Weight, chart::chart, facts, text::is_command};

/// As wide as a point (U+2008).
const POINT_SPACE: &str = "&puncsp;";
/// As wide as a digit (U+2007).
const DIGIT_SPACE: &str = "&numsp;";

/// How many columns a table has at most at the usual size.
const COLUMNS_MAX: usize = 10;

/// How long texts are at most that are never broken: a moment fits.
const SHORT_MAX: usize = 27;

/// Looks: system fonts, a narrow page, colours by name for both schemes.
const STYLE: &str = include_str!("style.css");

pub(super) fn html(document: &Document) -> String {
    let title = escaped(&document.title);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n"
    );
    of_itself(&mut html, document);
    for section in &document.sections {
        let _ = writeln!(html, "<section>\n<h2>{}</h2>", escaped(&section.title));
        for block in &section.blocks {
            match block {
                Block::Words(words) => {
                    let _ = writeln!(html, "<p>{}</p>", escaped(words));
                }
                Block::Table(content) => table(&mut html, content),
                Block::Chart(content) => chart(&mut html, content),
            }
        }
        html.push_str("</section>\n");
    }
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// What it was made from and what was asked.
fn of_itself(html: &mut String, document: &Document) {
    html.push_str("<dl class=\"facts\">\n");
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(html, "<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(value));
    };
    for made_from in facts::made_from(&document.provenance) {
        fact(made_from.name, &made_from.value);
    }
    for policy in facts::policies(&document.provenance) {
        fact("Policy", &policy);
    }
    for (name, value) in &document.query {
        fact(&format!("Asked: {name}"), value);
    }
    html.push_str("</dl>\n");
}

fn table(html: &mut String, table: &Table) {
    if table.rows.is_empty() {
        html.push_str("<p class=\"none\">None.</p>\n");
        return;
    }
    let looks: Vec<Look> = (0..table.columns.len()).map(|at| Look::of(table, at)).collect();
    let dense = if looks.len() > COLUMNS_MAX { " class=\"dense\"" } else { "" };
    let _ = write!(html, "<div class=\"wide\"><table{dense}>\n<thead><tr>");
    for (column, look) in table.columns.iter().zip(&looks) {
        let _ = write!(html, "<th scope=\"col\"{}>{}</th>", look.class(), escaped(column.name));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        line(html, row, &looks);
    }
    html.push_str("</tbody>\n</table></div>\n");
}

fn line(html: &mut String, row: &Row, looks: &[Look]) {
    html.push_str(match row.weight {
        Weight::Line => "<tr>",
        Weight::Total => "<tr class=\"total\">",
    });
    for (cell, look) in row.cells.iter().zip(looks) {
        let content = match cell {
            Cell::Empty => String::new(),
            Cell::Text(text) => escaped(text),
            Cell::Count(count) => format!("{count}{}", look.room_behind(0)),
            Cell::Amount(amount) => format!("{amount}{}", look.room_behind(amount.decimals())),
        };
        let _ = write!(html, "<td{}>{content}</td>", look.class());
    }
    html.push_str("</tr>\n");
}

/// How a column looks.
struct Look {
    numbers: bool,
    /// Whether all its texts fit one line.
    short: bool,
    /// The most that one of its amounts has, so that points stand in one line.
    decimals: u8,
}

impl Look {
    fn of(table: &Table, at: usize) -> Self {
        let cells = table.rows.iter().filter_map(|row| row.cells.get(at));
        let mut look = Self { numbers: false, short: true, decimals: 0 };
        for cell in cells {
            match cell {
                Cell::Count(_) => look.numbers = true,
                Cell::Amount(amount) => {
                    look.numbers = true;
                    look.decimals = look.decimals.max(amount.decimals());
                }
                Cell::Text(text) => look.short &= text.len() <= SHORT_MAX,
                Cell::Empty => {}
            }
        }
        look
    }

    /// Spaces as wide as the digits, and the point, that an amount lacks behind its own: zeros would
    /// say more of it than is known.
    fn room_behind(&self, decimals: u8) -> String {
        let point = if decimals == 0 && self.decimals > 0 { POINT_SPACE } else { "" };
        let digits = usize::from(self.decimals.saturating_sub(decimals));
        format!("{point}{}", DIGIT_SPACE.repeat(digits))
    }

    const fn class(&self) -> &'static str {
        match (self.numbers, self.short) {
            (true, _) => " class=\"number\"",
            (false, true) => " class=\"short\"",
            (false, false) => "",
        }
    }
}

/// A text as content or a quoted attribute: never markup, never an unseen change of direction.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character if is_command(character) => {
                let _ = write!(escaped, "{}", character.escape_unicode());
            }
            character => escaped.push(character),
        }
    }
    escaped
}
