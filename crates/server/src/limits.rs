//! Every queue, body, batch and wait of the server, in one place.

use std::time::Duration;

/// The largest body of a webhook.
pub(crate) const WEBHOOK_BODY_BYTES_MAX: usize = 1024 * 1024;

/// The largest body of a command.
pub(crate) const COMMAND_BODY_BYTES_MAX: usize = 1024 * 1024;

/// The most bytes of the name of a debit's metadata.
pub(crate) const METADATA_NAME_BYTES_MAX: usize = 64;

/// The most bytes of a value of a debit's metadata.
pub(crate) const METADATA_VALUE_BYTES_MAX: usize = 256;

/// The most connections of one listener; more wait in the system's own queue.
pub(crate) const CONNECTIONS_MAX: usize = 1024;

/// The open files that a server may need: both listeners' connections, and some for the log, the
/// broker and the system.
pub(crate) const OPEN_FILES_WANTED: u64 = 2 * 1024 + 256;

/// The most inputs that wait for the writer. Beyond that the answer is 503.
pub(crate) const QUEUE_INPUTS_MAX: usize = 1024;

/// The most inputs of one group commit: STORE.md shows that more only adds latency.
pub(crate) const GROUP_INPUTS_MAX: usize = 256;

/// The most memory that bodies between arrival and answer take, in KiB. Beyond that the answer is
/// 503.
pub(crate) const BODIES_KIB_MAX: usize = 64 * 1024;

/// The longest that a client may take for its request's head.
pub(crate) const HEAD_WAIT_MAX: Duration = Duration::from_secs(10);

/// The longest that a client may take for its request's body.
pub(crate) const BODY_WAIT_MAX: Duration = Duration::from_secs(10);

/// The longest that open requests may take at shutdown.
pub(crate) const GRACE_MAX: Duration = Duration::from_secs(10);

/// How often is looked whether a checkpoint of the projections is due.
pub(crate) const UPKEEP_INTERVAL: Duration = Duration::from_millis(250);

/// How far the log came is noted once in so many of these: about every second.
pub(crate) const NOTE_TICKS: u32 = 4;

/// How often the notary adds the log's new records to its trees.
pub(crate) const FOLLOW_INTERVAL: Duration = Duration::from_secs(1);

/// How often is looked whether a hold's time is over.
pub(crate) const EXPIRY_INTERVAL: Duration = Duration::from_millis(250);

/// The most holds of a ledger that are ended at once: they must not fill the writer's queue.
pub(crate) const HOLDS_EXPIRED_AT_ONCE_MAX: usize = 256;

/// What a client that was told to try later is asked to wait, in seconds.
pub(crate) const RETRY_AFTER_SECONDS: &str = "1";

/// The number of items of a list when none is asked for.
pub(crate) const PAGE_ITEMS_USUAL: usize = 50;

/// The most items of a list.
pub(crate) const PAGE_ITEMS_MAX: usize = 500;

/// The most accounts that one filtered list looks at before it answers with a cursor.
pub(crate) const ACCOUNTS_SCANNED_MAX: usize = 10_000;

/// The most records that a view of the past is folded from.
pub(crate) const RECORDS_FOLDED_MAX: u64 = 1_000_000;

/// The most records that one page of a statement looks at before it answers with a cursor.
pub(crate) const STATEMENT_RECORDS_SCANNED_MAX: usize = 10_000;

/// The number of records that an explanation shows when none is asked for.
pub(crate) const EXPLAINED_RECORDS_USUAL: usize = 20;

/// The most records that an explanation shows.
pub(crate) const EXPLAINED_RECORDS_MAX: usize = 500;

/// The most explanations that are looked for at the same time: each may read the whole log.
pub(crate) const EXPLAINED_AT_ONCE_MAX: usize = 2;

/// The most explanations that wait for their turn besides; whoever comes then is told to try later.
pub(crate) const EXPLAINED_WAITING_MAX: usize = 32;

/// The most refund cases that one filtered list looks at before it answers with a cursor.
pub(crate) const CASES_SCANNED_MAX: usize = 10_000;

/// The most exceptions that one filtered list looks at before it answers with a cursor.
pub(crate) const EXCEPTIONS_SCANNED_MAX: usize = 10_000;

/// The most backups that are sent at the same time: each reads the whole log.
pub(crate) const BACKUPS_AT_ONCE_MAX: usize = 1;

/// How much of a backup is handed to its connection at once.
pub(crate) const BACKUP_CHUNK_BYTES: usize = 256 * 1024;

/// The most chunks of a backup that wait for its client.
pub(crate) const BACKUP_CHUNKS_WAITING_MAX: usize = 4;

/// The longest that the client of a backup may take for the next chunk.
pub(crate) const BACKUP_CLIENT_WAIT_MAX: Duration = Duration::from_secs(60);

/// The most facts of one application for a refund.
pub(crate) const FACTS_MAX: usize = 32;

/// The most bytes of the name of a fact.
pub(crate) const FACT_NAME_BYTES_MAX: usize = 64;
