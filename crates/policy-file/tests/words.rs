//! Policies in words: what one says, and what changes from one to another.

use domain::policy::Policy;

const FULL: &str = r#"
name = "full"
version = 1
effective_from = "2026-07-03T00:00:00Z"

[credits]
unit = "credits"
decimals = 6
rates = { USD = "1" }
prices = [ { price = "pri_1", paid = "1000", gift = "100" } ]

[spending]
order = ["gift", "paid"]
metadata = ["model"]

[reversal]
shortfall = "owed"
settle_owed = true

[measures]
on_dispute = {}
on_chargeback = { spending = "allow", balance = "freeze-account" }
close_after = { chargebacks = 1, within_days = 180 }

[refunds]
facts = ["email"]
review_business_days = 7

[refunds.calendar]
zone = "Asia/Shanghai"
weekend = ["sunday"]
holidays = ["2026-10-02"]
working_days = ["2026-10-10"]

[refunds.denials]
consumed = "N1"

[refunds.reasons.mistaken]
verdict = "eligible"
rule = "Y3"
facts = ["proof"]
within_days = 7
unused = true
despite = ["consumed"]

[refunds.reasons.unused-credits]
verdict = "deny"
rule = "A6"

[refunds.quote]
channel_fee = { percent = "2.9", fixed = { USD = "0.30", JPY = "30" } }
invoice_tax = "6"
promotion = true
"#;

/// What is replaced in [`FULL`], by what, and the differences that this makes.
const CHANGES: &[(&str, &str, &[&str])] = &[
    ("name = \"full\"", "name = \"fuller\"", &["Version: name changes from full to fuller"]),
    ("version = 1", "version = 2", &["Version: version rises from 1 to 2"]),
    (
        "07-03T00:00:00Z",
        "08-01T00:00:00Z",
        &["Version: effective_from changes from 2026-07-03T00:00:00Z to 2026-08-01T00:00:00Z"],
    ),
    ("\"credits\"", "\"tokens\"", &["Credits: unit changes from credits to tokens"]),
    ("decimals = 6", "decimals = 3", &["Credits: decimals falls from 6 to 3"]),
    ("USD = \"1\"", "USD = \"7.1\"", &["Credits: rate of USD rises from 1 to 7.1 credits"]),
    ("USD = \"1\"", "USD = \"0.5\"", &["Credits: rate of USD falls from 1 to 0.5 credits"]),
    ("USD = \"1\"", "USD = \"1\", EUR = \"1\"", &["Credits: rate of EUR is added: 1 credit"]),
    ("gift = \"100\"", "gift = \"0\"", &["Credits: price pri_1: gift falls from 100 to 0 credits"]),
    (
        "pri_1",
        "pri_2",
        &[
            "Credits: price pri_1 is removed",
            "Credits: price pri_2 is added: 1000 paid and 100 gift credits",
        ],
    ),
    (
        "gift = \"100\" } ]",
        "gift = \"100\" } ]\nunlisted = \"rate\"",
        &["Credits: unlisted changes from ignore to rate"],
    ),
    (
        "[\"gift\", \"paid\"]",
        "[\"paid\", \"gift\"]",
        &["Spending: drawn first changes from gift to paid"],
    ),
    (
        "[\"model\"]",
        "[\"group\"]",
        &["Spending: metadata model is removed", "Spending: metadata group is added"],
    ),
    (
        "[\"model\"]",
        "[\"model\"]\nreturns = \"refuse\"",
        &["Spending: returns changes from allow to refuse"],
    ),
    (
        "shortfall = \"owed\"",
        "shortfall = \"write-off\"",
        &["Reversals: shortfall changes from owed to write-off"],
    ),
    (
        "settle_owed = true",
        "settle_owed = false",
        &["Reversals: settle_owed changes from yes to no"],
    ),
    (
        "\"allow\"",
        "\"suspend\"",
        &["Disputes: on_chargeback: spending changes from allow to suspend"],
    ),
    (
        "on_dispute = {}",
        "on_dispute = { checkout = \"limit\", verification = \"require\", service = \"restrict\" }",
        &[
            "Disputes: on_dispute: checkout changes from open to limit",
            "Disputes: on_dispute: verification changes from none to require",
            "Disputes: on_dispute: service changes from normal to restrict",
        ],
    ),
    (
        "on_dispute = {}",
        "on_dispute = {}\nwith_open_case = {}",
        &["Disputes: with_open_case is added: nothing more is done"],
    ),
    (
        "chargebacks = 1, within_days = 180",
        "chargebacks = 2, within_days = 90",
        &[
            "Disputes: close_after: chargebacks rises from 1 to 2",
            "Disputes: close_after: within_days falls from 180 to 90 days",
        ],
    ),
    ("close_after", "# close_after", &["Disputes: close_after is removed"]),
    ("[\"email\"]", "[]", &["Refunds: fact email is removed"]),
    (
        "review_business_days = 7",
        "review_business_days = 1",
        &["Refunds: review_business_days falls from 7 to 1 business day"],
    ),
    ("\"N1\"", "\"N9\"", &["Refunds: denial consumed changes from N1 to N9"]),
    (
        "consumed = \"N1\"",
        "consumed = \"N1\"\ninvoiced = \"Y4\"",
        &["Refunds: denial invoiced is added: Y4"],
    ),
    ("Asia/Shanghai", "UTC", &["Calendar: zone changes from Asia/Shanghai to UTC"]),
    ("[\"sunday\"]", "[\"sunday\", \"monday\"]", &["Calendar: weekend monday is added"]),
    (
        "\"2026-10-02\"",
        "\"2026-10-01\", \"2026-10-02\"",
        &["Calendar: holiday 2026-10-01 is added"],
    ),
    ("\"2026-10-10\"", "", &["Calendar: working day 2026-10-10 is removed"]),
    (
        "verdict = \"deny\"",
        "verdict = \"review\"",
        &["Reasons: reason unused-credits: verdict changes from deny to review"],
    ),
    ("\"Y3\"", "\"Y\\u00094\"", &["Reasons: reason mistaken: rule changes from Y3 to Y\\t4"]),
    ("[\"proof\"]", "[]", &["Reasons: reason mistaken: fact proof is removed"]),
    (
        "within_days = 7\n",
        "within_days = 8\n",
        &["Reasons: reason mistaken: within_days rises from 7 to 8 days"],
    ),
    ("within_days = 7\n", "\n", &["Reasons: reason mistaken: within_days is removed"]),
    (
        "unused = true",
        "unused = false",
        &["Reasons: reason mistaken: unused changes from yes to no"],
    ),
    (
        "unused = true",
        "unused = true\nremedy = \"credits\"",
        &["Reasons: reason mistaken: remedy changes from refund to credits"],
    ),
    ("despite = [\"consumed\"]", "", &["Reasons: reason mistaken: despite consumed is removed"]),
    (
        "unused-credits",
        "regret",
        &[
            "Reasons: reason unused-credits is removed",
            "Reasons: reason regret is added: denied (A6)",
        ],
    ),
    ("\"2.9\"", "\"3\"", &["Quotes: channel_fee: percent rises from 2.9 to 3 %"]),
    ("\"0.30\"", "\"0.05\"", &["Quotes: channel_fee: fixed USD falls from 0.3 to 0.05"]),
    (", JPY = \"30\"", "", &["Quotes: channel_fee: fixed JPY is removed"]),
    ("channel_fee", "# channel_fee", &["Quotes: channel_fee is removed"]),
    ("invoice_tax = \"6\"", "", &["Quotes: invoice_tax is removed"]),
    (
        "promotion = true",
        "tax = true\ngift_used = true\nthird_party_costs = true",
        &[
            "Quotes: quote line promotion is removed",
            "Quotes: quote line tax is added",
            "Quotes: quote line gift_used is added",
            "Quotes: quote line third_party_costs is added",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Policy {
        policy_file::parse(text).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn differences(old: &str, new: &str) -> Vec<String> {
        let differences = policy_file::diff(&parsed(old), &parsed(new));
        differences.iter().map(|one| format!("{}: {one}", one.section)).collect()
    }

    fn shown(text: &str) -> String {
        let sections = policy_file::show(&parsed(text)).into_iter().map(|section| {
            let sentences = section.sentences.iter().map(|one| format!("  {one}\n"));
            format!("{}\n{}", section.title, sentences.collect::<String>())
        });
        sections.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_setting_that_differs_is_one_sentence() {
        for (written, other, expected) in CHANGES {
            assert!(FULL.contains(written), "{written}");
            assert_eq!(differences(FULL, &FULL.replacen(written, other, 1)), *expected, "{other}");
        }
    }

    #[test]
    fn each_setting_that_differs_differs_the_other_way_too() {
        for (written, other, _) in CHANGES {
            assert_ne!(differences(&FULL.replacen(written, other, 1), FULL), [""; 0], "{other}");
        }
    }

    #[test]
    fn equal_policies_differ_in_nothing_however_they_are_written() {
        let other = FULL.replace("\"0.30\"", "\"0.3\"").replace("\"1000\"", "1000");
        assert_eq!(differences(FULL, &format!("{other}tax = false\n")), [""; 0]);
    }

    #[test]
    fn refunds_that_are_offered_from_now_on_are_told_whole() {
        let (without, _) = FULL.split_once("[refunds]").unwrap();
        assert_eq!(differences(without, FULL).join("\n") + "\n", include_str!("words/offered.txt"));
        let (first, rest) =
            ("Refunds: applying for refunds changes from offered to not offered", " is removed");
        let gone = differences(FULL, without);
        assert_eq!(gone[0], first);
        assert!(gone[1..].iter().all(|one| one.ends_with(rest)), "{gone:?}");
    }

    #[test]
    fn a_policy_is_shown_in_words() {
        assert_eq!(shown(FULL), include_str!("words/full.txt"));
        let unused_balance = include_str!("../../../policies/unused-balance.toml");
        assert_eq!(shown(unused_balance), include_str!("words/unused-balance.txt"));
        let (without, _) = FULL.split_once("[measures]").unwrap();
        assert!(shown(without).ends_with("\nRefunds\n  No refund can be applied for.\n"));
    }

    #[test]
    fn what_an_operator_wrote_stays_on_its_line() {
        let text = FULL.replace("\"full\"", "\"two\\nlines\"").replace("\"A6\"", "\"A\\u001b6\"");
        let lines = shown(FULL).lines().count();
        assert_eq!(shown(&text).lines().count(), lines);
        assert!(shown(&text).contains("\"two\\nlines\""), "{}", shown(&text));
        assert!(!shown(&text).contains('\u{1b}'));
    }
}
