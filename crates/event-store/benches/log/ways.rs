//! The ways of writing groups that are compared.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use event_store::{
    form,
    log::{Append, EventLog, Prepared},
    sled::{Options, SledStore},
};

use crate::Outcome;

/// A way of writing groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The bodies as they are, appended to a file and synced.
    Raw,
    /// sled with one key for each event, one for its id and one for its account; one batch, flush
    /// and fdatasync for a group.
    Keys,
    /// Our log, one group packed while the one before is synced.
    Log,
}

impl Way {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Keys => "keys",
            Self::Log => "log",
        }
    }

    pub(crate) fn named(name: &str) -> Outcome<Self> {
        let found = [Self::Raw, Self::Keys, Self::Log].into_iter().find(|way| way.name() == name);
        found.ok_or_else(|| format!("no way is called {name}").into())
    }

    pub(crate) fn open(self, dir: &Path) -> Outcome<Opened> {
        Ok(match self {
            Self::Raw => Opened::Raw(File::create(dir.join("raw"))?),
            Self::Keys => {
                let db = sled::Config::new().path(dir.join("keys")).flush_every_ms(None);
                let db = db.cache_capacity(64 << 20).open()?;
                Opened::Keys(db, File::options().write(true).open(dir.join("keys/db"))?)
            }
            Self::Log => {
                let store = SledStore::open(&dir.join("store"), Options::STANDARD)?;
                Opened::Log(store.log(), store)
            }
        })
    }
}

/// A way that is open.
pub(crate) enum Opened {
    Raw(File),
    Keys(sled::Db, File),
    Log(Arc<dyn EventLog>, SledStore),
}

impl Opened {
    /// Writes groups in their order, each durable before it counts; says how long each took.
    pub(crate) fn write(&mut self, groups: Vec<Vec<Append>>) -> Outcome<Vec<Duration>> {
        match self {
            Self::Raw(file) => timed(groups, |group| {
                let bytes: Vec<&[u8]> = group.iter().map(|append| &*append.body).collect();
                file.write_all(&bytes.concat())?;
                Ok(file.sync_data()?)
            }),
            Self::Keys(db, file) => timed(groups, |group| {
                db.apply_batch(one_key_each(&group))?;
                db.flush()?;
                Ok(file.sync_data()?)
            }),
            Self::Log(log, _) => pipelined(&**log, groups),
        }
    }

    /// What a server does between groups, now and then.
    pub(crate) fn rest(&mut self) -> Outcome<()> {
        if let Self::Log(_, store) = self {
            store.renew_if_due()?;
        }
        Ok(())
    }
}

fn timed(
    groups: Vec<Vec<Append>>,
    mut write: impl FnMut(Vec<Append>) -> Outcome<()>,
) -> Outcome<Vec<Duration>> {
    let mut commits = Vec::with_capacity(groups.len());
    for group in groups {
        let begin = Instant::now();
        write(group)?;
        commits.push(begin.elapsed());
    }
    Ok(commits)
}

fn one_key_each(group: &[Append]) -> sled::Batch {
    let mut batch = sled::Batch::default();
    for append in group {
        let (record, sequence) = (&append.record, append.record.sequence.get().to_be_bytes());
        let mut value = form::record::encode(record);
        value.extend_from_slice(&append.body);
        batch.insert([b"e".as_slice(), &sequence].concat(), value);
        let id = format!("i{:?}", event_store::log::key_of(record));
        batch.insert(id.as_bytes(), &sequence);
        for account in record.decision.accounts() {
            let key = [b"a", account.as_str().as_bytes(), &sequence].concat();
            batch.insert(key, &[]);
        }
    }
    batch
}

/// One thread prepares, another commits, as in the server.
fn pipelined(log: &dyn EventLog, groups: Vec<Vec<Append>>) -> Outcome<Vec<Duration>> {
    let (hand_over, prepared) = mpsc::sync_channel::<(Instant, Prepared)>(0);
    std::thread::scope(|scope| {
        let committer = scope.spawn(move || {
            let mut commits = Vec::new();
            for (begin, prepared) in prepared {
                log.commit(prepared).map_err(|error| error.to_string())?;
                commits.push(begin.elapsed());
            }
            Ok::<_, String>(commits)
        });
        for group in groups {
            let begin = Instant::now();
            let prepared = log.prepare(group)?;
            if hand_over.send((begin, prepared)).is_err() {
                break;
            }
        }
        drop(hand_over);
        Ok(committer.join().map_err(|_| "the committer failed")??)
    })
}
