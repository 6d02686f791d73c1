//! What gateways and operators ask of a ledger.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    account::DisputeCause,
    case::Application,
    ids::{AccountId, IdempotencyKey, OperationId},
    input::{LotKind, Order, Usage},
    payment::Conclusion,
    policy::{Balance, Checkout, Measures, Service, Spending, Verification},
    usage::Metadata,
};

use super::{
    Told,
    bodies::Sale,
    story::{Due, Story, payment, thousandths},
};
use crate::history::{ledger, text};

const DAY: i64 = 86_400;

impl Story {
    /// A command with a key of its own.
    pub(super) fn order(&mut self, order: Order) -> Told {
        let number = self.number();
        Told::Order { key: key(number), order }
    }

    /// Something that a gateway or an operator asks.
    pub(super) fn ordered(&mut self) -> Told {
        let Some(account) = self.account() else {
            let order = self.grant("acct-000000");
            return self.order(order);
        };
        let order = match self.dice.below(1_000) {
            0..850 => self.debit(&account),
            850..900 => return self.hold(&account),
            900..940 => self.grant(&account),
            940..975 => self.give_back(&account),
            975..982 => return self.freeze(&account),
            982..990 => Order::WriteOff {
                account: id(&account),
                amount: None,
                reason: text("not worth asking for"),
            },
            _ => return self.open_case(&account),
        };
        self.order(order)
    }

    fn debit(&mut self, account: &str) -> Order {
        let happened = self.dice.chance(2);
        Order::Debit {
            account: id(account),
            amount: thousandths(self.dice.between(1, if happened { 90_000 } else { 2_000 })),
            usage: if happened { Usage::AlreadyHappened } else { Usage::Asked },
            metadata: self.metadata(),
        }
    }

    /// What a call says of itself (Y1).
    fn metadata(&mut self) -> Metadata {
        let number = self.number();
        let model = self.dice.pick(&["large", "small", "embed"]);
        let tokens = self.dice.between(1, 8_000);
        let entries = [
            ("request_id", format!("\"req-{number}\"")),
            ("model", format!("\"{model}\"")),
            ("group", "\"default\"".to_owned()),
            ("tokens", tokens.to_string()),
            ("call_time", format!("\"{}\"", self.now)),
        ];
        let entries = entries.map(|(name, value)| (text(name), Arc::from(value)));
        Metadata::new(BTreeMap::from(entries)).expect("there are few entries")
    }

    /// A hold, and how it ends.
    fn hold(&mut self, account: &str) -> Told {
        let number = self.number();
        let hold = operation(number);
        let most = self.dice.between(100, 5_000);
        let order = Order::Hold {
            account: id(account),
            amount: thousandths(most),
            expires_in_seconds: 7 * 86_400,
        };
        let account = id(account);
        match self.dice.below(10) {
            0..7 => {
                let amount = thousandths(self.dice.between(1, most));
                let metadata = self.metadata();
                self.later(60, Due::Order(Order::Capture { account, hold, amount, metadata }));
            }
            7..9 => self.later(90, Due::Order(Order::ReleaseHold { account, hold })),
            _ => self.later(8 * DAY, Due::Order(Order::ExpireHold { account, hold })),
        }
        Told::Order { key: key(number), order }
    }

    fn grant(&mut self, account: &str) -> Order {
        let kind = if self.dice.chance(80) { LotKind::Gift } else { LotKind::Paid };
        Order::Grant {
            account: id(account),
            amount: thousandths(self.dice.between(1, 50_000)),
            kind,
            label: Some(text(self.dice.pick(&["coupon", "campaign", "test", "compensation"]))),
            reason: text("a gift"),
        }
    }

    /// A return of some debit, or else a grant.
    fn give_back(&mut self, account: &str) -> Order {
        if self.debits.is_empty() {
            return self.grant(account);
        }
        let index = self.dice.below(self.debits.len());
        let (debit, usage) = self.debits.swap_remove(index);
        let reason = text("the call failed");
        Order::Return { account: usage.account, debit, amount: usage.amount, reason }
    }

    /// A freeze by an operator, which ends after some days.
    fn freeze(&mut self, account: &str) -> Told {
        let number = self.number();
        let freeze = operation(number);
        let days = self.dice.between(1, 20);
        self.later(days * DAY, Due::Order(Order::Unfreeze { account: id(account), freeze }));
        let measures = Measures {
            spending: Spending::Suspend,
            balance: self.dice.pick(&[Balance::Keep, Balance::FreezeAccount]),
            checkout: Checkout::Open,
            verification: Verification::None,
            service: Service::Normal,
        };
        let order = Order::Freeze { account: id(account), reason: text("looked into"), measures };
        Told::Order { key: key(number), order }
    }

    /// A refund case, and what becomes of it.
    fn open_case(&mut self, account: &str) -> Told {
        let Some(sale) = self.sale() else {
            let order = self.grant(account);
            return self.order(order);
        };
        let number = self.number();
        let (case, days) = (operation(number), self.dice.between(1, 15));
        let decided = if self.dice.chance(70) {
            Order::ApproveCase { case, remedy: None, note: None }
        } else {
            Order::DenyCase { case, note: text("the calls were made") }
        };
        self.later(days * DAY, Due::Order(decided));
        let order = Order::OpenCase {
            account: id(&sale.account),
            payment: payment(&sale),
            reason: text(self.dice.pick(&["mistaken-top-up", "unhappy", "unavailability"])),
            application: Application::EMPTY,
        };
        self.in_case(sale);
        Told::Order { key: key(number), order }
    }

    /// What an operator says of a dispute that nobody won.
    pub(super) fn concludes(&mut self, sale: &Sale, cause: DisputeCause, days: i64) {
        let order = Order::ConcludeDispute {
            payment: payment(sale),
            cause,
            conclusion: self.dice.pick(&[Conclusion::Lost, Conclusion::Settled]),
            reason: text("the time is over"),
        };
        self.later((days + 30) * DAY, Due::Order(order));
    }
}

fn id(account: &str) -> AccountId {
    AccountId::new(account).expect("the id is short")
}

fn key(number: u64) -> String {
    format!("key-{number}")
}

/// The id of what the command with this number makes.
fn operation(number: u64) -> OperationId {
    let key = IdempotencyKey::new(&key(number)).expect("the key is short");
    OperationId::of(&ledger(), &key)
}
