//! The three policies that the product ships: what their settings say of each operator's rules.

use domain::{
    credits::Credits,
    money::Currency,
    policy::{
        Balance, Checkout, CloseAfter, Measures, Policy, Returns, Service, Spending, Verification,
    },
    refunds::{Condition, Reason, ReasonVerdict, Refunds, Remedy},
    time::Timestamp,
};

const ALL_SALES_FINAL: &str = include_str!("../../../policies/all-sales-final.toml");
const CASE_BY_CASE: &str = include_str!("../../../policies/case-by-case.toml");
const UNUSED_BALANCE: &str = include_str!("../../../policies/unused-balance.toml");

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Policy {
        policy_file::parse(text).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn refunds(text: &str) -> Refunds {
        parsed(text).refunds.unwrap()
    }

    fn credits(text: &str) -> Credits {
        Credits::parse(text, 9).unwrap()
    }

    fn reason(refunds: &Refunds, name: &str) -> Reason {
        let found = refunds.reasons.iter().find(|(known, _)| known.as_str() == name);
        found.unwrap_or_else(|| panic!("{name} is no reason")).1.clone()
    }

    /// The names of the reasons with this verdict and rule, in alphabetical order.
    fn named(refunds: &Refunds, verdict: ReasonVerdict, rule: &str) -> Vec<String> {
        let reasons = refunds.reasons.iter();
        reasons
            .filter(|(_, reason)| reason.verdict == verdict && reason.rule.as_str() == rule)
            .map(|(name, _)| name.to_string())
            .collect()
    }

    fn denials(refunds: &Refunds) -> Vec<(Condition, &str)> {
        refunds.denials.iter().map(|(condition, rule)| (*condition, rule.as_str())).collect()
    }

    /// Until when a review must be done that begins at this moment.
    fn due(refunds: &Refunds, from: &str) -> String {
        let from = Timestamp::parse(from).unwrap();
        refunds.calendar.due(from, refunds.review_business_days).unwrap().to_string()
    }

    const SUSPENDED: Measures =
        Measures { spending: Spending::Suspend, checkout: Checkout::Limit, ..Measures::NONE };

    #[test]
    fn a6_all_sales_final_denies_regrets_and_reviews_what_law_asks_for() {
        let refunds = refunds(ALL_SALES_FINAL);
        let denied = [
            "accidental-purchase",
            "changed-needs",
            "dissatisfaction",
            "duplicate-purchase-by-holder",
            "failure-to-use",
            "partly-used-credits",
            "unused-credits",
        ];
        assert_eq!(named(&refunds, ReasonVerdict::Deny, "A6"), denied);
        assert_eq!(named(&refunds, ReasonVerdict::Review, "A6"), ["applicable-law"]);
        assert_eq!(reason(&refunds, "applicable-law").remedy, Remedy::Refund);
        assert_eq!(denials(&refunds), []);
    }

    #[test]
    fn a8_all_sales_final_reviews_errors_and_corrects_them_in_credits() {
        let refunds = refunds(ALL_SALES_FINAL);
        let errors = ["duplicate-charge-by-processor", "processor-error", "technical-incident"];
        assert_eq!(named(&refunds, ReasonVerdict::Review, "A8"), errors);
        assert!(errors.iter().all(|name| reason(&refunds, name).remedy == Remedy::Credits));
    }

    #[test]
    fn a7_all_sales_final_makes_debits_good() {
        assert_eq!(parsed(ALL_SALES_FINAL).usage.returns, Returns::Allow);
    }

    #[test]
    fn n1_to_n4_case_by_case_denies_reviews_and_asks() {
        let refunds = refunds(CASE_BY_CASE);
        let reviewed = [
            "accidental-duplicate-charge",
            "credits-not-delivered",
            "duplicate-charge",
            "processing-error",
            "required-by-law",
            "unauthorised-payment",
        ];
        assert_eq!(named(&refunds, ReasonVerdict::Review, "N2"), reviewed);
        let denied =
            ["consumed-by-successful-requests", "dissatisfaction", "experiments", "latency"];
        assert_eq!(named(&refunds, ReasonVerdict::Deny, "N3"), denied);
        assert_eq!(refunds.reasons.len(), reviewed.len() + denied.len());
        let denying = [(Condition::Consumed, "N1"), (Condition::Restricted, "N3")];
        assert_eq!(denials(&refunds), denying);
        let law = reason(&refunds, "required-by-law").despite;
        assert_eq!(law, [Condition::Consumed, Condition::Restricted].into());
        assert_eq!(reason(&refunds, "unauthorised-payment").within_days, Some(60));
        let facts: Vec<&str> = refunds.facts.iter().map(|fact| fact.as_str()).collect();
        assert_eq!(facts, ["amount", "currency", "email", "explanation"]);
    }

    #[test]
    fn y1_unused_balance_asks_what_each_call_was() {
        let metadata = parsed(UNUSED_BALANCE).usage.metadata;
        let names: Vec<&str> = metadata.iter().map(|name| name.as_str()).collect();
        let asked =
            ["call_time", "group", "model", "multiplier", "request_id", "request_type", "tokens"];
        assert_eq!(names, asked);
    }

    #[test]
    fn y3_and_y4_unused_balance_has_grounds_windows_and_denials() {
        let refunds = refunds(UNUSED_BALANCE);
        let late = ["abnormal-amount", "duplicate-payment", "quota-not-credited"];
        assert_eq!(named(&refunds, ReasonVerdict::Review, "Y4"), late);
        assert!(late.iter().all(|name| reason(&refunds, name).within_days == Some(180)));
        let reviewed = ["long-unavailability", "required-by-law"];
        assert_eq!(named(&refunds, ReasonVerdict::Review, "Y3"), reviewed);
        let granted = ["confirmed-by-operator", "mistaken-top-up"];
        assert_eq!(named(&refunds, ReasonVerdict::Eligible, "Y3"), granted);
        let mistaken = reason(&refunds, "mistaken-top-up");
        assert_eq!((mistaken.within_days, mistaken.unused), (Some(7), true));
        assert!(reason(&refunds, "long-unavailability").unused);
        let denied = ["gift-quota", "upstream-change", "user-caused-loss"];
        assert_eq!(named(&refunds, ReasonVerdict::Deny, "Y4"), denied);
        assert_eq!(denials(&refunds).len(), Condition::ALL.len());
        assert!(denials(&refunds).iter().all(|(_, rule)| *rule == "Y4"));
        assert_eq!(reason(&refunds, "required-by-law").despite, Condition::ALL.into());
    }

    #[test]
    fn y5_unused_balance_quotes_every_line() {
        let quote = refunds(UNUSED_BALANCE).quote;
        assert!(quote.tax && quote.gift_used && quote.promotion && quote.third_party_costs);
        assert_eq!(quote.channel_fee.unwrap().percent.to_string(), "0.6");
        assert_eq!(quote.invoice_tax.unwrap().to_string(), "6");
    }

    #[test]
    fn y7_unused_balance_reviews_in_seven_business_days_of_china() {
        let refunds = refunds(UNUSED_BALANCE);
        // The week of the National Day is free; Saturday, 10 October is worked.
        assert_eq!(due(&refunds, "2026-09-30T02:00:00Z"), "2026-10-15T16:00:00Z");
        // Sunday, 20 September is worked, and Friday the 25th is the Mid-Autumn Festival.
        assert_eq!(due(&refunds, "2026-09-18T02:00:00Z"), "2026-09-29T16:00:00Z");
    }

    #[test]
    fn a9_all_sales_final_suspends_restricts_and_closes() {
        let policy = parsed(ALL_SALES_FINAL);
        let investigated =
            Measures { spending: Spending::Suspend, service: Service::Restrict, ..Measures::NONE };
        assert_eq!(policy.name.as_str(), "all-sales-final");
        assert_eq!(policy.effective_from, Timestamp::parse("2026-06-05T00:00:00Z").unwrap());
        assert_eq!((policy.on_dispute, policy.on_chargeback), (investigated, investigated));
        assert_eq!(policy.close_after, Some(CloseAfter { chargebacks: 2, within_days: 180 }));
    }

    #[test]
    fn n6_case_by_case_sets_three_measures_each_by_itself() {
        let policy = parsed(CASE_BY_CASE);
        let three = Measures { balance: Balance::FreezePayment, ..SUSPENDED };
        assert_eq!(policy.name.as_str(), "case-by-case");
        assert_eq!((policy.on_dispute, policy.on_chargeback), (three, three));
        assert_eq!((policy.with_open_case, policy.close_after), (None, None));
        assert!(policy.settle_owed);
    }

    #[test]
    fn y2_and_y9_unused_balance_has_its_rate_and_is_milder_with_an_open_case() {
        let policy = parsed(UNUSED_BALANCE);
        let verified = Measures {
            spending: Spending::Suspend,
            balance: Balance::FreezeAccount,
            verification: Verification::Require,
            ..Measures::NONE
        };
        let chargeback =
            Measures { checkout: Checkout::Limit, service: Service::Restrict, ..verified };
        assert_eq!(policy.name.as_str(), "unused-balance");
        assert_eq!((policy.unit.as_str(), policy.decimals), ("USD", 6));
        assert_eq!(policy.rates, [(Currency::new("CNY").unwrap(), credits("1"))].into());
        assert_eq!((policy.on_dispute, policy.on_chargeback), (verified, chargeback));
        let milder = Measures { balance: Balance::FreezePayment, ..Measures::NONE };
        assert_eq!(policy.with_open_case, Some(milder));
    }
}
