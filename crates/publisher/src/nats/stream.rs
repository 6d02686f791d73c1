//! The stream of balance events: how it is made, and what it must not have.

use std::time::Duration;

use async_nats::jetstream::stream::{
    Config, DiscardPolicy, PersistenceMode, RetentionPolicy, StorageType,
};
use balance_events::subject::{self, STREAM};

/// How long the broker also finds repeated messages by itself: a second net that nothing needs.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);

/// The stream as it is created.
pub(super) fn wanted(replicas: usize) -> Config {
    Config {
        name: STREAM.to_owned(),
        description: Some("tallyhook: every change of every balance, in order".to_owned()),
        subjects: vec![subjects()],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        max_messages: -1,
        max_bytes: -1,
        max_messages_per_subject: -1,
        duplicate_window: DUPLICATE_WINDOW,
        num_replicas: replicas,
        allow_direct: true,
        allow_atomic_publish: true,
        ..Config::default()
    }
}

fn subjects() -> String {
    format!("{}.>", subject::PREFIX)
}

/// What a stream has that we can't publish to exactly once, or that loses, rewrites or refuses
/// messages; `None` when it will do.
///
/// More replicas, the dedupe window, placement, compression, the first sequence, what is denied
/// to everyone, and where it is republished to are the operator's.
pub(super) fn unfit(found: &Config, replicas: usize) -> Option<String> {
    let unlimited = |limit: i64| limit <= 0;
    let mut what: Vec<String> = [
        (found.subjects != [subjects()], "other subjects than `tallyhook.balances.>`"),
        (found.storage != StorageType::File, "storage other than file"),
        (found.retention != RetentionPolicy::Limits, "retention other than limits"),
        (found.discard != DiscardPolicy::Old, "discard other than old"),
        (!unlimited(found.max_messages), "a limit on messages"),
        (!unlimited(found.max_bytes), "a limit on bytes"),
        (!unlimited(found.max_messages_per_subject), "a limit on messages of a subject"),
        (!unlimited(found.max_message_size.into()), "a limit on a message's size"),
        (!found.max_age.is_zero(), "a limit on age"),
        (!found.allow_direct, "no direct access (allow_direct)"),
        (!found.allow_atomic_publish, "no atomic batches (allow_atomic)"),
        (found.no_ack, "acknowledgements turned off (no_ack)"),
        (found.sealed, "been sealed"),
        (found.mirror.is_some(), "a mirror's configuration"),
        (found.sources.is_some(), "other streams as sources"),
        (found.subject_transform.is_some(), "a subject transform"),
        (found.allow_rollup, "rollups that remove messages (allow_rollup_hdrs)"),
        (found.allow_message_ttl, "messages that expire (allow_msg_ttl)"),
        (
            found.subject_delete_marker_ttl.is_some(),
            "markers of its own (subject_delete_marker_ttl)",
        ),
        (found.allow_message_counter, "counters that rewrite messages (allow_msg_counter)"),
        (found.allow_message_schedules, "messages by schedule (allow_msg_schedules)"),
        (
            found.persist_mode == Some(PersistenceMode::Async),
            "acknowledgements before it stores (persist_mode async)",
        ),
    ]
    .into_iter()
    .filter(|(is_fault, _)| *is_fault)
    .map(|(_, what)| what.to_owned())
    .collect();
    if found.num_replicas < replicas {
        let found = found.num_replicas;
        what.push(format!("replicas {found} and not {replicas} as [nats] replicas asks for"));
    }
    (!what.is_empty()).then(|| what.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_can_lose_or_repeat_is_unfit() {
        assert_eq!(unfit(&wanted(1), 1), None);
        let ignored = Config { allow_atomic_publish: false, max_bytes: 5, ..wanted(1) };
        let what = "a limit on bytes, no atomic batches (allow_atomic)";
        assert_eq!(unfit(&ignored, 1).as_deref(), Some(what));
    }

    #[test]
    fn what_loses_or_rewrites_messages_is_unfit_each_by_itself() {
        type Change = fn(&mut Config);
        let changes: [(&str, Change); 8] = [
            ("allow_rollup_hdrs", |config| config.allow_rollup = true),
            ("allow_msg_ttl", |config| config.allow_message_ttl = true),
            ("subject_delete_marker_ttl", |config| {
                config.subject_delete_marker_ttl = Some(Duration::from_secs(1));
            }),
            ("allow_msg_counter", |config| config.allow_message_counter = true),
            ("allow_msg_schedules", |config| config.allow_message_schedules = true),
            ("persist_mode", |config| config.persist_mode = Some(PersistenceMode::Async)),
            ("message's size", |config| config.max_message_size = 512),
            ("no_ack", |config| config.no_ack = true),
        ];
        for (named, change) in changes {
            let mut config = wanted(1);
            change(&mut config);
            let what = unfit(&config, 1).unwrap_or_default();
            assert!(what.contains(named) && !what.contains(", "), "{named}: {what}");
        }
    }

    #[test]
    fn fewer_replicas_than_asked_for_are_unfit_and_more_are_not() {
        let what = unfit(&wanted(1), 3).unwrap_or_default();
        assert!(what.contains("replicas 1 and not 3"), "{what}");
        assert_eq!(unfit(&wanted(3), 3), None);
        assert_eq!(unfit(&wanted(5), 3), None);
    }
}
