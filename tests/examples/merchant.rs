//! Writes a merchant's ledger of any size into an empty folder, for audits and for measuring them:
//! `cargo run --release -p tallyhook-tests --example merchant -- FOLDER [RECORDS] [SEED] [exceptions]`.

use std::{env, path::PathBuf, sync::Arc, time::Instant};

use anyhow::{Context, Result, ensure};
use engine::step::Engine;
use event_store::sled::{Options, SledStore};
use projectors::projections::Projections;
use tallyhook_tests::merchant::Merchant;

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("name an empty folder")?);
    let records = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let seed = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let exceptions = arguments.next().is_some();
    std::fs::create_dir_all(&folder)?;
    ensure!(folder.read_dir()?.next().is_none(), "{} is not empty", folder.display());

    let begun = Instant::now();
    let store = SledStore::open(&folder, Options::STANDARD)?;
    let projections = Arc::new(Projections::new(store.views()));
    let engine = Engine::open(store.log(), Arc::clone(&projections), |_, _| ())?;
    let mut merchant = Merchant::new(seed, records)?;
    if exceptions {
        merchant = merchant.with_exceptions();
    }
    let mut told = 0;
    merchant.run(&engine, |recorded| {
        if projections.checkpoint_is_due()
            && let Err(error) = projections.checkpoint()
        {
            eprintln!("{error}");
        }
        if recorded * 10 / records > told {
            told = recorded * 10 / records;
            eprintln!("{recorded} records, {} s", begun.elapsed().as_secs());
        }
    })?;
    projections.checkpoint()?;
    drop(engine);
    drop(store);
    println!("{} records in {}", records, folder.display());
    Ok(())
}
