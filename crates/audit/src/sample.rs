//! A random sample of a ledger's records that anybody can draw again.
//!
//! Monetary-unit sampling by cells: the credits that the records move are put in a row, in the log's
//! order, and cut into as many equal cells as records are asked for; one unit of each cell is drawn,
//! and the record that moved it is in the sample. So large amounts are drawn more often, an amount
//! as large as two cells always, and no stretch of the log is left out. By records, each weighs one.
//!
//! ```text
//! cell i      = [total * i / count, total * (i + 1) / count), in billionths of credits
//! draw i, n   = the first 16 bytes, big-endian, of SHA-256("tallyhook sample 1" 0x0a || seed 0x0a
//!               || i in decimal 0x0a || n in decimal)
//! unit        = start of the cell + draw mod its width, of the first n from 0 whose draw is below
//!               the largest multiple of the width within 2^128
//! ```

use std::ops::Range;

use domain::{ids::LedgerId, ids::Sequence};
use event_store::log::{EventLog, ReadError, Recorded};
use proof::bundle::Bundle;
use sha2::{Digest as _, Sha256};

use crate::{
    about::{belief, moved, outcome, what},
    cut::{Cut, Provenance, happened_at},
    leaf::{leaf, leaf_hash},
    pass::pass,
    proved::{ProveError, Proving, Published},
    reports::layout::{Block, Cell, Document, Section, Table, asked},
    sums::Sum,
};

/// The most records that can be asked for.
pub const COUNT_MAX: u64 = 100_000;

/// How many records are read at once beyond the cut.
const CHUNK: usize = 256;

/// What a record weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The credits that it moves: one that moves none is never drawn.
    Amount,
    /// As much as any other.
    Records,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// What the random numbers are made of: agree on it, or throw dice, before it is used.
    pub seed: &'a str,
    /// How many draws, 1 to [`COUNT_MAX`].
    pub count: u64,
    /// What a record weighs.
    pub weight: Weight,
    /// Which records count.
    pub cut: Cut,
    /// What to prove against.
    pub published: Option<&'a Published>,
}

/// What was drawn.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What of the log it was made from.
    pub provenance: Provenance,
    /// How many records could be drawn.
    pub population: u64,
    /// What they weigh: billionths of credits, or records.
    pub total: u128,
    /// The records, in the log's order, each once.
    pub drawn: Vec<Drawn>,
    /// The proof that they are in the log; none without a checkpoint.
    pub proof: Option<Bundle>,
}

/// A record that was drawn.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The record.
    pub recorded: Recorded,
    /// The units that drew it.
    pub units: Vec<u128>,
    /// Whether the bytes that it came from are kept, and fit the digest that the record names.
    pub body: Body,
}

/// What is there of the bytes that a record came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// They are kept and fit.
    Kept,
    /// They were erased, or never kept.
    Absent,
}

/// Draws a sample.
///
/// # Errors
/// The log can't be read, or is not the one that was signed.
pub fn sample(
    log: &dyn EventLog,
    ledger: &LedgerId,
    asked: &Asked<'_>,
    progress: impl FnMut(u64, u64),
) -> Result<Sample, ProveError> {
    let mut proving = asked.published.map(Proving::new);
    // Where each record's units end.
    let mut row: Vec<(Sequence, u128)> = Vec::new();
    let mut total = 0_u128;
    let provenance = pass(log, ledger, &asked.cut, progress, |recorded, leaf| {
        if let Some(proving) = &mut proving {
            proving.push(leaf);
        }
        let record = recorded.record();
        let weight = if asked.cut.counts(record) { weight(recorded, asked.weight) } else { 0 };
        if weight > 0 {
            total = total.saturating_add(weight);
            row.push((record.sequence, total));
        }
        Ok::<_, ReadError>(())
    })?;
    if let (Some(proving), Some(published)) = (&mut proving, asked.published) {
        push_rest(log, ledger, proving, provenance.records..published.size())?;
    }
    let mut drawn: Vec<Drawn> = Vec::new();
    for unit in units(asked.seed, asked.count, total) {
        let place = row.partition_point(|(_, end)| *end <= unit);
        let Some((sequence, _)) = row.get(place) else { continue };
        match drawn.last_mut().filter(|last| last.recorded.record().sequence == *sequence) {
            Some(last) => last.units.push(unit),
            None => drawn.extend(read(log, ledger, *sequence, unit)?),
        }
    }
    let sequences: Vec<Sequence> = drawn.iter().map(|one| one.recorded.record().sequence).collect();
    let proof = proving.map(|proving| proving.bundle(log, ledger, &sequences)).transpose()?;
    let population = u64::try_from(row.len()).unwrap_or(u64::MAX);
    Ok(Sample { provenance, population, total, drawn, proof })
}

/// Takes in what the checkpoint covers and the cut leaves out: its tree is over both.
fn push_rest(
    log: &dyn EventLog,
    ledger: &LedgerId,
    proving: &mut Proving<'_>,
    mut rest: Range<u64>,
) -> Result<(), ReadError> {
    while !rest.is_empty() {
        let records = log.scan(ledger, Sequence::new(rest.start), CHUNK)?;
        if records.is_empty() {
            break;
        }
        for recorded in &records {
            proving.push(leaf_hash(ledger, recorded));
            rest.start = recorded.record().sequence.get();
        }
    }
    Ok(())
}

fn read(
    log: &dyn EventLog,
    ledger: &LedgerId,
    sequence: Sequence,
    unit: u128,
) -> Result<Option<Drawn>, ReadError> {
    let Some(recorded) = log.read(ledger, sequence)? else { return Ok(None) };
    let body = log.body(ledger, sequence)?.filter(|body| !body.is_empty());
    let body = if body.is_some() { Body::Kept } else { Body::Absent };
    Ok(Some(Drawn { recorded, units: vec![unit], body }))
}

fn weight(recorded: &Recorded, by: Weight) -> u128 {
    match by {
        Weight::Records => 1,
        Weight::Amount => moved(recorded.record()).billionths().unsigned_abs(),
    }
}

/// The units that are drawn, rising: one of each cell that has any.
fn units(seed: &str, count: u64, total: u128) -> Vec<u128> {
    let count = count.min(COUNT_MAX);
    let start = |cell: u64| {
        let (cell, count) = (u128::from(cell), u128::from(count.max(1)));
        // As total * cell / count, without leaving the range.
        let (whole, rest) = (total / count, total % count);
        whole.saturating_mul(cell).saturating_add(rest.saturating_mul(cell) / count)
    };
    let cells = (0..count).map(|cell| (cell, start(cell), start(cell.saturating_add(1))));
    let wide = cells.filter(|(_, start, end)| start < end);
    wide.map(|(cell, start, end)| start.saturating_add(draw(seed, cell, end.saturating_sub(start))))
        .collect()
}

/// A number below `width`, which is not 0, as likely as any other.
fn draw(seed: &str, cell: u64, width: u128) -> u128 {
    // What is left of 2^128 beyond the largest multiple of the width.
    let beyond = (u128::MAX % width).saturating_add(1) % width;
    let fits = |draw: &u128| *draw <= u128::MAX.saturating_sub(beyond);
    let mut draws = (0_u64..).map(|attempt| {
        let text = format!("tallyhook sample 1\n{seed}\n{cell}\n{attempt}");
        let digest: [u8; 32] = Sha256::digest(text).into();
        digest.iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte))
    });
    draws.find(fits).map_or(0, |draw| draw % width)
}

impl Sample {
    /// The sample as a document.
    #[must_use]
    pub fn document(&self, asked_for: &Asked<'_>) -> Document {
        let mut query = vec![
            ("seed", asked_for.seed.to_owned()),
            ("draws", asked_for.count.to_string()),
            (
                "weighted by",
                match asked_for.weight {
                    Weight::Amount => "the credits moved".to_owned(),
                    Weight::Records => "nothing: every record alike".to_owned(),
                },
            ),
        ];
        query.extend(asked(&asked_for.cut));
        let words = format!(
            "{} records could be drawn; they weigh {}. {} were drawn.",
            self.population,
            match asked_for.weight {
                Weight::Amount => format!("{} credits", self.total_credits()),
                Weight::Records => "one each".to_owned(),
            },
            self.drawn.len()
        );
        let sections = vec![Section::new(
            "Records drawn",
            vec![Block::words(words), Block::Table(self.table()), Block::words(self.proved())],
        )];
        let provenance = self.provenance.clone();
        Document { title: "Sample of records".to_owned(), provenance, query, sections }
    }

    fn total_credits(&self) -> String {
        // The sum of a log's amounts is far from the end of the range.
        Sum::from_billionths(i128::try_from(self.total).unwrap_or(i128::MAX)).to_string()
    }

    fn proved(&self) -> String {
        match &self.proof {
            None => "Nothing proves that these records are in a log which somebody else has: no \
                     checkpoint was given."
                .to_owned(),
            Some(bundle) => format!(
                "{} of them are proved against the checkpoint in the bundle; those after it are \
                 not covered by it.",
                bundle.records.len()
            ),
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::new(
            "records",
            &[
                ("sequence", "record"),
                ("recorded_at", "recorded"),
                ("happened_at", "happened"),
                ("what", "what came in"),
                ("outcome", "outcome"),
                ("moved", "credits moved"),
                ("movements", "movements"),
                ("belief", "why it was believed"),
                ("body", "its bytes"),
                ("digest", "their SHA-256"),
                ("draws", "draws"),
            ],
        );
        for one in &self.drawn {
            let record = one.recorded.record();
            let movements = leaf(&self.provenance.ledger, &one.recorded).movements.into_iter();
            let movements = movements.map(|moved| {
                let currency = moved.currency.unwrap_or_default();
                format!("{} {currency} {} -> {}", moved.amount, moved.from, moved.to)
            });
            table.line(vec![
                Cell::from(record.sequence.get()),
                Cell::moment(record.recorded_at),
                Cell::moment(happened_at(record)),
                Cell::text(what(record)),
                Cell::text(outcome(record)),
                Cell::text(moved(record).to_string()),
                Cell::text(movements.collect::<Vec<_>>().join("; ")),
                Cell::text(belief(record)),
                Cell::text(match one.body {
                    Body::Kept => "kept, and fit their digest",
                    Body::Absent => "erased or never kept",
                }),
                Cell::text(event_store::log::body_digest(record).to_string()),
                Cell::from(u64::try_from(one.units.len()).unwrap_or(u64::MAX)),
            ]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out by the drawing in the module's documentation, apart from this program.
    #[test]
    fn units_are_those_of_the_documentation() {
        assert_eq!(units("2026-09", 3, 1_000), EXPECTED);
    }

    /// `python3 -c`: `d = lambda i, n: int.from_bytes(hashlib.sha256(f"tallyhook sample
    /// 1\n2026-09\n{i}\n{n}".encode()).digest()[:16], "big")`, cells 0..333, 333..666, 666..1000.
    const EXPECTED: [u128; 3] = [319, 501, 977];

    #[test]
    fn each_cell_gives_one_unit_of_its_own() {
        for (count, total) in [(1, 1), (7, 100), (100, 7), (1_000, u128::MAX), (3, 0)] {
            let units = units("seed", count, total);
            assert!(units.is_sorted() && units.iter().all(|unit| *unit < total));
            let wide = u128::from(count).min(total);
            assert_eq!(u128::try_from(units.len()).unwrap(), wide, "{count} of {total}");
        }
        assert_ne!(units("one", 50, 1 << 60), units("other", 50, 1 << 60));
    }

    #[test]
    fn every_number_below_a_width_is_drawn() {
        let drawn: std::collections::BTreeSet<u128> =
            (0..200).map(|cell| draw("seed", cell, 6)).collect();
        assert_eq!(drawn, (0..6).collect());
    }
}
