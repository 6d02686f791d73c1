//! The payment processor of a scenario: it remembers what it sold, and says what happened in full
//! payload shapes.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, bail};
use domain::{
    money::{Currency, Minor},
    time::Timestamp,
};
use serde_json::Value;

use super::{
    file::Given,
    forms::{Adjustment, Event},
    tree,
};
use crate::trigger::{amounts::Spread, payload::Filling};

macro_rules! template {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/paddle/", $name, ".json"))
    };
}

/// What the processor said so far.
pub(super) struct Processor {
    /// Of amounts that name none.
    currency: String,
    sales: BTreeMap<String, Sale>,
    /// When each adjustment was first told.
    filed: BTreeMap<String, Timestamp>,
    told: u64,
}

/// What is known of a payment. Amounts are in minor units.
#[derive(Clone)]
struct Sale {
    currency: Currency,
    account: Option<String>,
    customer: Option<String>,
    discount: i64,
    tax: i64,
    lines: Vec<Line>,
}

/// A line of a payment.
#[derive(Clone)]
struct Line {
    price: Option<String>,
    quantity: i64,
    subtotal: i64,
    discount: i64,
}

impl Line {
    const fn net(&self) -> i64 {
        self.subtotal.saturating_sub(self.discount)
    }
}

impl Sale {
    fn net(&self) -> i64 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.net()))
    }

    fn subtotal(&self) -> i64 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.subtotal))
    }
}

impl Processor {
    pub(super) fn new(currency: &str) -> Self {
        let (sales, filed) = (BTreeMap::new(), BTreeMap::new());
        Self { currency: currency.to_owned(), sales, filed, told: 0 }
    }

    /// The body of a new event.
    pub(super) fn tell(
        &mut self,
        event: Event,
        given: &Given,
        now: Timestamp,
    ) -> anyhow::Result<Vec<u8>> {
        self.told = self.told.saturating_add(1);
        let body = match event {
            Event::Purchase => self.purchase(given, now)?,
            Event::Adjustment(adjustment) => self.adjustment(adjustment, given, now)?,
        };
        Ok(serde_json::to_vec(&body)?)
    }

    fn purchase(&mut self, given: &Given, now: Timestamp) -> anyhow::Result<Value> {
        let payment = given.text("payment").unwrap_or_default();
        let sale = self.sale(given)?;
        let template = match given.text("status").as_deref() {
            Some("created") => template!("transaction.created"),
            Some("payment_failed") => template!("transaction.payment_failed"),
            Some("paid") => template!("transaction.paid"),
            Some("canceled") => template!("transaction.canceled"),
            _ => template!("transaction.completed"),
        };
        let mut event = self.filled(template, &payment, &sale, (sale.net(), sale.tax))?;
        put(&mut event, "/occurred_at", now.to_string())?;
        put(&mut event, "/data/updated_at", now.to_string())?;
        if let Some(customer) = &sale.customer {
            put(&mut event, "/data/customer_id", customer.clone())?;
        }
        if sale.account.is_none() {
            put(&mut event, "/data/custom_data", Value::Null)?;
        }
        for totals in ["totals", "payout_totals", "tax_rates_used/0/totals"] {
            let totals = format!("/data/details/{totals}");
            if event.pointer(&totals).is_some_and(Value::is_object) {
                put(&mut event, &format!("{totals}/subtotal"), sale.subtotal().to_string())?;
                put(&mut event, &format!("{totals}/discount"), sale.discount.to_string())?;
            }
        }
        lines(&mut event, &payment, &sale)?;
        self.sales.insert(payment, sale);
        Ok(event)
    }

    fn sale(&self, given: &Given) -> anyhow::Result<Sale> {
        let currency = self.currency(given, None)?;
        let amount = |text: Option<String>| text.map_or(Ok(0), |text| amount(&text, currency));
        let (discount, tax) = (amount(given.text("discount"))?, amount(given.text("tax"))?);
        let mut lines = match given.node("items").map(|node| &node.value) {
            Some(tree::Value::List(items)) => {
                let line = |item: &tree::Node| {
                    let text = |name| item.get(name).and_then(tree::Node::text);
                    let quantity = text("quantity").map_or(Ok(1), |digits| digits.parse())?;
                    let subtotal = amount(text("amount"))?;
                    Ok(Line { price: text("price"), quantity, subtotal, discount: 0 })
                };
                items.iter().map(line).collect::<anyhow::Result<Vec<_>>>()?
            }
            _ => {
                let subtotal = amount(given.text("amount"))?;
                vec![Line { price: None, quantity: 1, subtotal, discount: 0 }]
            }
        };
        let whole = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.subtotal));
        if discount > whole {
            bail!("the discount is above the amount");
        }
        let parts: Vec<i64> = lines.iter().map(|line| line.subtotal).collect();
        for (line, discount) in lines.iter_mut().zip(shares(discount, &parts)) {
            line.discount = discount;
        }
        let (account, customer) = (given.text("account"), given.text("customer"));
        Ok(Sale { currency, account, customer, discount, tax, lines })
    }

    fn adjustment(
        &mut self,
        adjustment: Adjustment,
        given: &Given,
        now: Timestamp,
    ) -> anyhow::Result<Value> {
        let payment = given.text("payment").unwrap_or_default();
        let known = self.sales.get(&payment);
        let currency = self.currency(given, known)?;
        let said = given.text("amount").map(|text| amount(&text, currency)).transpose()?;
        let sale = match (known, said) {
            (Some(known), _) => known.clone(),
            (None, Some(net)) => Sale {
                currency,
                account: None,
                customer: None,
                discount: 0,
                tax: 0,
                lines: vec![Line { price: None, quantity: 1, subtotal: net, discount: 0 }],
            },
            (None, None) => bail!("no purchase of {payment} came before: say its amount"),
        };
        let net = said.unwrap_or_else(|| sale.net());
        let tax = match given.text("tax") {
            Some(text) => amount(&text, currency)?,
            None => part(sale.tax, net, sale.net()),
        };
        let sale = Sale { currency, ..sale };
        let template = template(adjustment, given.text("status").as_deref());
        let mut event = self.filled(template, &payment, &sale, (net, tax))?;
        let id = given.text("id").unwrap_or_else(|| format!("adj_{}_{payment}", name(adjustment)));
        let filed_at = *self.filed.entry(id.clone()).or_insert(now);
        put(&mut event, "/data/id", id)?;
        put(&mut event, "/occurred_at", now.to_string())?;
        put(&mut event, "/data/created_at", filed_at.to_string())?;
        put(&mut event, "/data/updated_at", now.to_string())?;
        if let Some(customer) = &sale.customer {
            put(&mut event, "/data/customer_id", customer.clone())?;
        }
        let extent = if said.is_none() { "full" } else { "partial" };
        put(&mut event, "/data/type", extent)?;
        adjusted(&mut event, (&payment, extent), &sale, net)?;
        Ok(event)
    }

    fn currency(&self, given: &Given, sale: Option<&Sale>) -> anyhow::Result<Currency> {
        let said = given.text("currency");
        if let (None, Some(sale)) = (&said, sale) {
            return Ok(sale.currency);
        }
        let code = said.unwrap_or_else(|| self.currency.clone());
        Currency::new(&code).with_context(|| format!("{code} is no currency of the processor"))
    }

    /// A template with the ids, amounts and account of a payment.
    fn filled(
        &self,
        template: &str,
        payment: &str,
        sale: &Sale,
        (net, tax): (i64, i64),
    ) -> anyhow::Result<Value> {
        let filling = Filling {
            payment: payment.to_owned(),
            account: sale.account.clone().unwrap_or_else(|| payment.to_owned()),
            currency: sale.currency,
            spread: Spread::taxed(net, tax),
            partial: false,
            seed: self.told,
            ends_at: None,
        };
        let mut event: Value = serde_json::from_str(template)?;
        filling.filled_in(&mut event, 0);
        Ok(event)
    }
}

/// Puts the lines of a payment in the place of the template's one.
fn lines(event: &mut Value, payment: &str, sale: &Sale) -> anyhow::Result<()> {
    for list in ["/data/items", "/data/details/line_items"] {
        let items = event.pointer_mut(list).and_then(Value::as_array_mut);
        let items = items.with_context(|| format!("a template has no {list}"))?;
        let first = items.first().cloned().with_context(|| format!("{list} is empty"))?;
        items.clear();
        for (index, line) in sale.lines.iter().enumerate() {
            let mut item = first.clone();
            set(&mut item, "id", item_id(payment, index));
            set(&mut item, "quantity", line.quantity);
            if let Some(price) = &line.price {
                set(&mut item, "price_id", price.clone());
                if let Some(described) = item.get_mut("price") {
                    set(described, "id", price.clone());
                }
            }
            if let Some(totals) = item.get_mut("totals") {
                set(totals, "subtotal", line.subtotal.to_string());
                set(totals, "discount", line.discount.to_string());
                let tax = part(sale.tax, line.net(), sale.net());
                set(totals, "tax", tax.to_string());
                set(totals, "total", line.net().saturating_add(tax).to_string());
            }
            items.push(item);
        }
    }
    Ok(())
}

/// Spreads an adjustment over the lines of its payment.
fn adjusted(
    event: &mut Value,
    (payment, extent): (&str, &str),
    sale: &Sale,
    net: i64,
) -> anyhow::Result<()> {
    let items = event.pointer_mut("/data/items").and_then(Value::as_array_mut);
    let items = items.context("a template has no items")?;
    let first = items.first().cloned().context("a template's items are empty")?;
    items.clear();
    let parts: Vec<i64> = sale.lines.iter().map(Line::net).collect();
    for (index, share) in shares(net, &parts).into_iter().enumerate() {
        let mut item = first.clone();
        let tax = part(sale.tax, share, sale.net());
        set(&mut item, "item_id", item_id(payment, index));
        set(&mut item, "type", extent);
        set(&mut item, "amount", share.saturating_add(tax).to_string());
        if let Some(totals) = item.get_mut("totals") {
            set(totals, "subtotal", share.to_string());
            set(totals, "tax", tax.to_string());
            set(totals, "total", share.saturating_add(tax).to_string());
        }
        items.push(item);
    }
    Ok(())
}

fn template(adjustment: Adjustment, status: Option<&str>) -> &'static str {
    match (adjustment, status) {
        (Adjustment::Refund, Some("pending")) => template!("adjustment.created.refund-pending"),
        (Adjustment::Refund, Some("rejected")) => template!("adjustment.updated.refund-rejected"),
        (Adjustment::Refund, _) => template!("adjustment.updated.refund-approved"),
        (Adjustment::Credit, _) => template!("adjustment.created.credit"),
        (Adjustment::CreditReverse, _) => template!("adjustment.created.credit-reverse"),
        (Adjustment::Warning, _) => template!("adjustment.created.chargeback-warning"),
        (Adjustment::WarningWon, _) => template!("adjustment.created.chargeback-warning-reverse"),
        (Adjustment::Chargeback, _) => template!("adjustment.created.chargeback"),
        (Adjustment::ChargebackWon, _) => template!("adjustment.created.chargeback-reverse"),
    }
}

const fn name(adjustment: Adjustment) -> &'static str {
    match adjustment {
        Adjustment::Refund => "refund",
        Adjustment::Credit => "credit",
        Adjustment::CreditReverse => "credit_reverse",
        Adjustment::Warning => "warning",
        Adjustment::WarningWon => "warning_won",
        Adjustment::Chargeback => "chargeback",
        Adjustment::ChargebackWon => "chargeback_won",
    }
}

fn item_id(payment: &str, index: usize) -> String {
    format!("txnitm_{payment}_{index}")
}

fn amount(text: &str, currency: Currency) -> anyhow::Result<i64> {
    let minor = Minor::parse_major(text, currency);
    minor.map(Minor::get).map_err(|fault| anyhow!("{text} of {currency} {fault}"))
}

/// The part of an amount that belongs to a part of a whole, rounded down.
fn part(amount: i64, of: i64, whole: i64) -> i64 {
    let product = i128::from(amount).saturating_mul(i128::from(of));
    product.checked_div(i128::from(whole)).and_then(|part| i64::try_from(part).ok()).unwrap_or(0)
}

/// An amount in proportion to some parts; the last takes what rounding leaves.
fn shares(amount: i64, parts: &[i64]) -> Vec<i64> {
    let whole = parts.iter().fold(0_i64, |sum, part| sum.saturating_add(*part));
    let mut shares: Vec<i64> = parts.iter().map(|of| part(amount, *of, whole)).collect();
    let given = shares.iter().fold(0_i64, |sum, share| sum.saturating_add(*share));
    if let Some(last) = shares.last_mut() {
        *last = last.saturating_add(amount.saturating_sub(given));
    }
    shares
}

/// Puts a value where a JSON pointer points.
fn put(event: &mut Value, pointer: &str, value: impl Into<Value>) -> anyhow::Result<()> {
    let place = event.pointer_mut(pointer);
    *place.with_context(|| format!("a template has no {pointer}"))? = value.into();
    Ok(())
}

/// Puts a value in the place of a field that is there.
fn set(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(field) = object.get_mut(name) {
        *field = value.into();
    }
}
