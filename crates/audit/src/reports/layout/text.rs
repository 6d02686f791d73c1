//! A document for a terminal: aligned columns, amounts at their points, charts as lines of bars.

use std::fmt::Write as _;

use super::{super::amount::Amount, Block, Cell, Chart, Document, Table, Weight, facts};

/// What stands between two columns.
const GAP: &str = "  ";

/// How wide a line of words is at most.
const WORDS_WIDTH: usize = 100;

/// How long the longest bar of a chart is.
const BAR_WIDTH: u128 = 40;

pub(super) fn text(document: &Document) -> String {
    let mut text = String::new();
    heading(&mut text, &document.title, '=');
    let mut facts: Vec<(String, String)> = facts::made_from(&document.provenance)
        .into_iter()
        .map(|fact| (fact.name.to_owned(), shown(&fact.value)))
        .collect();
    facts.extend(
        facts::policies(&document.provenance)
            .iter()
            .map(|policy| ("Policy".to_owned(), shown(policy))),
    );
    facts.extend(
        document.query.iter().map(|(name, value)| (format!("Asked: {name}"), shown(value))),
    );
    let width = facts.iter().map(|(name, _)| wide(name)).max().unwrap_or(0);
    for (name, value) in facts {
        line(&mut text, &format!("{}{GAP}{value}", filled(&name, width)));
    }
    for section in &document.sections {
        text.push('\n');
        heading(&mut text, &section.title, '-');
        for block in &section.blocks {
            match block {
                Block::Words(words) => wrapped(&mut text, &shown(words)),
                Block::Table(content) => table(&mut text, content),
                Block::Chart(content) => chart(&mut text, content),
            }
        }
    }
    text
}

fn heading(text: &mut String, title: &str, under: char) {
    let title = shown(title);
    line(text, &title);
    line(text, &under.to_string().repeat(wide(&title)));
}

fn line(text: &mut String, content: &str) {
    text.push_str(content.trim_end());
    text.push('\n');
}

/// Words, broken where a line would be too long.
fn wrapped(text: &mut String, words: &str) {
    let mut current = String::new();
    for word in words.split(' ') {
        if !current.is_empty() && wide(&current) + 1 + wide(word) > WORDS_WIDTH {
            line(text, &current);
            current.clear();
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    line(text, &current);
}

/// A line for each value: what it is of, the value, and a bar as long as that is far from zero.
fn chart(text: &mut String, chart: &Chart) {
    line(text, &shown(&chart.title));
    let values = chart.labels.iter().enumerate().flat_map(|(at, label)| {
        let of = |series: &super::Series| {
            series.values.get(at).map(|value| (label.clone(), series.name.clone(), *value))
        };
        chart.series.iter().filter_map(of).collect::<Vec<_>>()
    });
    let values: Vec<(String, String, Amount)> = values.collect();
    if values.is_empty() {
        line(text, "(none)");
        return;
    }
    let decimals = values.iter().map(|(_, _, value)| value.decimals()).max().unwrap_or(0);
    let size = |value: &Amount| value.with_decimals(decimals).units().unsigned_abs();
    let most = values.iter().map(|(_, _, value)| size(value)).max().unwrap_or(0);
    let names = |of: fn(&(String, String, Amount)) -> String| {
        let names: Vec<String> = values.iter().map(of).collect();
        let width = names.iter().map(|name| wide(name)).max().unwrap_or(0);
        names.iter().map(|name| filled(name, width)).collect::<Vec<_>>()
    };
    let labels = names(|(label, _, _)| shown(label));
    let series = names(|(_, series, _)| shown(series));
    let amounts = aligned(values.iter().map(|(_, _, value)| Cell::from(*value)));
    for (((label, series), amount), (_, _, value)) in
        labels.iter().zip(&series).zip(&amounts).zip(&values)
    {
        let bar = "#".repeat(length(size(value), most));
        line(text, &[label.as_str(), series, amount, &bar].join(GAP));
    }
}

/// How long the bar of a value is; none is only that of nothing.
fn length(size: u128, most: u128) -> usize {
    if size == 0 {
        return 0;
    }
    // Values beyond this are as good as rounded before.
    let scale = (most / (u128::MAX / BAR_WIDTH)).saturating_add(1);
    let bar = (size / scale).saturating_mul(BAR_WIDTH) / (most / scale).max(1);
    usize::try_from(bar.max(1)).unwrap_or(0)
}

/// Numbers at the right with their points in one line.
fn aligned(cells: impl Iterator<Item = Cell>) -> Vec<String> {
    let mut table = Table::new("chart", &[("value", "")]);
    cells.for_each(|cell| table.line(vec![cell]));
    column(&table, 0).split_off(1)
}

fn table(text: &mut String, table: &Table) {
    if table.rows.is_empty() {
        line(text, "(none)");
        return;
    }
    let columns: Vec<Vec<String>> = (0..table.columns.len()).map(|at| column(table, at)).collect();
    let widths: Vec<usize> = columns
        .iter()
        .map(|cells| cells.iter().map(|cell| wide(cell)).max().unwrap_or(0))
        .collect();
    let rule: usize = widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
    for at in 0..=table.rows.len() {
        let row = at.checked_sub(1).and_then(|row| table.rows.get(row));
        if row.is_some_and(|row| row.weight == Weight::Total) {
            line(text, &"-".repeat(rule));
        }
        let cells = columns.iter().filter_map(|column| column.get(at)).zip(&widths);
        let cells: Vec<String> = cells.map(|(cell, width)| filled(cell, *width)).collect();
        line(text, &cells.join(GAP));
        if at == 0 {
            line(text, &"-".repeat(rule));
        }
    }
}

/// A column's name and cells. Numbers stand at the right with their points in one line.
fn column(table: &Table, at: usize) -> Vec<String> {
    let name = table.columns.get(at).map_or("", |column| column.name);
    let cells: Vec<&Cell> = table.rows.iter().filter_map(|row| row.cells.get(at)).collect();
    let is_number = |cell: &&Cell| matches!(cell, Cell::Amount(_) | Cell::Count(_));
    let numbers = cells.iter().any(is_number);
    let fraction = cells.iter().map(|cell| behind_point(cell)).max().unwrap_or(0);
    let shown: Vec<String> = cells
        .iter()
        .map(|cell| match cell {
            Cell::Empty => String::new(),
            Cell::Text(text) => shown(text),
            Cell::Count(count) => format!("{count}{}", " ".repeat(fraction)),
            Cell::Amount(amount) => {
                format!("{amount}{}", " ".repeat(fraction.saturating_sub(behind_point(cell))))
            }
        })
        .collect();
    let named = std::iter::once(name.to_owned()).chain(shown);
    if !numbers {
        return named.collect();
    }
    let named: Vec<String> = named.collect();
    let width = named.iter().map(|cell| wide(cell)).max().unwrap_or(0);
    let right = |cell: &String| format!("{}{cell}", " ".repeat(width.saturating_sub(wide(cell))));
    named.iter().map(right).collect()
}

/// How much room an amount takes behind its whole part.
fn behind_point(cell: &Cell) -> usize {
    match cell {
        Cell::Amount(amount) if amount.decimals() > 0 => usize::from(amount.decimals()) + 1,
        Cell::Amount(_) | Cell::Count(_) | Cell::Text(_) | Cell::Empty => 0,
    }
}

fn filled(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(wide(text))))
}

fn wide(text: &str) -> usize {
    text.chars().count()
}

/// A text without what a terminal would obey, or what would show it in another order.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_command(character) {
            let _ = write!(shown, "{}", character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a character moves the cursor, changes the direction or can't be seen.
pub(crate) fn is_command(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}
