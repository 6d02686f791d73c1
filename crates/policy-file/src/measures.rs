//! The table `[measures]`: what is done about disputes and chargebacks.

use domain::policy::{Balance, Checkout, CloseAfter, Measures, Service, Spending, Verification};

use crate::reader::{Faulted, Item, Reader};

/// The keys of the table.
pub(crate) const KEYS: [&str; 4] = ["on_dispute", "on_chargeback", "with_open_case", "close_after"];

/// What is done about disputes and chargebacks.
pub(crate) struct Responses {
    pub(crate) on_dispute: Measures,
    pub(crate) on_chargeback: Measures,
    pub(crate) with_open_case: Option<Measures>,
    pub(crate) close_after: Option<CloseAfter>,
}

impl Responses {
    /// Nothing is done.
    pub(crate) const NONE: Self = Self {
        on_dispute: Measures::NONE,
        on_chargeback: Measures::NONE,
        with_open_case: None,
        close_after: None,
    };
}

/// Reads the table `[measures]`.
pub(crate) fn responses(table: &mut Reader<'_, '_>) -> Result<Responses, Faulted> {
    let on_dispute = table
        .required("on_dispute", "write on_dispute = { ... }; {} does nothing")
        .and_then(|mut item| measures(&mut item));
    let on_chargeback = table
        .required("on_chargeback", "write on_chargeback = { ... }; {} does nothing")
        .and_then(|mut item| measures(&mut item));
    let with_open_case = table.optional("with_open_case").map(|mut item| measures(&mut item));
    let close_after = table
        .optional("close_after")
        .map(|mut item| item.table(&["chargebacks", "within_days"], close_after));
    Ok(Responses {
        on_dispute: on_dispute?,
        on_chargeback: on_chargeback?,
        with_open_case: with_open_case.transpose()?,
        close_after: close_after.transpose()?,
    })
}

fn measures(item: &mut Item<'_, '_>) -> Result<Measures, Faulted> {
    let keys = ["spending", "balance", "checkout", "verification", "service"];
    item.table(&keys, |table| {
        let mut measures = Measures::NONE;
        let spending = [("allow", Spending::Allow), ("suspend", Spending::Suspend)];
        let balance = [
            ("keep", Balance::Keep),
            ("freeze-payment", Balance::FreezePayment),
            ("freeze-account", Balance::FreezeAccount),
        ];
        let checkout = [("open", Checkout::Open), ("limit", Checkout::Limit)];
        let verification = [("none", Verification::None), ("require", Verification::Require)];
        let service = [("normal", Service::Normal), ("restrict", Service::Restrict)];
        let all = [
            chosen(table, "spending", &spending, &mut measures.spending),
            chosen(table, "balance", &balance, &mut measures.balance),
            chosen(table, "checkout", &checkout, &mut measures.checkout),
            chosen(table, "verification", &verification, &mut measures.verification),
            chosen(table, "service", &service, &mut measures.service),
        ];
        all.into_iter().collect::<Result<(), Faulted>>().map(|()| measures)
    })
}

/// Puts a choice in the place of the default, if the key is there.
fn chosen<T: Copy>(
    table: &mut Reader<'_, '_>,
    key: &str,
    choices: &[(&str, T)],
    target: &mut T,
) -> Result<(), Faulted> {
    if let Some(mut item) = table.optional(key) {
        *target = item.choice(choices)?;
    }
    Ok(())
}

fn close_after(table: &mut Reader<'_, '_>) -> Result<CloseAfter, Faulted> {
    let chargebacks = table
        .required("chargebacks", "write chargebacks = 2")
        .and_then(|mut item| item.integer(1..=u32::MAX));
    let within_days = table
        .required("within_days", "write within_days = 180")
        .and_then(|mut item| item.integer(1..=u32::MAX));
    Ok(CloseAfter { chargebacks: chargebacks?, within_days: within_days? })
}
