//! What a step can do: the commands and questions of the API, and the processor's events.
//!
//! One table says for each which fields it has; a field whose name stands in the path goes there,
//! any other into the body of a command or the query of a question.

/// How a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Delete,
}

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text; a whole number is taken as its digits.
    Text,
    /// A whole number.
    Whole,
    /// True or false.
    Flag,
    /// The name that an earlier step gave with `as`, or an id as the API shows it.
    Named,
    /// A table as it stands.
    Table,
    /// A table of amounts or texts.
    Texts,
    /// A list of what a purchase is of.
    Items,
}

/// A field of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
}

const fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true }
}

const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false }
}

/// A command or a question.
#[derive(Debug)]
pub(super) struct Form {
    /// The step's key.
    pub(super) key: &'static str,
    pub(super) method: Method,
    /// Below the ledger; `{field}` stands for a field.
    pub(super) path: &'static str,
    pub(super) fields: &'static [Field],
}

const fn post(key: &'static str, path: &'static str, fields: &'static [Field]) -> Form {
    Form { key, method: Method::Post, path, fields }
}

const fn get(key: &'static str, path: &'static str, fields: &'static [Field]) -> Form {
    Form { key, method: Method::Get, path, fields }
}

const ACCOUNT: Field = must("account", Kind::Text);
const PAYMENT: Field = must("payment", Kind::Text);
const AMOUNT: Field = must("amount", Kind::Text);
const REASON: Field = must("reason", Kind::Text);
const CASE: Field = must("case", Kind::Named);
const HOLD: Field = must("hold", Kind::Named);
const FREEZE: Field = must("freeze", Kind::Named);
const FACTS: Field = must("facts", Kind::Texts);

/// All commands and questions.
pub(super) const FORMS: &[Form] = &[
    // Spending.
    post(
        "debit",
        "accounts/{account}/debits",
        &[ACCOUNT, AMOUNT, may("metadata", Kind::Table), may("already_happened", Kind::Flag)],
    ),
    post(
        "hold",
        "accounts/{account}/holds",
        &[ACCOUNT, AMOUNT, must("expires_in_seconds", Kind::Whole)],
    ),
    post(
        "capture",
        "accounts/{account}/holds/{hold}/capture",
        &[ACCOUNT, HOLD, AMOUNT, may("metadata", Kind::Table)],
    ),
    post("release", "accounts/{account}/holds/{hold}/release", &[ACCOUNT, HOLD]),
    post(
        "return",
        "accounts/{account}/returns",
        &[ACCOUNT, must("debit", Kind::Named), AMOUNT, REASON],
    ),
    // Operators.
    post(
        "grant",
        "accounts/{account}/grants",
        &[ACCOUNT, AMOUNT, must("kind", Kind::Text), may("label", Kind::Text), REASON],
    ),
    post("freeze", "accounts/{account}/freezes", &[ACCOUNT, REASON, must("measures", Kind::Table)]),
    Form {
        key: "unfreeze",
        method: Method::Delete,
        path: "accounts/{account}/freezes/{freeze}",
        fields: &[ACCOUNT, FREEZE],
    },
    post(
        "clear",
        "accounts/{account}/freezes/{freeze}/clear",
        &[ACCOUNT, FREEZE, must("measure", Kind::Text), REASON],
    ),
    post("close", "accounts/{account}/close", &[ACCOUNT, REASON]),
    post(
        "write_off",
        "accounts/{account}/write-offs",
        &[ACCOUNT, may("amount", Kind::Text), REASON],
    ),
    post("assign", "payments/{payment}/assign", &[PAYMENT, ACCOUNT, REASON]),
    post(
        "assign_customer",
        "accounts/{account}/customers",
        &[ACCOUNT, must("customer", Kind::Text), may("origin", Kind::Text), REASON],
    ),
    post(
        "conclude",
        "payments/{payment}/disputes/{dispute}/conclude",
        &[PAYMENT, must("dispute", Kind::Text), must("outcome", Kind::Text), REASON],
    ),
    post(
        "import",
        "imports",
        &[
            ACCOUNT,
            PAYMENT,
            may("origin", Kind::Text),
            must("paid_at", Kind::Text),
            must("currency", Kind::Text),
            AMOUNT,
            may("tax", Kind::Text),
            must("granted", Kind::Texts),
            must("left", Kind::Texts),
            REASON,
        ],
    ),
    post(
        "resolve",
        "exceptions/{exception}/resolve",
        &[must("exception", Kind::Named), must("note", Kind::Text)],
    ),
    post(
        "release_exception",
        "exceptions/{exception}/release",
        &[must("exception", Kind::Named), REASON],
    ),
    // Refund cases.
    post("refund_case", "accounts/{account}/refund-cases", &[ACCOUNT, PAYMENT, REASON, FACTS]),
    post("inform", "cases/{case}/information", &[CASE, FACTS]),
    post(
        "approve",
        "cases/{case}/approve",
        &[CASE, may("amount", Kind::Text), may("credits", Kind::Text), may("note", Kind::Text)],
    ),
    post("deny", "cases/{case}/deny", &[CASE, must("note", Kind::Text)]),
    post("withdraw", "cases/{case}/withdraw", &[CASE, may("note", Kind::Text)]),
    // Questions.
    get("account", "accounts/{account}", &[ACCOUNT]),
    get("payment", "payments/{payment}", &[PAYMENT]),
    get("case", "cases/{case}", &[CASE]),
    get(
        "cases",
        "cases",
        &[may("status", Kind::Text), may("account", Kind::Text), may("overdue", Kind::Flag)],
    ),
    get(
        "exceptions",
        "exceptions",
        &[
            may("kind", Kind::Text),
            may("account", Kind::Text),
            may("payment", Kind::Text),
            may("state", Kind::Text),
        ],
    ),
    get(
        "statement",
        "accounts/{account}/statement",
        &[
            ACCOUNT,
            may("request_id", Kind::Text),
            may("model", Kind::Text),
            may("from", Kind::Text),
            may("to", Kind::Text),
            may("payment", Kind::Text),
        ],
    ),
];

/// An event of the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Purchase,
    Adjustment(Adjustment),
}

/// A change to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Adjustment {
    Refund,
    Credit,
    CreditReverse,
    Warning,
    WarningWon,
    Chargeback,
    ChargebackWon,
}

/// All events with their keys.
pub(super) const EVENTS: &[(&str, Event)] = &[
    ("purchase", Event::Purchase),
    ("refund", Event::Adjustment(Adjustment::Refund)),
    ("credit", Event::Adjustment(Adjustment::Credit)),
    ("credit_reverse", Event::Adjustment(Adjustment::CreditReverse)),
    ("warning", Event::Adjustment(Adjustment::Warning)),
    ("warning_won", Event::Adjustment(Adjustment::WarningWon)),
    ("chargeback", Event::Adjustment(Adjustment::Chargeback)),
    ("chargeback_won", Event::Adjustment(Adjustment::ChargebackWon)),
];

const PURCHASE: &[Field] = &[
    PAYMENT,
    may("account", Kind::Text),
    may("customer", Kind::Text),
    may("amount", Kind::Text),
    may("currency", Kind::Text),
    may("tax", Kind::Text),
    may("discount", Kind::Text),
    may("status", Kind::Text),
    may("items", Kind::Items),
];

const REFUND: &[Field] = &[
    PAYMENT,
    may("amount", Kind::Text),
    may("tax", Kind::Text),
    may("currency", Kind::Text),
    may("status", Kind::Text),
    may("id", Kind::Text),
];

const ADJUSTMENT: &[Field] = &[
    PAYMENT,
    may("amount", Kind::Text),
    may("tax", Kind::Text),
    may("currency", Kind::Text),
    may("id", Kind::Text),
];

impl Event {
    /// The fields of such a step.
    pub(super) const fn fields(self) -> &'static [Field] {
        match self {
            Self::Purchase => PURCHASE,
            Self::Adjustment(Adjustment::Refund) => REFUND,
            Self::Adjustment(_) => ADJUSTMENT,
        }
    }
}

/// The statuses of a purchase.
pub(super) const PURCHASE_STATUSES: [&str; 5] =
    ["created", "payment_failed", "paid", "completed", "canceled"];

/// The statuses of a refund.
pub(super) const REFUND_STATUSES: [&str; 3] = ["pending", "approved", "rejected"];

/// The fields of one item of a purchase.
pub(super) const ITEM: &[Field] =
    &[must("price", Kind::Text), must("amount", Kind::Text), may("quantity", Kind::Whole)];

/// The steps that are no form and no event.
pub(super) const OTHERS: [&str; 4] = ["redeliver", "activate", "get", "absent"];

/// The fields of a policy's next version.
pub(super) const ACTIVATE: &[Field] =
    &[must("version", Kind::Whole), must("effective_from", Kind::Text), may("change", Kind::Table)];

/// Every key that says what a step does.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    let forms = FORMS.iter().map(|form| form.key);
    forms.chain(EVENTS.iter().map(|(key, _)| *key)).chain(OTHERS)
}
