//! Paddle's transactions: purchases (PROVIDERS.md section 3).
//!
//! The status decides, not the event's type: `transaction.updated` can carry `paid`. Amounts are
//! taken with their sign. A status that we don't know means no money.

use domain::{
    ids::{CustomerId, ItemId, PaymentId, PaymentKey, PriceId, Text},
    input::Unreadable,
    money::Currency,
    notice::{Basket, Line, Progress, Purchase},
    time::Timestamp,
};

use crate::{fields::At, json::Json, read::Reading};

pub(super) fn read(
    reading: &Reading<'_>,
    event: &Json<'_>,
    occurred_at: Timestamp,
) -> Result<Purchase, Unreadable> {
    let at = At::top(event);
    let id = at.id("/data/id", PaymentId::new)?;
    Ok(Purchase {
        payment: PaymentKey { origin: reading.origin.clone(), id },
        occurred_at,
        account: reading.account(event),
        customer: at.id_if_any("/data/customer_id", CustomerId::new)?,
        progress: progress(at)?,
    })
}

fn progress(at: At<'_>) -> Result<Progress, Unreadable> {
    match at.text("/data/status")? {
        "paid" => basket(at).map(Progress::Paid),
        "completed" => basket(at).map(Progress::Completed),
        _ => {
            let status = at.id("/data/status", Text::new)?;
            if_present(at)?;
            Ok(Progress::Unpaid(status))
        }
    }
}

fn basket(at: At<'_>) -> Result<Basket, Unreadable> {
    let missing = || at.malformed("/data/currency_code", "is missing");
    Ok(Basket {
        currency: currency(at)?.ok_or_else(missing)?,
        subtotal: at.amount("/data/details/totals/subtotal")?,
        discount: at.amount("/data/details/totals/discount")?,
        tax: at.amount("/data/details/totals/tax")?,
        total: at.amount("/data/details/totals/total")?,
        lines: at.list("/data/details/line_items")?.map(line).collect::<Result<_, _>>()?,
    })
}

fn line(at: At<'_>) -> Result<Line, Unreadable> {
    let price = match at.id_if_any("/price_id", PriceId::new)? {
        None => at.id_if_any("/price/id", PriceId::new)?,
        price => price,
    };
    Ok(Line {
        item: at.id("/id", ItemId::new)?,
        price,
        quantity: at.count("/quantity")?,
        subtotal: at.amount("/totals/subtotal")?,
        discount: at.amount("/totals/discount")?,
    })
}

/// While there is no money, totals may be lacking, but what is there must be readable: else the
/// payment would become unreadable only once it is paid.
fn if_present(at: At<'_>) -> Result<(), Unreadable> {
    currency(at)?;
    at.amount_if_any("/data/details/totals/subtotal")?;
    at.amount_if_any("/data/details/totals/discount")?;
    at.amount_if_any("/data/details/totals/tax")?;
    at.amount_if_any("/data/details/totals/total")?;
    Ok(())
}

/// The transaction's currency, which must be that of its totals where both are there.
fn currency(at: At<'_>) -> Result<Option<Currency>, Unreadable> {
    let path = "/data/details/totals/currency_code";
    at.currency_of_both("/data/currency_code", path)
}
