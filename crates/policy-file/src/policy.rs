//! Which keys a policy has, and what they become in the domain.

use domain::{
    ids::Text,
    input::LotKind,
    policy::{
        Balance, Checkout, CloseAfter, Measures, Policy, Service, Shortfall, Spending, Verification,
    },
    time::Timestamp,
};

use crate::{
    conversion::{self, conversion},
    document::Document,
    faults::Faults,
    reader::{Faulted, Item, Reader},
};

/// Reads a policy.
///
/// Required, so that nobody loses money to a default: `name`, `version`, `effective_from`,
/// `credits.unit`, `credits.decimals`, at least one rate or price, `spending.order`,
/// `reversal.shortfall` and `reversal.settle_owed`.
/// Without `[measures]` disputes and chargebacks only take their credits; where the table is
/// there, it names both `on_dispute` and `on_chargeback` (`{}` does nothing). In a set of
/// measures, what is left out does nothing. A price without `gift` gives none.
///
/// # Errors
/// Everything that is wrong with the text, in the order of its lines.
///
/// # Example
/// ```
/// let faults = policy_file::parse("version = 0").unwrap_err();
/// assert!(faults.to_string().starts_with("line 1: name: is missing; "));
/// ```
pub fn parse(text: &str) -> Result<Policy, Faults> {
    const KEYS: [&str; 8] = [
        "name",
        "version",
        "effective_from",
        "credits",
        "spending",
        "reversal",
        "measures",
        "refunds",
    ];
    Document::parse(text)?.read(&KEYS, policy)
}

fn policy(root: &mut Reader<'_, '_>) -> Result<Policy, Faulted> {
    let name = root
        .required("name", "write name = \"...\"")
        .and_then(|mut item| item.text_as("choose a short name", Text::new));
    let version = root
        .required("version", "write version = 1")
        .and_then(|mut item| item.integer(1..=u32::MAX));
    let effective_from = root
        .required("effective_from", "write effective_from = \"2026-07-03T00:00:00Z\"")
        .and_then(|mut item| moment(&mut item));
    let credits = root
        .required("credits", "add [credits] with unit, decimals and rates or prices")
        .and_then(|mut item| item.table(&conversion::KEYS, conversion));
    let spend_first = root
        .required("spending", "add [spending] with order = [\"gift\", \"paid\"]")
        .and_then(|mut item| item.table(&["order"], spend_first));
    let reversal = root
        .required("reversal", "add [reversal] with shortfall and settle_owed")
        .and_then(|mut item| item.table(&["shortfall", "settle_owed"], reversal));
    let responses = root.optional("measures").map_or(Ok(Responses::NONE), |mut item| {
        item.table(&["on_dispute", "on_chargeback", "with_open_case", "close_after"], responses)
    });
    let refunds = root.optional("refunds").map_or(Ok(()), |mut item| refunds(&mut item));

    let (credits, responses) = (credits?, responses?);
    let (shortfall, settle_owed) = reversal?;
    refunds?;
    Ok(Policy {
        name: name?,
        version: version?,
        effective_from: effective_from?,
        unit: credits.unit,
        decimals: credits.decimals,
        rates: credits.rates,
        prices: credits.prices,
        unlisted: credits.unlisted,
        spend_first: spend_first?,
        shortfall,
        settle_owed,
        on_dispute: responses.on_dispute,
        on_chargeback: responses.on_chargeback,
        with_open_case: responses.with_open_case,
        close_after: responses.close_after,
    })
}

/// Reads RFC 3339, which the domain's reader only includes.
fn moment(item: &mut Item<'_, '_>) -> Result<Timestamp, Faulted> {
    const REMEDY: &str = "write it with its offset, such as \"2026-07-03T00:00:00Z\"";
    let text = item.moment()?;
    let parsed = if is_rfc3339(text) { Timestamp::parse(text) } else { None };
    parsed.ok_or_else(|| item.fault("is not a date and time with an offset (RFC 3339)", REMEDY))
}

/// Whether a text has the form of RFC 3339 section 5.6; the numbers are left to the calendar.
fn is_rfc3339(text: &str) -> bool {
    let fits = |text: &str, form: &str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                b'+' => matches!(byte, b'+' | b'-'),
                form => byte.eq_ignore_ascii_case(&form),
            })
    };
    let Some((seconds, rest)) = text.split_at_checked("0000-00-00T00:00:00".len()) else {
        return false;
    };
    let offset = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => match fraction.trim_start_matches(|c: char| c.is_ascii_digit()) {
            offset if offset.len() < fraction.len() => offset,
            _ => return false,
        },
    };
    fits(seconds, "0000-00-00T00:00:00") && (fits(offset, "Z") || fits(offset, "+00:00"))
}

fn spend_first(table: &mut Reader<'_, '_>) -> Result<LotKind, Faulted> {
    let mut item = table.required("order", "write order = [\"gift\", \"paid\"]")?;
    let kinds = [("gift", LotKind::Gift), ("paid", LotKind::Paid)];
    let order = item.list(|kind| kind.choice(&kinds))?;
    match order.as_slice() {
        [first, second] if first != second => Ok(*first),
        _ => {
            let remedy = "write [\"gift\", \"paid\"] or [\"paid\", \"gift\"]";
            Err(item.fault("must name \"gift\" and \"paid\", each once", remedy))
        }
    }
}

fn reversal(table: &mut Reader<'_, '_>) -> Result<(Shortfall, bool), Faulted> {
    let shortfall = table
        .required("shortfall", "write shortfall = \"owed\" or \"write-off\"")
        .and_then(|mut item| {
            item.choice(&[("owed", Shortfall::Owed), ("write-off", Shortfall::WriteOff)])
        });
    let settle_owed = table
        .required("settle_owed", "write settle_owed = true or false")
        .and_then(|mut item| item.boolean());
    Ok((shortfall?, settle_owed?))
}

/// What is done about disputes and chargebacks.
struct Responses {
    on_dispute: Measures,
    on_chargeback: Measures,
    with_open_case: Option<Measures>,
    close_after: Option<CloseAfter>,
}

impl Responses {
    const NONE: Self = Self {
        on_dispute: Measures::NONE,
        on_chargeback: Measures::NONE,
        with_open_case: None,
        close_after: None,
    };
}

fn responses(table: &mut Reader<'_, '_>) -> Result<Responses, Faulted> {
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

/// Refund rules come with a later version: taking them silently would promise what is not done.
fn refunds(item: &mut Item<'_, '_>) -> Result<(), Faulted> {
    if item.entries(|_, _| Ok(()))?.is_empty() {
        return Ok(());
    }
    let problem = "refund rules are not understood by this version of tallyhook";
    Err(item.fault(problem, "leave the table empty or remove it"))
}
