//! The part "Disputes".

use domain::policy::{Balance, Checkout, CloseAfter, Measures, Service, Spending, Verification};

use super::setting::{Setting, Value};

/// The measures of disputes and of chargebacks, in this order, and what goes with them.
pub(super) fn disputes(
    (on_dispute, on_chargeback): (&Measures, &Measures),
    with_open_case: Option<Measures>,
    close_after: Option<CloseAfter>,
) -> Vec<Setting> {
    let mut settings = vec![
        set("on_dispute", on_dispute, "While a dispute is open"),
        set("on_chargeback", on_chargeback, "While a chargeback is open"),
    ];
    let with_case = "Instead of both, when a refund case for the payment was open before";
    settings.extend(with_open_case.map(|measures| set("with_open_case", &measures, with_case)));
    settings.extend(close_after.map(|rule| {
        let CloseAfter { chargebacks, within_days } = rule;
        let values = [
            ("chargebacks", Value::number(chargebacks, "")),
            ("within_days", Value::number(within_days, "days")),
        ];
        let payments = match chargebacks {
            1 => "1 payment is".to_owned(),
            more => format!("{more} payments are"),
        };
        let words =
            format!("once {payments} charged back within {}", Value::number(within_days, "days"));
        let sentence = format!("An account is closed {words}.");
        Setting::new("close_after", Value::group(values, words), sentence)
    }));
    settings
}

fn set(subject: &str, measures: &Measures, when: &str) -> Setting {
    let Measures { spending, balance, checkout, verification, service } = measures;
    let all = [
        ("spending", spending_words(*spending)),
        ("balance", balance_words(*balance)),
        ("checkout", checkout_words(*checkout)),
        ("verification", verification_words(*verification)),
        ("service", service_words(*service)),
    ];
    let done: Vec<&str> = all.iter().filter_map(|(_, (_, done))| *done).collect();
    let done = if done.is_empty() { "nothing more is done".to_owned() } else { done.join("; ") };
    let values = all.map(|(name, (word, _))| (name, Value::word(word)));
    let sentence = format!("{when}, besides taking its credits: {done}.");
    Setting::new(subject, Value::group(values, done), sentence)
}

/// The word in policy files, and what is done, if anything is.
type Words = (&'static str, Option<&'static str>);

const fn spending_words(spending: Spending) -> Words {
    match spending {
        Spending::Allow => ("allow", None),
        Spending::Suspend => ("suspend", Some("new debits and holds are refused")),
    }
}

const fn balance_words(balance: Balance) -> Words {
    match balance {
        Balance::Keep => ("keep", None),
        Balance::FreezePayment => {
            ("freeze-payment", Some("what is left of the payment's credits is held"))
        }
        Balance::FreezeAccount => ("freeze-account", Some("all credits of the account are held")),
    }
}

const fn checkout_words(checkout: Checkout) -> Words {
    match checkout {
        Checkout::Open => ("open", None),
        Checkout::Limit => ("limit", Some("the storefront should limit checkout")),
    }
}

const fn verification_words(verification: Verification) -> Words {
    match verification {
        Verification::None => ("none", None),
        Verification::Require => ("require", Some("the holder must be verified")),
    }
}

const fn service_words(service: Service) -> Words {
    match service {
        Service::Normal => ("normal", None),
        Service::Restrict => ("restrict", Some("service is restricted")),
    }
}
