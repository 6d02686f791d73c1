//! Policies that are right: the design's example and the three that the product ships.

use domain::{
    credits::Credits,
    ids::{PriceId, Text},
    input::LotKind,
    money::Currency,
    policy::{
        Balance, Checkout, CloseAfter, Measures, Policy, PriceCredits, Service, Shortfall,
        Spending, Unlisted, Verification,
    },
    time::Timestamp,
};

const EXAMPLE: &str = r#"
name = "unused-balance"
version = 1
effective_from = "2026-07-03T00:00:00Z"

[credits]
unit = "USD"
decimals = 6
rates = { CNY = "1", USD = "7.1" }                     # credits for one major unit of money
prices = [ { price = "pri_1", paid = "1000", gift = "100" } ]   # per item, wins over rates
unlisted = "ignore"                                    # ignore, rate

[spending]
order = ["gift", "paid"]

[reversal]
shortfall = "owed"                                     # owed, write-off
settle_owed = true

[measures]
on_dispute     = { spending = "suspend", balance = "freeze-payment", checkout = "limit" }
on_chargeback  = { spending = "suspend", balance = "freeze-account", checkout = "limit" }
with_open_case = { balance = "freeze-payment" }        # replaces both
close_after    = { chargebacks = 2, within_days = 180 }

[refunds]                                              # reasons, verdicts, windows
"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Policy {
        policy_file::parse(text).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn example_with(written: &str, other: &str) -> Policy {
        assert!(EXAMPLE.contains(written), "{written}");
        parsed(&EXAMPLE.replace(written, other))
    }

    fn credits(text: &str) -> Credits {
        Credits::parse(text, 9).unwrap()
    }

    const SUSPENDED: Measures =
        Measures { spending: Spending::Suspend, checkout: Checkout::Limit, ..Measures::NONE };

    #[test]
    fn the_design_s_example_becomes_the_domain_s_policy() {
        let frozen = Measures { balance: Balance::FreezePayment, ..Measures::NONE };
        let price = PriceCredits { paid: credits("1000"), gift: credits("100") };
        let expected = Policy {
            name: Text::new("unused-balance").unwrap(),
            version: 1,
            effective_from: Timestamp::parse("2026-07-03T00:00:00Z").unwrap(),
            unit: Text::new("USD").unwrap(),
            decimals: 6,
            rates: [("CNY", "1"), ("USD", "7.1")]
                .map(|(code, rate)| (Currency::new(code).unwrap(), credits(rate)))
                .into(),
            prices: [(PriceId::new("pri_1").unwrap(), price)].into(),
            unlisted: Unlisted::Ignore,
            spend_first: LotKind::Gift,
            shortfall: Shortfall::Owed,
            settle_owed: true,
            on_dispute: Measures { balance: Balance::FreezePayment, ..SUSPENDED },
            on_chargeback: Measures { balance: Balance::FreezeAccount, ..SUSPENDED },
            with_open_case: Some(frozen),
            close_after: Some(CloseAfter { chargebacks: 2, within_days: 180 }),
        };
        assert_eq!(parsed(EXAMPLE), expected);
    }

    #[test]
    fn a_policy_without_measures_does_nothing_but_take() {
        let (text, _) = EXAMPLE.split_once("[measures]").unwrap();
        let policy = parsed(text);
        assert_eq!((policy.on_dispute, policy.on_chargeback), (Measures::NONE, Measures::NONE));
        assert_eq!((policy.with_open_case, policy.close_after), (None, None));
    }

    #[test]
    fn every_way_to_write_a_moment_is_the_same_moment() {
        for written in [
            "2026-07-03T00:00:00Z",
            "2026-07-03 00:00:00z",
            "2026-07-03T08:00:00+08:00",
            "2026-07-02T23:59:59.999999999Z",
        ] {
            let toml = example_with("\"2026-07-03T00:00:00Z\"", written);
            if !written.contains(' ') {
                let text = example_with("2026-07-03T00:00:00Z", written);
                assert_eq!(text.effective_from, toml.effective_from, "{written}");
            }
            assert!(toml.effective_from.to_string().starts_with("2026-07-0"), "{written}");
            let near = toml.effective_from.micros() - parsed(EXAMPLE).effective_from.micros();
            assert!((-1..=0).contains(&near), "{written}: {near}");
        }
    }

    #[test]
    fn other_settings_than_the_example_s_are_understood() {
        let policy = example_with("\"ignore\"", "\"rate\"");
        assert_eq!(policy.unlisted, Unlisted::Rate);
        let policy = example_with("[\"gift\", \"paid\"]", "[\"paid\", \"gift\"]");
        assert_eq!(policy.spend_first, LotKind::Paid);
        let policy = example_with("shortfall = \"owed\"", "shortfall = \"write-off\"");
        assert_eq!(policy.shortfall, Shortfall::WriteOff);
        let policy = example_with("USD = \"7.1\"", "USD = 7");
        assert_eq!(policy.rates[&Currency::new("USD").unwrap()], credits("7"));
        let policy = example_with(", gift = \"100\"", "");
        assert_eq!(policy.prices[&PriceId::new("pri_1").unwrap()].gift, Credits::ZERO);
        let policy = example_with("\nunlisted", "\n# unlisted");
        assert_eq!(policy.unlisted, Unlisted::Ignore);
        let policy = example_with(
            "{ balance = \"freeze-payment\" }",
            "{ spending = \"allow\", balance = \"keep\", checkout = \"open\", verification = \"none\", service = \"normal\" }",
        );
        assert_eq!(policy.with_open_case, Some(Measures::NONE));
    }

    #[test]
    fn a_policy_can_have_prices_alone_or_rates_alone() {
        assert!(example_with("\nrates", "\n# rates").rates.is_empty());
        assert!(example_with("\nprices", "\n# prices").prices.is_empty());
    }

    #[test]
    fn a9_all_sales_final_suspends_restricts_and_closes() {
        let policy = parsed(include_str!("../../../policies/all-sales-final.toml"));
        let investigated =
            Measures { spending: Spending::Suspend, service: Service::Restrict, ..Measures::NONE };
        assert_eq!(policy.name.as_str(), "all-sales-final");
        assert_eq!(policy.effective_from, Timestamp::parse("2026-06-05T00:00:00Z").unwrap());
        assert_eq!((policy.on_dispute, policy.on_chargeback), (investigated, investigated));
        assert_eq!(policy.close_after, Some(CloseAfter { chargebacks: 2, within_days: 180 }));
    }

    #[test]
    fn n6_case_by_case_sets_three_measures_each_by_itself() {
        let policy = parsed(include_str!("../../../policies/case-by-case.toml"));
        let three = Measures { balance: Balance::FreezePayment, ..SUSPENDED };
        assert_eq!(policy.name.as_str(), "case-by-case");
        assert_eq!((policy.on_dispute, policy.on_chargeback), (three, three));
        assert_eq!((policy.with_open_case, policy.close_after), (None, None));
        assert!(policy.settle_owed);
    }

    #[test]
    fn y2_and_y9_unused_balance_has_its_rate_and_is_milder_with_an_open_case() {
        let policy = parsed(include_str!("../../../policies/unused-balance.toml"));
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
