//! Policies that are wrong: every fault once, many together, and text that is no policy at all.

mod cases;

use policy_file::faults::Place;

use crate::cases::{
    CREDITS, Case, GOOD, MEASURES, ROOT, RULES,
    refunds::{APPLICATIONS, CALENDAR, QUOTE, REASONS, USAGE},
};

const MANY: &str = r#"# A policy written in a hurry.
name = "hurried"
version = 0
effective_from = 2026-07-03
unit = "USD"

[credits]
decimals = 12
rates = { USD = 7.1, usd = "0" }
prices = [
  { price = "pri_1", paid = "x" },
  { price = "pri_1", paid = 10, gift = -1 },
]

[measure]
on_dispute = {}

[measures]
on_dispute = { spending = "suspended", balanse = "keep" }
close_after = { chargebacks = 0 }

[refunds.reasons.duplicate]
verdict = "review"
"#;

const MANY_PRINTED: &str = r#"line 1: spending: is missing; add [spending] with order = ["gift", "paid"]
line 1: reversal: is missing; add [reversal] with shortfall and settle_owed
line 3: version: 0 is out of range; write a whole number from 1 to 4294967295
line 4: effective_from: is not a date and time with an offset (RFC 3339); write it with its offset, such as "2026-07-03T00:00:00Z"
line 5: unit: is not a known key; remove it; known here are name, version, effective_from, credits, spending, reversal, measures, refunds
line 7: credits.unit: is missing; say what credits are called, such as unit = "USD"
line 8: credits.decimals: 12 is out of range; write a whole number from 0 to 9
line 9: credits.rates.USD: must not be a float, which is not exact; write it as a string: "7.1"
line 9: credits.rates.usd: is not a known currency; did you mean "USD"?
line 9: credits.rates.usd: "0" must be above zero; write credits for one major unit of money, such as "7.1"
line 11: credits.prices[0].paid: "x" must be a plain decimal number, such as "12.5"; write credits with at most credits.decimals decimals, such as "1000"
line 12: credits.prices[1].price: "pri_1" is listed twice; keep one of them
line 12: credits.prices[1].gift: "-1" must not be below zero; write credits with at most credits.decimals decimals, such as "1000"
line 15: measure: is not a known key; did you mean "measures"?
line 18: measures.on_chargeback: is missing; write on_chargeback = { ... }; {} does nothing
line 19: measures.on_dispute.spending: "suspended" is not one of "allow", "suspend"; did you mean "suspend"?
line 19: measures.on_dispute.balanse: is not a known key; did you mean "balance"?
line 20: measures.close_after.within_days: is missing; write within_days = 180
line 20: measures.close_after.chargebacks: 0 is out of range; write a whole number from 1 to 4294967295
line 22: refunds.reasons.duplicate.rule: is missing; name the rule that applicants are told, such as rule = "A6"
line 22: refunds.facts: is missing; write what each application must say, or facts = []
line 22: refunds.review_business_days: is missing; write review_business_days = 7
line 22: refunds.calendar: is missing; add [refunds.calendar] with zone and weekend"#;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(text: &str) -> String {
        policy_file::parse(text).map_or_else(|faults| faults.to_string(), |_| "no faults".into())
    }

    fn check(cases: &[Case]) {
        for (written, other, fault) in cases {
            assert!(GOOD.contains(written), "{written}");
            assert_eq!(&printed(&GOOD.replacen(written, other, 1)), fault, "{other}");
        }
    }

    #[test]
    fn each_fault_of_the_root_is_named_by_line_and_remedy() {
        assert_eq!(printed(GOOD), "no faults");
        check(ROOT);
    }

    #[test]
    fn each_fault_of_credits_is_named_by_line_and_remedy() {
        check(CREDITS);
    }

    #[test]
    fn each_fault_of_spending_and_reversal_is_named_by_line_and_remedy() {
        check(RULES);
    }

    #[test]
    fn each_fault_of_measures_is_named_by_line_and_remedy() {
        check(MEASURES);
    }

    #[test]
    fn each_fault_of_usage_is_named_by_line_and_remedy() {
        check(USAGE);
    }

    #[test]
    fn each_fault_of_applications_is_named_by_line_and_remedy() {
        check(APPLICATIONS);
    }

    #[test]
    fn each_fault_of_the_calendar_is_named_by_line_and_remedy() {
        check(CALENDAR);
    }

    #[test]
    fn each_fault_of_reasons_is_named_by_line_and_remedy() {
        check(REASONS);
    }

    #[test]
    fn each_fault_of_quotes_is_named_by_line_and_remedy() {
        check(QUOTE);
    }

    #[test]
    fn names_beyond_what_can_be_carried_are_refused() {
        let (long, names) = ("n".repeat(65), |count: u8| (0..count).map(|n| format!("\"n{n}\"")));
        let listed = |count| names(count).collect::<Vec<_>>().join(", ");
        let with = |written: &str, other: String| printed(&GOOD.replacen(written, &other, 1));
        let order = "order = [\"gift\", \"paid\"]";
        assert_eq!(with(order, format!("{order}\nmetadata = [{}]", listed(32))), "no faults");
        assert_eq!(
            with(order, format!("{order}\nmetadata = [{}]", listed(33))),
            "line 12: spending.metadata: names 33, more than a debit can have; name at most 32"
        );
        let days = |count: u16| (0..count).map(|n| format!("\"{}-05-01\"", 2000 + n));
        let holidays = |count| format!("[{}]", days(count).collect::<Vec<_>>().join(", "));
        assert_eq!(with("[\"2026-10-01\"]", holidays(200)), "no faults");
        assert_eq!(
            with("[\"2026-10-01\"]", holidays(201)),
            "line 26: refunds.calendar.holidays: names 201 days, more than 200; leave out days that are over"
        );
        let fault = with("[\"proof\"]", format!("[\"{long}\"]"));
        assert!(fault.contains("must have at most 64 bytes; write the name of a fact"), "{fault}");
        let fault = with("reasons.mistaken", format!("reasons.{long}"));
        assert!(fault.contains("must have at most 64 bytes; choose a name"), "{fault}");
    }

    #[test]
    fn refunds_without_a_reason_are_refused_and_an_empty_table_offers_none() {
        let (before, _) = GOOD.split_once("[refunds]").unwrap();
        assert_eq!(printed(&format!("{before}[refunds]\n")), "no faults");
        let table = "[refunds]\nfacts = []\nreview_business_days = 1\n\
                     calendar = { zone = \"UTC\", weekend = [] }\n";
        let reason = "reasons.late = { verdict = \"deny\", rule = \"1\" }\n";
        assert_eq!(printed(&format!("{before}{table}{reason}")), "no faults");
        let missing = "line 20: refunds.reasons: is missing; add [refunds.reasons.NAME] with verdict and rule";
        assert_eq!(printed(&format!("{before}{table}")), missing);
        let empty = "line 24: refunds.reasons: names no reason, so nothing can be applied for; \
                     add [refunds.reasons.NAME], or remove [refunds]";
        assert_eq!(printed(&format!("{before}{table}reasons = {{}}\n")), empty);
    }

    #[test]
    fn a_policy_that_buys_nothing_is_refused() {
        let text = GOOD.replace("rates = {", "# {").replace("prices = [", "# [");
        let fault = "line 4: credits: has neither rates nor prices, so nothing buys credits; \
                     add rates = { USD = \"1\" } or prices";
        assert_eq!(printed(&text), fault);
    }

    #[test]
    fn all_faults_are_printed_in_the_order_of_their_lines() {
        assert_eq!(printed(MANY), MANY_PRINTED);
    }

    #[test]
    fn broken_toml_is_named_by_line_and_column_before_any_key() {
        let text = "name = \"x\"\nversion = = 2\n[credits\nunit = \"USD\"\nname = 1\n";
        let faults = "line 2, column 11: is not TOML: extra `=`, expected nothing; correct this first, keys were not checked yet\n\
                      line 3, column 9: is not TOML: unclosed table, expected `]`; correct this first, keys were not checked yet\n\
                      line 5, column 1: is not TOML: duplicate key; correct this first, keys were not checked yet";
        assert_eq!(printed(text), faults);
    }

    #[test]
    fn a_key_or_a_table_written_twice_is_a_fault() {
        let text = GOOD.replace("version = 1", "version = 1\nversion = 2") + "[spending]\n";
        let faults = "line 3, column 1: is not TOML: duplicate key; correct this first, keys were not checked yet\n\
                      line 49, column 2: is not TOML: duplicate key; correct this first, keys were not checked yet";
        assert_eq!(printed(&text), faults);
    }

    #[test]
    fn columns_count_characters() {
        let text = "name = \"größe\" 1";
        let faults = policy_file::parse(text).unwrap_err();
        let place = &faults.as_slice()[0].place;
        assert_eq!(*place, Place::Line { line: 1, column: 16 }, "{faults}");
    }

    #[test]
    fn a_text_that_is_too_long_is_not_read() {
        let text = "#".repeat(policy_file::document::TEXT_BYTES_MAX + 1);
        let fault = "line 1, column 1: has more than 1048576 bytes; make it shorter";
        assert_eq!(printed(&text), fault);
    }

    proptest! {
        #[test]
        fn any_text_is_a_policy_or_has_faults_of_one_line_each(text in any::<String>()) {
            one_line_each(&text)?;
        }

        #[test]
        fn any_change_of_a_good_policy_is_a_policy_or_has_faults_of_one_line_each(
            start in 0..GOOD.len(),
            length in 0_usize..40,
            put in prop_oneof![
                "[\\[\\]{}=,.\"'\\\\#0-9a-z \n\r\t\u{0}-\u{1f}ü]{0,12}",
                Just("\"\"\"".to_owned()),
                any::<String>(),
            ],
        ) {
            let mut text = GOOD.to_owned();
            text.replace_range(start..(start + length).min(GOOD.len()), &put);
            one_line_each(&text)?;
        }
    }

    fn one_line_each(text: &str) -> Result<(), TestCaseError> {
        if let Err(faults) = policy_file::parse(text) {
            prop_assert!(!faults.as_slice().is_empty());
            let printed = faults.to_string();
            prop_assert_eq!(printed.lines().count(), faults.as_slice().len(), "{}", printed);
            prop_assert!(printed.lines().all(|line| line.starts_with("line ")), "{}", printed);
        }
        Ok(())
    }
}
