//! `audit report`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use audit::{
    cut::Cut,
    reports::{Axis, Kind, Listed, Made, Query, layout::Format, period::Period, reports},
};
use clap::{Args, ValueEnum};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::source::{AsOf, OfLedger, Source};
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// Which report.
    #[arg(value_enum)]
    which: Which,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    ledger: OfLedger,
    #[command(flatten)]
    as_of: AsOf,
    /// How it is shown; text without it, and with `all --out` each of them.
    #[arg(long, value_enum)]
    format: Option<Shape>,
    /// Writes to this file, or with `all` into this folder, instead of printing.
    #[arg(long)]
    out: Option<PathBuf>,
    /// How long the periods of a roll-forward are, in UTC.
    #[arg(long, value_enum, default_value = "month")]
    period: Length,
    /// By which time a record counts to a period and a debt ages: that of recording, or that at the
    /// provider.
    #[arg(long, value_enum, default_value = "recorded")]
    by: By,
    /// Lists exceptions and refund cases that are over, too.
    #[arg(long)]
    ended: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    /// Every one, in a single pass.
    All,
    /// What was there, came, went and is there, by period, in credits and in money.
    RollForward,
    /// What accounts owe, by age.
    Receivables,
    /// Open disputes and freezes, by age.
    Disputes,
    /// What a person must see, by kind and age.
    Exceptions,
    /// Refund cases, by verdict, status and age.
    Cases,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shape {
    Text,
    Csv,
    Json,
    Html,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Length {
    Day,
    Month,
    Quarter,
    Year,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    Recorded,
    Happened,
}

pub(super) fn reported(arguments: &ReportArguments) -> Done {
    let source = &arguments.source;
    if source.json && arguments.out.is_none() && arguments.format.is_some() {
        let why = "--json prints the report as JSON; leave --format away, or pass --out";
        return Err(Failed::usage(anyhow!(why)));
    }
    let query = query(arguments, arguments.as_of.cut()?);
    let offline = source.open()?;
    let ledger = arguments.ledger.of(&offline)?;
    let mut shown = Shown::new("reading records");
    let made = reports(&*offline.log, &ledger, &query, &kinds(arguments.which), |done, all| {
        shown.at(done, all);
    });
    drop(shown);
    let made = made.map_err(|error| Failed::unopened(error).context("make the report"))?;
    match &arguments.out {
        Some(out) => write(arguments, &made, out)?,
        None => show(arguments, &made),
    }
    let differs = made.iter().any(|made| made.differs);
    Ok(if differs { Exit::Findings } else { Exit::Clean })
}

const fn query(arguments: &ReportArguments, cut: Cut) -> Query {
    Query {
        cut,
        axis: match arguments.by {
            By::Recorded => Axis::Recorded,
            By::Happened => Axis::Happened,
        },
        period: match arguments.period {
            Length::Day => Period::Day,
            Length::Month => Period::Month,
            Length::Quarter => Period::Quarter,
            Length::Year => Period::Year,
        },
        listed: if arguments.ended { Listed::All } else { Listed::Open },
    }
}

fn kinds(which: Which) -> BTreeSet<Kind> {
    let kind = match which {
        Which::All => return Kind::ALL.into(),
        Which::RollForward => Kind::RollForward,
        Which::Receivables => Kind::Receivables,
        Which::Disputes => Kind::Disputes,
        Which::Exceptions => Kind::Exceptions,
        Which::Cases => Kind::Cases,
    };
    [kind].into()
}

const fn format(shape: Shape) -> Format {
    match shape {
        Shape::Text => Format::Text,
        Shape::Csv => Format::Csv,
        Shape::Json => Format::Json,
        Shape::Html => Format::Html,
    }
}

fn show(arguments: &ReportArguments, made: &[Made]) {
    if arguments.source.json || matches!(arguments.format, Some(Shape::Json)) {
        let one = |made: &Made| made.document.json();
        let all = match (arguments.which, made) {
            (Which::All, made) => made.iter().map(one).collect(),
            (_, [one]) => one.document.json(),
            (_, made) => made.iter().map(one).collect(),
        };
        print(&all.to_string());
        return;
    }
    let format = arguments.format.map_or(Format::Text, format);
    let rendered: Vec<String> = made.iter().map(|made| made.document.render(format)).collect();
    let rendered = rendered.join("\n");
    // It ends with the line's end that printing adds.
    print(rendered.strip_suffix('\n').unwrap_or(&rendered));
}

/// Writes each report, and prints where and with which SHA-256: the same log and query give the
/// same.
fn write(arguments: &ReportArguments, made: &[Made], out: &Path) -> Result<(), Failed> {
    let mut files = Vec::new();
    match arguments.which {
        Which::All => {
            let all = [Format::Text, Format::Csv, Format::Json, Format::Html];
            let formats = arguments.format.map_or(all.to_vec(), |shape| vec![format(shape)]);
            for made in made {
                for format in &formats {
                    let name = format!("{}.{}", made.kind.name(), format.extension());
                    files.push((made, *format, out.join(name)));
                }
            }
            fs::create_dir_all(out).map_err(|error| unwritten(out, error))?;
        }
        Which::RollForward
        | Which::Receivables
        | Which::Disputes
        | Which::Exceptions
        | Which::Cases => {
            let format = arguments.format.map_or(Format::Text, format);
            files.extend(made.iter().map(|made| (made, format, out.to_owned())));
        }
    }
    let mut listed = Vec::new();
    for (made, format, path) in files {
        let rendered = made.document.render(format);
        fs::write(&path, &rendered).map_err(|error| unwritten(&path, error))?;
        let digest = hex::encode(Sha256::digest(&rendered));
        listed.push((made, path, digest));
    }
    if arguments.source.json {
        let files = listed.iter().map(|(made, path, digest)| {
            let path = path.display().to_string();
            json!({"report": made.kind.name(), "path": path, "sha256": digest})
        });
        let ok = made.iter().all(|made| !made.differs);
        print(&json!({"ok": ok, "files": files.collect::<Vec<_>>()}).to_string());
    } else {
        for (made, path, digest) in listed {
            let found = if made.differs { " (a difference is not zero)" } else { "" };
            print(&format!("{digest}  {}{found}", path.display()));
        }
    }
    Ok(())
}

fn unwritten(path: &Path, error: std::io::Error) -> Failed {
    Failed::unopened(error).context(format!("write {}", path.display()))
}
