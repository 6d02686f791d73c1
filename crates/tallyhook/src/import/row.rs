//! One line of an import: which columns there are, and what its texts must be.

use std::{collections::BTreeMap, fmt};

use domain::{
    credits::{CREDITS_MAX, CreditFault, Credits, DECIMALS_MAX},
    holding::Pair,
    ids::{AccountId, IdFault, PaymentId},
    money::{Currency, MajorFault, Minor},
    time::Timestamp,
};

use super::fault::Fault;

/// A column of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    /// The customer's account.
    Account,
    /// The processor's id of the payment; empty for a gift.
    Payment,
    /// When it was paid, in RFC 3339.
    PaidAt,
    /// The currency of the money.
    Currency,
    /// What was paid, net, in major units.
    Amount,
    /// The tax on top.
    Tax,
    /// The paid credits that it gave.
    PaidGranted,
    /// What is left of them.
    PaidLeft,
    /// The gift credits that it gave.
    GiftGranted,
    /// What is left of them.
    GiftLeft,
}

impl Column {
    /// All columns, as the documentation lists them.
    pub(super) const ALL: [Self; 10] = [
        Self::Account,
        Self::Payment,
        Self::PaidAt,
        Self::Currency,
        Self::Amount,
        Self::Tax,
        Self::PaidGranted,
        Self::PaidLeft,
        Self::GiftGranted,
        Self::GiftLeft,
    ];

    /// The name in the file's first line.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Payment => "payment",
            Self::PaidAt => "paid_at",
            Self::Currency => "currency",
            Self::Amount => "amount",
            Self::Tax => "tax",
            Self::PaidGranted => "paid_granted",
            Self::PaidLeft => "paid_left",
            Self::GiftGranted => "gift_granted",
            Self::GiftLeft => "gift_left",
        }
    }

    /// Whether a file can do without it.
    pub(super) const fn is_optional(self) -> bool {
        match self {
            Self::Tax | Self::GiftGranted | Self::GiftLeft => true,
            Self::Account
            | Self::Payment
            | Self::PaidAt
            | Self::Currency
            | Self::Amount
            | Self::PaidGranted
            | Self::PaidLeft => false,
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A line that can be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Where it stands in the file; with the file's digest it is the command's key.
    pub(super) line: u64,
    pub(super) account: AccountId,
    pub(super) balance: Balance,
}

/// What a line brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Balance {
    /// A payment with the credits that it gave and what is left of them.
    Payment(Box<PaymentBalance>),
    /// Gift credits that no payment stands for.
    Gift(Credits),
}

/// A payment from before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PaymentBalance {
    pub(super) id: PaymentId,
    pub(super) paid_at: Timestamp,
    pub(super) currency: Currency,
    pub(super) net: Minor,
    pub(super) tax: Minor,
    pub(super) granted: Pair,
    pub(super) left: Pair,
}

impl Row {
    /// What is left, by kind.
    pub(super) fn left(&self) -> Pair {
        match &self.balance {
            Balance::Payment(payment) => payment.left,
            Balance::Gift(amount) => Pair { paid: Credits::ZERO, gift: *amount },
        }
    }
}

/// What the file is checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    /// The decimals of the ledger's credits.
    pub(super) decimals: u8,
    pub(super) now: Timestamp,
}

/// The texts of a line by column. A column that the file lacks although it must not, or whose text
/// is none, has none here: that is a fault of its own.
pub(super) struct Texts<'t> {
    pub(super) line: u64,
    pub(super) texts: BTreeMap<Column, &'t str>,
}

impl<'t> Texts<'t> {
    fn get(&self, column: Column) -> Option<&'t str> {
        let text = self.texts.get(&column).copied();
        text.or_else(|| column.is_optional().then_some(""))
    }
}

/// Reads a line; everything that is wrong with it joins `faults`.
pub(super) fn read(mut texts: Texts<'_>, measure: Measure, faults: &mut Vec<Fault>) -> Option<Row> {
    let before = faults.len();
    let line = texts.line;
    texts.texts.retain(|column, text| plain(line, *column, text, faults));
    let is_gift = texts.get(Column::Payment).is_some_and(str::is_empty);
    let mut reader = Reader { texts: &texts, measure, faults };
    let account = reader.id(Column::Account, AccountId::new);
    let balance = if is_gift { reader.gift() } else { reader.payment() };
    let (account, balance) = (account?, balance?);
    (faults.len() == before).then_some(Row { line, account, balance })
}

/// Blanks and line breaks are never meant: they would make another account of the same name.
fn plain(line: u64, column: Column, text: &str, faults: &mut Vec<Fault>) -> bool {
    if text.chars().any(char::is_control) {
        let remedy = "take it out, or look for a quote that is never closed";
        let problem = "has a line break or another control character";
        faults.push(Fault::at(line, column, problem, remedy));
        return false;
    }
    if text.trim() != text {
        faults.push(Fault::at(line, column, "has blanks around it", "take them out"));
        return false;
    }
    true
}

/// Takes typed values from a line's texts and collects what is wrong.
struct Reader<'r, 't> {
    texts: &'r Texts<'t>,
    measure: Measure,
    faults: &'r mut Vec<Fault>,
}

impl<'t> Reader<'_, 't> {
    fn fault(&mut self, column: Column, problem: impl Into<String>, remedy: impl Into<String>) {
        self.faults.push(Fault::at(self.texts.line, column, problem, remedy));
    }

    /// A text that may be empty; none where the file lacks a column that it must have.
    fn text(&self, column: Column) -> Option<&'t str> {
        self.texts.get(column)
    }

    /// A text that must be there.
    fn required(&mut self, column: Column) -> Option<&'t str> {
        let text = self.text(column)?;
        if text.is_empty() {
            self.fault(column, "is empty", "fill it in");
            return None;
        }
        Some(text)
    }

    fn id<T>(&mut self, column: Column, new: fn(&str) -> Result<T, IdFault>) -> Option<T> {
        let text = self.required(column)?;
        match new(text) {
            Ok(id) => Some(id),
            Err(fault) => {
                self.fault(
                    column,
                    format!("{fault}"),
                    "write it as the processor or the platform does",
                );
                None
            }
        }
    }

    fn payment(&mut self) -> Option<Balance> {
        let id = self.id(Column::Payment, PaymentId::new);
        let paid_at = self.required(Column::PaidAt).and_then(|text| self.moment(text));
        let currency = self.required(Column::Currency).and_then(|text| self.currency(text));
        let net = self.required(Column::Amount);
        let net = net.and_then(|text| self.money(Column::Amount, text, currency));
        if net == Some(Minor::ZERO) {
            self.fault(Column::Amount, "is zero", "write what was paid, or leave the line out");
        }
        let tax = self.text(Column::Tax).unwrap_or_default();
        let tax =
            if tax.is_empty() { Some(Minor::ZERO) } else { self.money(Column::Tax, tax, currency) };
        let granted = self.required(Column::PaidGranted);
        let granted = granted.and_then(|text| self.credits(Column::PaidGranted, text));
        if granted == Some(Credits::ZERO) {
            let remedy = "write the paid credits that the payment gave; a gift without a payment \
                          leaves payment empty";
            self.fault(Column::PaidGranted, "is zero", remedy);
        }
        let left = self.required(Column::PaidLeft);
        let left = left.and_then(|text| self.credits(Column::PaidLeft, text));
        self.at_most(Column::PaidLeft, left, Column::PaidGranted, granted);
        let (gift_granted, gift_left) = self.gifts();
        Some(Balance::Payment(Box::new(PaymentBalance {
            id: id?,
            paid_at: paid_at?,
            currency: currency?,
            net: net?,
            tax: tax?,
            granted: Pair { paid: granted?, gift: gift_granted? },
            left: Pair { paid: left?, gift: gift_left? },
        })))
    }

    /// A line without a payment: no money, no paid credits, only a gift.
    fn gift(&mut self) -> Option<Balance> {
        for column in [Column::PaidGranted, Column::PaidLeft] {
            let amount = self.optional(column);
            if amount.is_some_and(Credits::is_positive) {
                let remedy = "paid credits belong to a payment: fill in payment";
                self.fault(column, "is above zero in a line without a payment", remedy);
            }
        }
        for column in [Column::Amount, Column::Tax] {
            let text = self.text(column).unwrap_or_default();
            let zero = Credits::parse(text, DECIMALS_MAX) == Ok(Credits::ZERO);
            if !text.is_empty() && !zero {
                let remedy = "money belongs to a payment: fill in payment, or leave it empty";
                self.fault(column, "is money in a line without a payment", remedy);
            }
        }
        let (granted, left) = self.gifts();
        let (_, left) = (granted?, left?);
        if left == Credits::ZERO {
            let remedy = "leave the line out: nothing of it is left, and no payment stands for it";
            self.fault(Column::GiftLeft, "is zero in a line without a payment", remedy);
        }
        Some(Balance::Gift(left))
    }

    fn gifts(&mut self) -> (Option<Credits>, Option<Credits>) {
        let granted = self.optional(Column::GiftGranted);
        let left = self.optional(Column::GiftLeft);
        self.at_most(Column::GiftLeft, left, Column::GiftGranted, granted);
        (granted, left)
    }

    fn at_most(
        &mut self,
        column: Column,
        left: Option<Credits>,
        other: Column,
        granted: Option<Credits>,
    ) {
        if let (Some(left), Some(granted)) = (left, granted)
            && left > granted
        {
            self.fault(column, format!("is above {other}"), "no more can be left than was given");
        }
    }

    fn moment(&mut self, text: &str) -> Option<Timestamp> {
        match Timestamp::parse(text) {
            Some(moment) if moment <= self.measure.now => Some(moment),
            Some(_) => {
                self.fault(Column::PaidAt, "is in the future", "write when it was paid");
                None
            }
            None => {
                let remedy = "write it with its offset, such as 2024-12-31T23:59:00Z";
                self.fault(Column::PaidAt, "is no moment in RFC 3339", remedy);
                None
            }
        }
    }

    fn currency(&mut self, text: &str) -> Option<Currency> {
        let known = Currency::new(text);
        if known.is_none() {
            let remedy = "write the ISO 4217 code in upper case, such as USD";
            self.fault(Column::Currency, "is no currency that the ledger knows", remedy);
        }
        known
    }

    /// An amount of a currency; where that is not known, only what is wrong in any currency.
    fn money(&mut self, column: Column, text: &str, currency: Option<Currency>) -> Option<Minor> {
        let assumed = currency.or_else(|| Currency::new("USD"))?;
        let fault = match Minor::parse_major(text, assumed) {
            Ok(amount) => return Some(amount),
            Err(fault) => fault,
        };
        match fault {
            MajorFault::NotDecimal => self.not_decimal(column),
            MajorFault::TooPrecise { decimals } => {
                if currency.is_some() {
                    let problem = format!("has more decimals than {assumed}, which has {decimals}");
                    self.fault(column, problem, "write the amount as it was charged");
                }
            }
            MajorFault::TooLarge => self.fault(column, "is too large", "check the amount"),
        }
        None
    }

    /// Credits that may be left out, which is zero.
    fn optional(&mut self, column: Column) -> Option<Credits> {
        match self.text(column).unwrap_or_default() {
            "" => Some(Credits::ZERO),
            text => self.credits(column, text),
        }
    }

    fn credits(&mut self, column: Column, text: &str) -> Option<Credits> {
        let fault = match Credits::parse(text, self.measure.decimals) {
            Ok(amount) if amount >= Credits::ZERO => return Some(amount),
            Ok(_) => {
                self.fault(
                    column,
                    "is below zero",
                    "write zero or more; what is owed is no balance",
                );
                return None;
            }
            Err(fault) => fault,
        };
        match fault {
            CreditFault::NotDecimal => self.not_decimal(column),
            CreditFault::TooPrecise { decimals } => {
                let problem =
                    format!("has more decimals than the ledger's credits, which have {decimals}");
                self.fault(column, problem, "round it");
            }
            CreditFault::TooLarge => {
                self.fault(column, "is too large", format!("write at most {CREDITS_MAX}"));
            }
        }
        None
    }

    fn not_decimal(&mut self, column: Column) {
        let remedy = "write it such as 12.5, without a sign, separators or a currency";
        self.fault(column, "is no plain decimal number", remedy);
    }
}
