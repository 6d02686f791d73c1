//! Each fault of a policy once: a change of a good one, and what it makes.

pub(crate) mod refunds;

/// A policy without faults; each line is one that a case can replace.
pub(crate) const GOOD: &str = r#"name = "good"
version = 1
effective_from = "2026-07-03T00:00:00Z"
[credits]
unit = "USD"
decimals = 2
rates = { USD = "7.1" }
prices = [{ price = "pri_1", paid = "10", gift = "1" }, { price = "pri_2", paid = "20" }]
unlisted = "rate"
[spending]
order = ["gift", "paid"]
[reversal]
shortfall = "owed"
settle_owed = true
[measures]
on_dispute = { spending = "suspend", balance = "keep", checkout = "open" }
on_chargeback = { verification = "none", service = "normal" }
with_open_case = {}
close_after = { chargebacks = 2, within_days = 180 }
[refunds]
facts = ["email", "amount"]
review_business_days = 7
[refunds.calendar]
zone = "Asia/Shanghai"
weekend = ["saturday", "sunday"]
holidays = ["2026-10-01"]
working_days = ["2026-10-10"]
[refunds.denials]
consumed = "N1"
[refunds.reasons.changed-needs]
verdict = "deny"
rule = "A6"
[refunds.reasons.mistaken]
verdict = "eligible"
rule = "Y3"
facts = ["proof"]
within_days = 7
unused = true
remedy = "refund"
despite = ["consumed"]
[refunds.quote]
tax = true
channel_fee = { percent = "2.9", fixed = { USD = "0.30" } }
invoice_tax = "6"
gift_used = true
promotion = false
third_party_costs = true
"#;

/// What is replaced in [`GOOD`], by what, and the one fault that this makes.
pub(crate) type Case = (&'static str, &'static str, &'static str);

const MOMENT: &str = r#"line 3: effective_from: is not a date and time with an offset (RFC 3339); write it with its offset, such as "2026-07-03T00:00:00Z""#;

pub(crate) const ROOT: &[Case] = &[
    (r#"name = "good""#, "", r#"line 1: name: is missing; write name = "...""#),
    (r#""good""#, r#""""#, r#"line 1: name: "" must not be empty; choose a short name"#),
    (r#""good""#, "7", "line 1: name: must be text, not a whole number; write it in quotes"),
    ("version = 1", "", "line 1: version: is missing; write version = 1"),
    (
        "version = 1",
        "version = 0",
        "line 2: version: 0 is out of range; write a whole number from 1 to 4294967295",
    ),
    (
        "version = 1",
        "version = 4294967296",
        "line 2: version: 4294967296 is out of range; write a whole number from 1 to 4294967295",
    ),
    (
        "version = 1",
        "version = 99999999999999999999",
        "line 2: version: it is out of range; write a whole number from 1 to 4294967295",
    ),
    (
        "version = 1",
        r#"version = "1""#,
        "line 2: version: must be a whole number, not text; write digits without quotes",
    ),
    (
        "version = 1",
        "version = 1.0",
        "line 2: version: must be a whole number, not a float; write digits without quotes",
    ),
    (
        r#"effective_from = "2026-07-03T00:00:00Z""#,
        "",
        r#"line 1: effective_from: is missing; write effective_from = "2026-07-03T00:00:00Z""#,
    ),
    ("T00:00:00Z", "T00:00:00", MOMENT),
    ("T00:00:00Z", "T00:00Z", MOMENT),
    ("T00:00:00Z", "T00:00:00.Z", MOMENT),
    ("T00:00:00Z", "T24:00:00Z", MOMENT),
    ("T00:00:00Z", "T00:00:00Z[UTC]", MOMENT),
    ("2026-07-03T", "2026-02-30T", MOMENT),
    (r#""2026-07-03T00:00:00Z""#, "2026-07-03T00:00:00", MOMENT),
    (r#""2026-07-03T00:00:00Z""#, "2026-07-03", MOMENT),
    (
        r#""2026-07-03T00:00:00Z""#,
        "true",
        r#"line 3: effective_from: must be a date and time, not true or false; write it with its offset, such as "2026-07-03T00:00:00Z""#,
    ),
    (
        "version = 1",
        "version = 1\nversoin = 2",
        r#"line 3: versoin: is not a known key; did you mean "version"?"#,
    ),
    (
        "version = 1",
        "version = 1\n\"odd key\" = 2",
        r#"line 3: "odd key": is not a known key; remove it; known here are name, version, effective_from, credits, spending, reversal, measures, refunds"#,
    ),
    (
        "[refunds]",
        "[[refunds]]",
        "line 20: refunds: must be a table, not a list; write it in braces, { key = ... }, or under a header in brackets",
    ),
];

pub(crate) const CREDITS: &[Case] = &[
    (
        r#"unit = "USD""#,
        "",
        r#"line 4: credits.unit: is missing; say what credits are called, such as unit = "USD""#,
    ),
    (
        r#"unit = "USD""#,
        r#"unit = """#,
        r#"line 5: credits.unit: "" must not be empty; choose a short name"#,
    ),
    (
        "decimals = 2",
        "",
        "line 4: credits.decimals: is missing; write decimals = 6; it never changes in a ledger",
    ),
    (
        "decimals = 2",
        "decimals = 10",
        "line 6: credits.decimals: 10 is out of range; write a whole number from 0 to 9",
    ),
    (
        "decimals = 2",
        "decimals = -1",
        "line 6: credits.decimals: -1 is out of range; write a whole number from 0 to 9",
    ),
    (
        r#"{ USD = "7.1" }"#,
        "{}",
        r#"line 9: credits.unlisted: "rate" needs a rate; add rates = { USD = "1" }"#,
    ),
    (
        r#"{ USD = "7.1" }"#,
        r#"["USD"]"#,
        "line 7: credits.rates: must be a table, not a list; write it in braces, { key = ... }, or under a header in brackets",
    ),
    (
        "USD = ",
        "usd = ",
        r#"line 7: credits.rates.usd: is not a known currency; did you mean "USD"?"#,
    ),
    (
        "USD = ",
        "XTS = ",
        "line 7: credits.rates.XTS: is not a known currency; use the ISO 4217 code of a currency that the provider sells in",
    ),
    (
        r#""7.1""#,
        "7.10",
        r#"line 7: credits.rates.USD: must not be a float, which is not exact; write it as a string: "7.10""#,
    ),
    (
        r#""7.1""#,
        r#""0""#,
        r#"line 7: credits.rates.USD: "0" must be above zero; write credits for one major unit of money, such as "7.1""#,
    ),
    (
        r#""7.1""#,
        "-3",
        r#"line 7: credits.rates.USD: "-3" must be above zero; write credits for one major unit of money, such as "7.1""#,
    ),
    (
        r#""7.1""#,
        r#""7,1""#,
        r#"line 7: credits.rates.USD: "7,1" must be a plain decimal number, such as "12.5"; write credits for one major unit of money, such as "7.1""#,
    ),
    (
        r#""7.1""#,
        r#""0.0000000001""#,
        r#"line 7: credits.rates.USD: "0.0000000001" must have at most 9 decimals; write credits for one major unit of money, such as "7.1""#,
    ),
    (
        r#""7.1""#,
        "true",
        r#"line 7: credits.rates.USD: must be a decimal number, not true or false; write it as a string, such as "12.5""#,
    ),
    (
        r#""7.1""#,
        "99999999999999999999",
        r#"line 7: credits.rates.USD: is too large; write credits for one major unit of money, such as "7.1""#,
    ),
    (
        r#"paid = "20""#,
        r#"paid = "20.001""#,
        r#"line 8: credits.prices[1].paid: "20.001" must have at most 2 decimals; write credits with at most credits.decimals decimals, such as "1000""#,
    ),
    (
        r#"gift = "1""#,
        r#"gift = "-1""#,
        r#"line 8: credits.prices[0].gift: "-1" must not be below zero; write credits with at most credits.decimals decimals, such as "1000""#,
    ),
    (
        r#", paid = "20""#,
        "",
        r#"line 8: credits.prices[1].paid: is missing; write the credits of one item, such as paid = "1000""#,
    ),
    (
        r#"price = "pri_2", "#,
        "",
        r#"line 8: credits.prices[1].price: is missing; write price = "pri_...""#,
    ),
    (
        "pri_2",
        "",
        r#"line 8: credits.prices[1].price: "" must not be empty; write the provider's id of the price"#,
    ),
    (
        "pri_2",
        "pri_1",
        r#"line 8: credits.prices[1].price: "pri_1" is listed twice; keep one of them"#,
    ),
    (
        "gift = \"1\"",
        "gifts = 1",
        r#"line 8: credits.prices[0].gifts: is not a known key; did you mean "gift"?"#,
    ),
    (
        r#""rate""#,
        r#""rates""#,
        r#"line 9: credits.unlisted: "rates" is not one of "ignore", "rate"; did you mean "rate"?"#,
    ),
];

pub(crate) const RULES: &[Case] = &[
    (
        "[spending]\norder = [\"gift\", \"paid\"]",
        "\n",
        r#"line 1: spending: is missing; add [spending] with order = ["gift", "paid"]"#,
    ),
    (
        r#"order = ["gift", "paid"]"#,
        "",
        r#"line 10: spending.order: is missing; write order = ["gift", "paid"]"#,
    ),
    (
        r#"["gift", "paid"]"#,
        r#"["gift"]"#,
        r#"line 11: spending.order: must name "gift" and "paid", each once; write ["gift", "paid"] or ["paid", "gift"]"#,
    ),
    (
        r#"["gift", "paid"]"#,
        r#"["paid", "paid"]"#,
        r#"line 11: spending.order: must name "gift" and "paid", each once; write ["gift", "paid"] or ["paid", "gift"]"#,
    ),
    (
        r#"["gift", "paid"]"#,
        r#"["gift", "payd"]"#,
        r#"line 11: spending.order[1]: "payd" is not one of "gift", "paid"; did you mean "paid"?"#,
    ),
    (
        r#"["gift", "paid"]"#,
        r#""gift""#,
        "line 11: spending.order: must be a list, not text; write it in brackets: [ ... ]",
    ),
    (
        "[reversal]\nshortfall = \"owed\"\nsettle_owed = true",
        "\n\n",
        "line 1: reversal: is missing; add [reversal] with shortfall and settle_owed",
    ),
    (
        r#"shortfall = "owed""#,
        "",
        r#"line 12: reversal.shortfall: is missing; write shortfall = "owed" or "write-off""#,
    ),
    (
        r#""owed""#,
        r#""write_off""#,
        r#"line 13: reversal.shortfall: "write_off" is not one of "owed", "write-off"; did you mean "write-off"?"#,
    ),
    (
        "settle_owed = true",
        "",
        "line 12: reversal.settle_owed: is missing; write settle_owed = true or false",
    ),
    (
        "settle_owed = true",
        r#"settle_owed = "yes""#,
        "line 14: reversal.settle_owed: must be true or false, not text; write true or false without quotes",
    ),
];

pub(crate) const MEASURES: &[Case] = &[
    (
        "on_dispute = {",
        "# {",
        "line 15: measures.on_dispute: is missing; write on_dispute = { ... }; {} does nothing",
    ),
    (
        "on_chargeback = {",
        "# {",
        "line 15: measures.on_chargeback: is missing; write on_chargeback = { ... }; {} does nothing",
    ),
    (
        r#""suspend""#,
        r#""suspended""#,
        r#"line 16: measures.on_dispute.spending: "suspended" is not one of "allow", "suspend"; did you mean "suspend"?"#,
    ),
    (
        r#""keep""#,
        r#""freeze""#,
        r#"line 16: measures.on_dispute.balance: "freeze" is not one of "keep", "freeze-payment", "freeze-account"; write one of these"#,
    ),
    (
        r#""open""#,
        "false",
        "line 16: measures.on_dispute.checkout: must be text, not true or false; write it in quotes",
    ),
    (
        r#""none""#,
        r#""required""#,
        r#"line 17: measures.on_chargeback.verification: "required" is not one of "none", "require"; did you mean "require"?"#,
    ),
    (
        r#""normal""#,
        r#""\u001b\n""#,
        r#"line 17: measures.on_chargeback.service: "\u{1b}\n" is not one of "normal", "restrict"; write one of these"#,
    ),
    (
        "with_open_case = {}",
        r#"with_open_case = { balances = "keep" }"#,
        r#"line 18: measures.with_open_case.balances: is not a known key; did you mean "balance"?"#,
    ),
    (
        "chargebacks = 2, ",
        "",
        "line 19: measures.close_after.chargebacks: is missing; write chargebacks = 2",
    ),
    (
        "chargebacks = 2",
        "chargebacks = 0",
        "line 19: measures.close_after.chargebacks: 0 is out of range; write a whole number from 1 to 4294967295",
    ),
    (
        ", within_days = 180",
        "",
        "line 19: measures.close_after.within_days: is missing; write within_days = 180",
    ),
    (
        "within_days = 180",
        "within_days = 0",
        "line 19: measures.close_after.within_days: 0 is out of range; write a whole number from 1 to 4294967295",
    ),
];
