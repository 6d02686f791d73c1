//! Both stores of views give the same answers.

use proptest::prelude::*;

use super::open;
use crate::{
    memory::MemoryViews,
    views::{Change, VALUE_BYTES_MAX, ViewError, ViewStore},
};

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(b'v'), Just(255)], 0..4)
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let length = prop_oneof![4 => 0_usize..9, 1 => 90_000_usize..400_000];
    let value = (length, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]);
    prop::collection::vec((key(), prop::option::weighted(0.7, value)), 1..8)
}

fn same_answers(model: &dyn ViewStore, views: &dyn ViewStore, keys: &[Vec<u8>]) {
    for key in keys {
        assert_eq!(model.get(key).unwrap(), views.get(key).unwrap());
        for after in keys {
            for limit in [0, 2, usize::MAX] {
                let expected = model.scan(key, Some(after), limit).unwrap();
                assert_eq!(views.scan(key, Some(after), limit).unwrap(), expected);
            }
        }
        assert_eq!(views.scan(key, None, 3).unwrap(), model.scan(key, None, 3).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..Default::default() })]

    #[test]
    fn views_on_disk_answer_like_those_in_memory(
        batches in prop::collection::vec(changes(), 1..6),
        keys in prop::collection::vec(key(), 1..6),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let model = MemoryViews::new();
        for batch in &batches {
            model.write(batch).unwrap();
            open(dir.path()).views().write(batch).unwrap();
        }
        let written = batches.iter().flatten().map(|(key, _)| key.clone());
        let keys: Vec<_> = written.chain(keys).collect();
        let store = open(dir.path());
        same_answers(&model, store.views().as_ref(), &keys);
        store.views().clear().unwrap();
        prop_assert_eq!(store.views().scan(&[], None, 9).unwrap(), vec![]);
    }
}

#[test]
fn a_view_of_the_largest_size_comes_back_and_a_larger_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let views = open(dir.path()).views();
    let large = vec![7; VALUE_BYTES_MAX];
    views.write(&[(b"k".to_vec(), Some(large.clone()))]).unwrap();
    assert_eq!(views.get(b"k").unwrap().unwrap(), large);
    let refused = views.write(&[(b"k".to_vec(), Some(vec![7; VALUE_BYTES_MAX + 1]))]);
    assert!(matches!(refused, Err(ViewError::TooLarge { .. })));
}
