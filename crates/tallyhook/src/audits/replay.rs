//! `audit replay`: the projections from the first byte, in a new place, and into the old one's only
//! when they agree.

use std::sync::Arc;

use audit::replay::{Differing, Replayed, Stored, carry_over, replay};
use clap::Args;
use domain::{
    account::View,
    ids::{LedgerId, Sequence},
};
use event_store::views::ViewStore;
use publisher::convert::account_view;
use serde_json::{Value, json};
use server::offline::{Offline, empty_views};

use super::source::Source;
use crate::{
    Done,
    exit::{Exit, Failed},
    print,
    progress::Shown,
};

#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    #[command(flatten)]
    source: Source,
    /// Puts what was replayed in the place of the stored projections if they agree, or if an earlier
    /// program stored them. Not on a backup.
    #[arg(long)]
    swap: bool,
}

pub(super) fn replayed(arguments: &ReplayArguments) -> Done {
    if arguments.swap {
        arguments.source.refuse_backup("--swap")?;
    }
    let offline = arguments.source.open()?;
    let into = if arguments.swap {
        offline.store.second_views().map_err(Failed::unopened)?
    } else {
        empty_views()
    };
    let ledgers = folded(&offline, &into)?;
    let agree = ledgers.iter().all(|replayed| replayed.stored.agrees());
    let swapped = arguments.swap && agree;
    if swapped {
        take_over(offline, &into)?;
    } else if arguments.swap {
        drop(into);
        offline.store.drop_second_views().map_err(Failed::unopened)?;
    }
    if arguments.source.json {
        let listed: Vec<Value> = ledgers.iter().map(listed).collect();
        print(&json!({"ok": agree, "swapped": swapped, "ledgers": listed}).to_string());
    } else {
        ledgers.iter().for_each(|replayed| print(&told(replayed)));
        if arguments.swap {
            print(if swapped { "swapped" } else { "not swapped: the stored projections differ" });
        }
    }
    Ok(if agree { Exit::Clean } else { Exit::Findings })
}

fn folded(offline: &Offline, into: &Arc<dyn ViewStore>) -> Result<Vec<Replayed>, Failed> {
    let heads = offline.log.ledgers().map_err(Failed::unopened)?.into_iter();
    let total = heads.filter_map(|ledger| offline.log.head(&ledger));
    let total: u64 = total.map(|head| head.sequence.get()).sum();
    let (mut shown, mut before, mut current) = (Shown::new("replay"), 0_u64, (None, 0_u64));
    let progress = |ledger: &LedgerId, at: Sequence| {
        if current.0.as_ref() != Some(ledger) {
            before = before.saturating_add(current.1);
            current.0 = Some(ledger.clone());
        }
        current.1 = at.get();
        shown.at(before.saturating_add(at.get()), total);
    };
    replay(&*offline.log, into, &offline.store.views(), progress)
        .map_err(|error| Failed::unopened(error).context("replay the log"))
}

/// Closes the store with the new projections in place. All that is no projection stays as it is.
fn take_over(offline: Offline, into: &Arc<dyn ViewStore>) -> Result<(), Failed> {
    let Offline { store, log, stored } = offline;
    carry_over(&*store.views(), &**into)
        .map_err(|error| Failed::unopened(error).context("copy what is no projection"))?;
    drop((log, stored));
    store.take_second_views().map_err(Failed::unopened)
}

fn listed(replayed: &Replayed) -> Value {
    let ledger = &replayed.ledger;
    let stored = match &replayed.stored {
        Stored::Absent => json!({"state": "absent"}),
        Stored::WithoutRecords => json!({"state": "without-records"}),
        Stored::Outdated => json!({"state": "outdated"}),
        Stored::Unreadable(detail) => json!({"state": "unreadable", "detail": detail}),
        Stored::Compared { at, accounts, differing, entries } => json!({
            "state": if replayed.stored.agrees() { "equal" } else { "differs" },
            "sequence": at.get(),
            "accounts": accounts,
            "entries_differing": entries,
            "differing": differing.iter().map(|one| accounts_of(ledger, one)).collect::<Vec<_>>(),
        }),
    };
    json!({
        "ledger": ledger.as_str(),
        "sequence": replayed.sequence.map(Sequence::get),
        "digest": replayed.digest,
        "stored": stored,
    })
}

fn accounts_of(ledger: &LedgerId, differing: &Differing) -> Value {
    let Differing { account, stored, replayed } = differing;
    let shown = |view: &Option<View>| {
        let shown = view.as_ref().map(|view| account_view(ledger, account, "", view));
        shown.and_then(Result::ok).and_then(|view| serde_json::to_value(view).ok())
    };
    json!({"account": account.as_str(), "stored": shown(stored), "replayed": shown(replayed)})
}

fn told(replayed: &Replayed) -> String {
    let sequence = replayed.sequence.map_or(0, Sequence::get);
    let line = format!("{}: records {sequence}, digest {}", replayed.ledger, replayed.digest);
    let stored = match &replayed.stored {
        Stored::Absent => {
            "NOT COMPARED: there are no stored projections (a backup has none)".to_owned()
        }
        Stored::WithoutRecords => {
            "there are stored projections, and no record: the log lost this ledger".to_owned()
        }
        Stored::Outdated => {
            "NOT COMPARED: an earlier program stored the projections in another form".to_owned()
        }
        Stored::Unreadable(detail) => format!("the stored projections can't be read: {detail}"),
        Stored::Compared { at, accounts, differing, entries } => {
            let mut text = if replayed.stored.agrees() {
                format!("stored projections at record {at}: equal, accounts {accounts}")
            } else {
                format!(
                    "stored projections at record {at}: {} of {accounts} accounts differ, {entries} \
                     entries in all",
                    differing.len()
                )
            };
            for one in differing {
                text.push_str(&format!("\n  {}", difference(one)));
            }
            text
        }
    };
    format!("{line}\n{}: {stored}", replayed.ledger)
}

fn difference(differing: &Differing) -> String {
    let shown = |view: &Option<View>| match view {
        None => "absent".to_owned(),
        Some(view) => {
            let books = &view.books;
            format!(
                "paid {}, gift {}, held {}, owed {}, written off {}, freezes {}, version {}",
                books.paid,
                books.gift,
                books.held,
                books.owed,
                books.written_off,
                view.freezes.len(),
                view.version
            )
        }
    };
    let (stored, replayed) = (shown(&differing.stored), shown(&differing.replayed));
    format!("{:?}: stored {stored}; replayed {replayed}", differing.account.as_str())
}
