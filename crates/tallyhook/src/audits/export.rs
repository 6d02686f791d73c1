//! `audit export`.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use audit::{
    export::{Exported, Form, Query, export},
    reports::Axis,
};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{
    file::{Existing, whole},
    source::{AsOf, OfLedger, Source},
};
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    ledger: OfLedger,
    #[command(flatten)]
    as_of: AsOf,
    /// In which form.
    #[arg(long, value_enum)]
    format: Shape,
    /// Writes to this file, which is there only once it is whole, instead of printing.
    #[arg(long)]
    out: Option<PathBuf>,
    /// By which time transactions are dated: that of recording, or that at the provider.
    #[arg(long, value_enum, default_value = "recorded")]
    by: By,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shape {
    /// A line of JSON for each record.
    Jsonl,
    /// A row for each transfer.
    Csv,
    /// For `bean-check` and all that reads beancount.
    Beancount,
    /// For `hledger`.
    Hledger,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    Recorded,
    Happened,
}

pub(super) fn exported(arguments: &ExportArguments) -> Done {
    let source = &arguments.source;
    if source.json && arguments.out.is_none() {
        let why =
            "--json tells what was written; pass --out, or take --format jsonl for lines of JSON";
        return Err(Failed::usage(anyhow!(why)));
    }
    let query = Query {
        cut: arguments.as_of.cut()?,
        axis: match arguments.by {
            By::Recorded => Axis::Recorded,
            By::Happened => Axis::Happened,
        },
    };
    let form = match arguments.format {
        Shape::Jsonl => Form::Jsonl,
        Shape::Csv => Form::Csv,
        Shape::Beancount => Form::Beancount,
        Shape::Hledger => Form::Hledger,
    };
    let offline = source.open()?;
    let ledger = arguments.ledger.of(&offline)?;
    let mut shown = Shown::new("reading records");
    let mut write = |out: &mut dyn Write| {
        let progress = |done, all| shown.at(done, all);
        export(&*offline.log, &ledger, (&query, form), out, progress)
            .map_err(|error| Failed::unopened(error).context("export the ledger"))
    };
    match &arguments.out {
        Some(path) => {
            let exported = whole(path, Existing::Replaced, &mut write)?;
            tell(source.json, path, &exported);
        }
        None => {
            write(&mut BufWriter::new(io::stdout().lock()))?;
        }
    }
    Ok(Exit::Clean)
}

fn tell(as_json: bool, path: &Path, exported: &Exported) {
    let Exported { provenance, records, transfers } = exported;
    if as_json {
        let told = json!({
            "ok": true,
            "path": path.display().to_string(),
            "ledger": provenance.ledger.as_str(),
            "records": provenance.records,
            "root": provenance.root.to_string(),
            "counted_records": records,
            "transfers": transfers,
        });
        print(&told.to_string());
        return;
    }
    print(&format!(
        "{}: {transfers} transfers of {records} records; ledger {}, {} records, root {}",
        path.display(),
        provenance.ledger,
        provenance.records,
        provenance.root
    ));
}
