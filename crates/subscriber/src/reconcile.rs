//! The task that reads the API's accounts, for the one that follows the stream to compare.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use balance_events::account_view::AccountView;
use tokio::{sync::mpsc, time::sleep};

use crate::{
    accounts::Shared,
    api::{Api, ApiFault},
    filter::{Filter, Wanted},
};

/// The least time between the beginnings of two comparisons, however often they are asked for.
const PAUSE: Duration = Duration::from_secs(1);

/// The wait after the first failed comparison; each further one doubles it.
const WAIT_MIN: Duration = Duration::from_millis(500);

/// The longest wait between two attempts.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// What comes from the API.
pub(crate) enum Compared {
    /// Some accounts as they are.
    Views(Vec<AccountView>),
    /// These were all that there are, since the comparison of this number was asked for.
    All { number: u64 },
    /// The API didn't give all; it is asked again.
    Failed(ApiFault),
}

/// What reads the API.
pub(crate) struct Reconciler<A> {
    pub(crate) api: A,
    pub(crate) filter: Filter,
    pub(crate) shared: Arc<Shared>,
    pub(crate) compared: mpsc::Sender<Compared>,
}

/// Why a comparison is not finished.
enum Fault {
    Api(ApiFault),
    /// Nobody compares any more.
    Ended,
}

impl<A: Api> Reconciler<A> {
    /// Reads all accounts whenever that is asked for, until nobody compares any more.
    pub(crate) async fn run(self) {
        let mut comparisons = self.shared.comparisons.subscribe();
        let mut wait = WAIT_MIN;
        let mut number = 0;
        loop {
            let wanted = comparisons.wait_for(|wanted| *wanted > number).await.map(|it| *it);
            let Ok(wanted) = wanted else { return };
            let begun = Instant::now();
            match self.all().await {
                Ok(()) => {
                    number = wanted;
                    wait = WAIT_MIN;
                    if self.compared.send(Compared::All { number }).await.is_err() {
                        return;
                    }
                    sleep(PAUSE.saturating_sub(begun.elapsed())).await;
                }
                Err(Fault::Api(fault)) => {
                    if self.compared.send(Compared::Failed(fault)).await.is_err() {
                        return;
                    }
                    sleep(wait).await;
                    wait = wait.saturating_mul(2).min(WAIT_MAX);
                }
                Err(Fault::Ended) => return,
            }
        }
    }

    async fn all(&self) -> Result<(), Fault> {
        match self.filter.wanted() {
            Wanted::Account { ledger, account } => {
                let view = self.api.view(ledger, account).await.map_err(Fault::Api)?;
                self.hand_over(ledger, view.into_iter().collect()).await
            }
            Wanted::Ledger(ledger) => self.ledger(ledger).await,
            Wanted::AllLedgers => {
                for ledger in self.shared.table.ledgers() {
                    self.ledger(&ledger).await?;
                }
                Ok(())
            }
        }
    }

    async fn ledger(&self, ledger: &str) -> Result<(), Fault> {
        let mut cursor = None;
        loop {
            let page = self.api.accounts(ledger, cursor.as_deref()).await.map_err(Fault::Api)?;
            self.hand_over(ledger, page.items).await?;
            if page.next.is_none() {
                return Ok(());
            }
            if page.next == cursor {
                return Err(unreadable("the cursor doesn't move"));
            }
            cursor = page.next;
        }
    }

    async fn hand_over(&self, ledger: &str, views: Vec<AccountView>) -> Result<(), Fault> {
        if views.iter().any(|view| view.ledger != ledger) {
            return Err(unreadable("it shows another ledger's accounts"));
        }
        self.compared.send(Compared::Views(views)).await.map_err(|_| Fault::Ended)
    }
}

fn unreadable(what: &'static str) -> Fault {
    Fault::Api(ApiFault::Unreadable(what.into()))
}
