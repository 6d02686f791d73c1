//! Transactions: statuses, baskets, accounts and amounts.

use domain::{
    ids::{AccountId, Text},
    money::{Currency, Minor},
    notice::{Progress, Purchase},
};

use super::*;

pub(super) fn data() -> Value {
    json!({
        "id": "txn_1",
        "status": "completed",
        "customer_id": "ctm_1",
        "custom_data": {"account_id": "acct-1"},
        "currency_code": "USD",
        "details": {
            "totals": {
                "subtotal": "3000", "discount": "500", "tax": "250", "total": "2750",
                "currency_code": "USD",
            },
            "line_items": [
                {"id": "txnitm_1", "price_id": "pri_1", "quantity": 2,
                 "totals": {"subtotal": "2000", "discount": "500"}},
                {"id": "txnitm_2", "price": {"id": "pri_2"}, "quantity": 1,
                 "totals": {"subtotal": "1000", "discount": "0"}},
            ],
        },
    })
}

fn deliver_data(data: &Value) -> Delivery {
    deliver(&event("transaction.updated", data))
}

fn purchase(data: &Value) -> Purchase {
    match deliver_data(data).notice.unwrap() {
        Notice::Purchase(purchase) => purchase,
        other @ (Notice::Adjustment(_) | Notice::Nothing) => panic!("{other:?}"),
    }
}

fn minor(amount: i64) -> Minor {
    Minor::new(amount).unwrap()
}

#[test]
fn a_completed_transaction_gives_its_basket() {
    let delivery = deliver_data(&data());
    assert_eq!(&*delivery.event_type.clone().unwrap(), "transaction.updated");
    assert_eq!(delivery.occurred_at, Timestamp::parse("2024-04-12T10:18:49.738971Z"));
    let purchase = purchase(&data());
    assert_eq!(purchase.payment.id.as_str(), "txn_1");
    assert_eq!(purchase.payment.origin.as_str(), "paddle");
    assert_eq!(Some(purchase.occurred_at), delivery.occurred_at);
    assert_eq!(purchase.customer.unwrap().as_str(), "ctm_1");
    assert_eq!(purchase.account.unwrap().as_str(), "acct-1");
    let Progress::Completed(basket) = purchase.progress else { panic!("not completed") };
    assert_eq!(basket.currency, Currency::new("USD").unwrap());
    assert_eq!((basket.subtotal, basket.discount), (minor(3000), minor(500)));
    assert_eq!((basket.tax, basket.total), (minor(250), minor(2750)));
    let lines: Vec<_> = basket
        .lines
        .iter()
        .map(|line| {
            let price = line.price.as_ref().unwrap().as_str();
            (line.item.as_str(), price, line.quantity, line.subtotal.get(), line.discount.get())
        })
        .collect();
    assert_eq!(lines, [("txnitm_1", "pri_1", 2, 2000, 500), ("txnitm_2", "pri_2", 1, 1000, 0)]);
}

#[test]
fn only_paid_and_completed_are_money() {
    for status in
        ["draft", "ready", "billed", "canceled", "past_due", "paid", "completed", "disputed"]
    {
        let progress = purchase(&with(data(), "/status", Some(json!(status)))).progress;
        match (status, progress) {
            ("paid", Progress::Paid(basket)) | ("completed", Progress::Completed(basket)) => {
                assert_eq!(basket.lines.len(), 2);
            }
            (_, Progress::Unpaid(text)) => assert_eq!(text, Text::new(status).unwrap()),
            (_, other) => panic!("{status}: {other:?}"),
        }
    }
}

#[test]
fn before_the_money_totals_may_be_missing_but_not_wrong() {
    let draft = with(data(), "/status", Some(json!("draft")));
    for pointer in ["/details", "/details/totals", "/details/totals/tax", "/currency_code"] {
        purchase(&with(draft.clone(), pointer, None));
        purchase(&with(draft.clone(), pointer, Some(Value::Null)));
    }
    let wrong = with(draft.clone(), "/details/totals/tax", Some(json!("2.50")));
    assert_eq!(fault(&deliver_data(&wrong)).0, UnreadableFault::AmountInvalid);
    let wrong = with(draft, "/details/totals/currency_code", Some(json!("XYZ")));
    assert_eq!(fault(&deliver_data(&wrong)).0, UnreadableFault::UnknownCurrency);
}

#[test]
fn amounts_are_integers_in_strings_and_nothing_else() {
    for amount in [
        json!("10.00"),
        json!("1e3"),
        json!("+1"),
        json!(" 1"),
        json!(""),
        json!(1000),
        json!(10.5),
        json!(true),
        json!([]),
        json!({}),
        json!("100000000000001"),
        json!("ten"),
    ] {
        for pointer in [
            "/details/totals/subtotal",
            "/details/totals/discount",
            "/details/totals/tax",
            "/details/totals/total",
        ] {
            let delivery = deliver_data(&with(data(), pointer, Some(amount.clone())));
            let rule = "must be an integer in a string and within the range of amounts";
            let detail = format!("/data{pointer} {rule}");
            assert_eq!(fault(&delivery), (UnreadableFault::AmountInvalid, &*detail), "{amount}");
        }
    }
}

#[test]
fn a_fault_in_a_line_names_the_line_and_not_what_stood_there() {
    let mut wrong = data();
    wrong["details"]["line_items"][1]["totals"]["subtotal"] = json!("12.34");
    let delivery = deliver_data(&wrong);
    let (kind, detail) = fault(&delivery);
    assert_eq!(kind, UnreadableFault::AmountInvalid);
    assert!(detail.starts_with("/data/details/line_items/1/totals/subtotal must"), "{detail}");
    assert!(!detail.contains("12.34"));
}

#[test]
fn amounts_keep_their_sign_and_zero_decimal_currencies_their_units() {
    let yen = with(data(), "/currency_code", Some(json!("JPY")));
    let yen = with(yen, "/details/totals/currency_code", Some(json!("JPY")));
    let yen = with(yen, "/details/totals/subtotal", Some(json!("-3000")));
    let Progress::Completed(basket) = purchase(&yen).progress else { panic!("not completed") };
    assert_eq!((basket.currency.decimals(), basket.subtotal), (0, minor(-3000)));
}

#[test]
fn a_currency_that_we_do_not_know_is_never_guessed() {
    for code in ["XXX", "usd", "US", "BHD"] {
        let delivery = deliver_data(&with(data(), "/currency_code", Some(json!(code))));
        assert_eq!(fault(&delivery).0, UnreadableFault::UnknownCurrency, "{code}");
    }
    let two = with(data(), "/details/totals/currency_code", Some(json!("EUR")));
    assert_eq!(fault(&deliver_data(&two)).0, UnreadableFault::Malformed);
    purchase(&with(data(), "/currency_code", None));
}

#[test]
fn what_every_paid_transaction_has_must_be_there() {
    for pointer in [
        "/id",
        "/status",
        "/details",
        "/details/totals",
        "/details/totals/subtotal",
        "/details/totals/discount",
        "/details/totals/tax",
        "/details/totals/total",
        "/details/line_items",
    ] {
        for missing in [None, Some(Value::Null)] {
            let delivery = deliver_data(&with(data(), pointer, missing));
            assert_eq!(fault(&delivery).0, UnreadableFault::Malformed, "{pointer}");
        }
    }
    for (pointer, wrong) in [
        ("/id", json!(7)),
        ("/id", json!("x".repeat(256))),
        ("/status", json!({})),
        ("/customer_id", json!(7)),
        ("/details/line_items", json!({})),
        ("/details/line_items", json!([null])),
        ("/details/line_items", json!([{"id": "a"}])),
    ] {
        let delivery = deliver_data(&with(data(), pointer, Some(wrong)));
        assert_eq!(fault(&delivery).0, UnreadableFault::Malformed, "{pointer}");
    }
}

#[test]
fn a_quantity_is_a_whole_number() {
    for quantity in [json!("2"), json!(1.5), json!(-1), json!(4_294_967_296_u64), Value::Null] {
        let mut wrong = data();
        wrong["details"]["line_items"][0]["quantity"] = quantity.clone();
        assert_eq!(fault(&deliver_data(&wrong)).0, UnreadableFault::Malformed, "{quantity}");
    }
}

#[test]
fn the_first_pointer_that_names_an_account_wins() {
    let long = "a".repeat(129);
    for (named, account) in [
        (json!("acct-9"), "acct-9"),
        (json!(42), "42"),
        (json!(-7), "-7"),
        (json!(""), "ctm_1"),
        (Value::Null, "ctm_1"),
        (json!(4.5), "ctm_1"),
        (json!(true), "ctm_1"),
        (json!({"a": 1}), "ctm_1"),
        (json!(long), "ctm_1"),
        (json!("a".repeat(128)), &long[..128]),
    ] {
        let data = with(data(), "/custom_data/account_id", Some(named.clone()));
        let account = AccountId::new(account).unwrap();
        assert_eq!(purchase(&data).account, Some(account), "{named}");
    }
    let nobody = with(with(data(), "/custom_data", Some(Value::Null)), "/customer_id", None);
    assert_eq!((purchase(&nobody).account, purchase(&nobody).customer), (None, None));
}
