//! One ledger on its way from the log to the stream: the publisher's own fold of its accounts.

use std::collections::BTreeMap;

use domain::{
    account::View,
    ids::{AccountId, LedgerId, Sequence},
    input::{Input, Order},
    record::Record,
};
use event_store::views::ViewStore;

use crate::{
    broker::Message,
    checkpoint::{self, CheckpointFault, Mark},
    position::Position,
    project::{self, ProjectFault, Projected},
};

/// A ledger's fold since its last checkpoint. Memory is bounded by the records between two
/// checkpoints: other accounts are read where they are needed.
#[derive(Debug)]
pub(crate) struct Fold {
    ledger: LedgerId,
    /// The last record that the stored checkpoint covers.
    stored: Option<Sequence>,
    mark: Mark,
    /// The accounts that changed since the stored checkpoint.
    changed: BTreeMap<AccountId, View>,
    records_since: u64,
}

/// Why a fold can't go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FoldFault {
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFault),
    #[error(transparent)]
    Project(#[from] ProjectFault),
}

impl Fold {
    /// Goes on from the stored checkpoint.
    pub(crate) fn load(store: &dyn ViewStore, ledger: &LedgerId) -> Result<Self, CheckpointFault> {
        let mark = checkpoint::read_mark(store, ledger)?;
        Ok(Self { stored: mark.folded, mark, ..Self::new(ledger) })
    }

    /// Before the first record.
    pub(crate) fn new(ledger: &LedgerId) -> Self {
        Self {
            ledger: ledger.clone(),
            stored: None,
            mark: Mark::START,
            changed: BTreeMap::new(),
            records_since: 0,
        }
    }

    /// The last folded record.
    pub(crate) const fn folded(&self) -> Option<Sequence> {
        self.mark.folded
    }

    /// The last message up to there, which was sent or not needed to be.
    pub(crate) const fn sent(&self) -> Option<&Position> {
        self.mark.sent.as_ref()
    }

    /// How many records were folded since the stored checkpoint.
    pub(crate) const fn records_since(&self) -> u64 {
        self.records_since
    }

    /// Folds the next record and returns its messages after `published`.
    pub(crate) fn fold(
        &mut self,
        store: &dyn ViewStore,
        record: &Record,
        published: Option<&Position>,
    ) -> Result<Vec<Message>, FoldFault> {
        if let Input::Command(command) = &record.input
            && let Order::ActivatePolicy { policy, .. } = &command.order
        {
            policy.unit.as_str().clone_into(&mut self.mark.unit);
        }
        for account in record.decision.accounts() {
            if !self.changed.contains_key(&account) {
                let view = checkpoint::read_view(store, &self.ledger, self.stored, &account)?;
                self.changed.insert(account, view.unwrap_or(View::NEW));
            }
        }
        let unit = &self.mark.unit;
        let Projected { last, messages } =
            project::project(&self.ledger, unit, record, &mut self.changed, published)?;
        self.mark.sent = last.or_else(|| self.mark.sent.take());
        self.mark.folded = Some(record.sequence);
        self.records_since = self.records_since.saturating_add(1);
        Ok(messages)
    }

    /// Writes the checkpoint. Everything up to the last folded record is in the stream.
    pub(crate) fn checkpoint(&mut self, store: &dyn ViewStore) -> Result<(), CheckpointFault> {
        checkpoint::write(store, &self.ledger, &self.mark, self.changed.iter())?;
        self.changed.clear();
        self.stored = self.mark.folded;
        self.records_since = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use event_store::memory::MemoryViews;
    use event_store::views::ViewStore as _;

    use super::*;
    use crate::fixture::{account, grant, ledger, policy, sequence};

    fn history() -> Vec<Record> {
        let names = ["a", "b", "c", "a", "ü/@"];
        let grants = (2..=20_u64).map(|number| {
            let name = names[usize::try_from(number).unwrap() % names.len()];
            grant(number, name, "1.5")
        });
        [policy(1, "USD")].into_iter().chain(grants).collect()
    }

    fn bodies(fold: &mut Fold, store: &MemoryViews, records: &[Record]) -> Vec<Vec<u8>> {
        let messages = records.iter().flat_map(|record| fold.fold(store, record, None).unwrap());
        messages.map(|message| message.body.to_vec()).collect()
    }

    #[test]
    fn a_fold_from_any_checkpoint_says_the_same() {
        let records = history();
        let at_once = {
            let store = MemoryViews::new();
            bodies(&mut Fold::load(&store, &ledger("main")).unwrap(), &store, &records)
        };
        for cut in 0..records.len() {
            let store = MemoryViews::new();
            let mut fold = Fold::load(&store, &ledger("main")).unwrap();
            let mut parts = bodies(&mut fold, &store, &records[..cut]);
            fold.checkpoint(&store).unwrap();
            bodies(&mut fold, &store, &records[cut..]);
            let mut again = Fold::load(&store, &ledger("main")).unwrap();
            assert_eq!(again.folded().map_or(0, Sequence::get), u64::try_from(cut).unwrap());
            parts.extend(bodies(&mut again, &store, &records[cut..]));
            assert!(parts == at_once, "cut at {cut}");
        }
    }

    #[test]
    fn a_checkpoint_remembers_the_last_message() {
        let store = MemoryViews::new();
        let mut fold = Fold::load(&store, &ledger("main")).unwrap();
        for record in [grant(1, "ü/@", "1"), policy(2, "USD")] {
            fold.fold(&store, &record, None).unwrap();
        }
        fold.checkpoint(&store).unwrap();
        let fold = Fold::load(&store, &ledger("main")).unwrap();
        let last = Position { sequence: sequence(1), account: account("ü/@") };
        assert_eq!((fold.folded(), fold.sent()), (Some(sequence(2)), Some(&last)));
        let other = Fold::load(&store, &ledger("other")).unwrap();
        assert_eq!((other.folded(), other.sent()), (None, None));
    }

    #[test]
    fn a_checkpoint_half_forgotten_is_not_used() {
        let records = history();
        let store = MemoryViews::new();
        let mut fold = Fold::load(&store, &ledger("main")).unwrap();
        let at_once = bodies(&mut fold, &store, &records);
        fold.checkpoint(&store).unwrap();
        store.write(&[(b"other".to_vec(), Some(vec![1]))]).unwrap();
        store.write(&[(b"pub/main/at".to_vec(), None)]).unwrap();

        let mut fold = Fold::load(&store, &ledger("main")).unwrap();
        let mut again = bodies(&mut fold, &store, &records[..7]);
        fold.checkpoint(&store).unwrap();
        again.extend(bodies(&mut fold, &store, &records[7..]));
        assert!(again == at_once);

        checkpoint::forget(&store).unwrap();
        let left = store.scan(b"", None, 9).unwrap();
        assert_eq!(left, [(b"other".to_vec(), vec![1])]);
    }

    #[test]
    fn a_checkpoint_of_views_in_another_form_begins_anew_and_knows_what_was_sent() {
        let records = history();
        let store = MemoryViews::new();
        let mut fold = Fold::load(&store, &ledger("main")).unwrap();
        let at_once = bodies(&mut fold, &store, &records);
        fold.checkpoint(&store).unwrap();
        for (key, mut value) in store.scan(b"pub/main/of/", None, 99).unwrap() {
            value[0] = 200;
            store.write(&[(key, Some(value))]).unwrap();
        }
        let mark = String::from_utf8(store.get(b"pub/main/at").unwrap().unwrap()).unwrap();
        let mark = mark.replace(r#""view_form":1"#, r#""view_form":200"#);
        store.write(&[(b"pub/main/at".to_vec(), Some(mark.into_bytes()))]).unwrap();

        let mut fold = Fold::load(&store, &ledger("main")).unwrap();
        assert_eq!(fold.folded(), None);
        assert_eq!(fold.sent().map(|sent| sent.sequence), Some(sequence(20)));
        assert!(bodies(&mut fold, &store, &records) == at_once);
    }

    #[test]
    fn a_damaged_checkpoint_is_an_error() {
        for value in [&b""[..], b"{}", br#"{"form":9,"view_form":1,"folded":1,"sent_sequence":0,"sent_account":null,"unit":""}"#] {
            let store = MemoryViews::new();
            store.write(&[(b"pub/main/at".to_vec(), Some(value.to_vec()))]).unwrap();
            let fault = Fold::load(&store, &ledger("main")).unwrap_err();
            assert!(matches!(fault, CheckpointFault::Damaged { .. }));
        }
    }
}
