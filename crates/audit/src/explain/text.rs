//! An explanation on a page: the number on top, what it consists of below, the records at the end.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    AccountStory, Also, Explanation, LotLine, PaymentStory, Proof, Raw, Step, Steps, Subject, Why,
    json::status,
};
use crate::{
    reports::layout::shown,
    sums::{Sum, Sums},
};

/// A page that grows line by line.
struct Page {
    text: String,
    unit: String,
}

pub(super) fn text(explanation: &Explanation) -> String {
    let mut page = Page { text: String::new(), unit: explanation.unit.clone() };
    page.line(&format!("Ledger {}, asked: {}", explanation.ledger, explanation.asked));
    match &explanation.known {
        Some(last) => page.line(&format!(
            "As known with record #{}, recorded {}, hash {}",
            last.sequence, last.recorded_at, last.hash
        )),
        None => page.line("As known before the first record"),
    }
    page.gap();
    match &explanation.subject {
        Subject::Account(story) => page.account(story),
        Subject::Payment(story) => page.payment(story),
        Subject::Records(found) => page.found(found),
    }
    for also in &explanation.also {
        let Also { by, records, newest } = also;
        page.line(&format!("  The same id is {by} too: {records} records, the last #{newest}"));
    }
    for (place, step) in explanation.subject.steps().iter().enumerate() {
        page.gap();
        page.step(step);
        if let Subject::Account(story) = &explanation.subject
            && let Some(moved) = story.moved.get(place)
        {
            page.field("In this account", &told(moved));
        }
    }
    page.text
}

impl Page {
    fn line(&mut self, line: &str) {
        // A formatted line has its breaks only from here, and no id or reason can steer a terminal.
        let _ = writeln!(self.text, "{}", shown(line).trim_end());
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn field(&mut self, name: &str, value: &str) {
        self.line(&format!("  {name:<16} {value}"));
    }

    fn account(&mut self, story: &AccountStory) {
        let unit = self.unit.clone();
        self.line(&format!("Account {} is {}", story.account, status(story)));
        for freeze in &story.freezes {
            self.field("frozen", freeze);
        }
        self.field("available", &format!("{} {unit}", story.balance.available()));
        for (name, sum) in story.balance.parts() {
            self.field(&name.replace('_', " "), &sum.to_string());
        }
        self.gap();
        self.line("What the balance consists of");
        for line in &story.lots {
            self.lot(line);
        }
        let (spent, moves) = (story.spent.0, &story.spent.1);
        if spent > 0 {
            let words = format!("{spent} lots of which nothing is left or lacking:");
            self.line(&format!("  {words} {}", sums_told(moves)));
        }
        self.line(&format!("  together, as above: {}", told(&story.balance)));
        self.gap();
        let shown = story.steps.len();
        self.line(&format!("What happened, the last {shown} records that changed it"));
        if story.earlier.records > 0 {
            let (records, moved) = (story.earlier.records, told(&story.earlier.moved));
            self.line(&format!("  before these, {records} records: {moved}"));
        }
    }

    fn payment(&mut self, story: &PaymentStory) {
        self.line(&format!("Payment {} of {}", story.key.id, story.key.origin));
        match &story.account {
            Some(account) => self.field("belongs to", &format!("account {account}")),
            None => self.field("belongs to", "no account that is known"),
        }
        for (currency, (received, reversed)) in &story.money {
            let words = format!("{received} {currency} for credits, {reversed} of it went back");
            self.field("money", &words);
        }
        self.gap();
        match &story.lots {
            Some(line) => {
                self.line("What became of its credits");
                self.lot(line);
            }
            None => self.line("It granted no credits"),
        }
        self.gap();
        self.line("What is recorded of it");
        self.earlier(story.earlier);
    }

    fn found(&mut self, found: &Steps) {
        self.line(&format!("Found by {}", found.by));
        self.earlier(found.earlier);
    }

    fn earlier(&mut self, earlier: u64) {
        if earlier > 0 {
            self.line(&format!(
                "  before these, {earlier} records more (ask for more to see them)"
            ));
        }
    }

    fn lot(&mut self, line: &LotLine) {
        let (from, since, opened) = (&line.from, line.since, line.opened);
        self.line(&format!("  {from}, of {since}, since record #{opened}"));
        if let Some(conversion) = &line.conversion {
            let told = conversion.told(&self.unit);
            let (name, version) = (&conversion.name, conversion.version);
            self.line(&format!("    {told}, by policy {name} version {version}"));
        }
        for (why, moved) in &line.moves {
            let records = if moved.first == moved.last {
                format!("record #{}", moved.first)
            } else {
                format!("{} records, #{} to #{}", moved.records, moved.first, moved.last)
            };
            let (amount, why) = (moved.amount.signed(), word(*why));
            self.line(&format!("    {amount:>20}  {why} ({records})"));
        }
        self.line(&format!(
            "    {:>20}  is left: {}",
            line.adds.net().to_string(),
            told(&line.adds)
        ));
        if !line.reserved.is_zero() {
            self.line(&format!(
                "    {:>20}  of it is reserved by holds",
                line.reserved.to_string()
            ));
        }
        if !line.awaited.is_zero() {
            let awaited = line.awaited.to_string();
            self.line(&format!("    {awaited:>20}  of it awaits a decision on a refund"));
        }
    }

    fn step(&mut self, step: &Step) {
        self.line(&format!("#{}  recorded {}", step.sequence, step.recorded_at));
        self.field("What came in", &step.said);
        if let Some(at) = step.happened_at {
            self.field("Happened", &format!("{at}, as the provider says"));
        }
        for (name, value) in &step.metadata {
            self.field("It says", &format!("{name} = {value}"));
        }
        self.field("What became", &step.outcome);
        for change in &step.changes {
            self.field("Changed", change);
        }
        if let Some(conversion) = &step.conversion {
            self.field("Rate", &conversion.told(&self.unit));
        }
        for moved in &step.moved {
            self.field("Moved", moved);
        }
        self.field("Decided by", &decided(step));
        self.proof(step);
    }

    fn proof(&mut self, step: &Step) {
        match &step.evidence {
            Proof::Event { source, event, event_type, received_at, vouched, marks } => {
                let kind = event_type.as_deref().unwrap_or("no type");
                let words = format!("event {event} ({kind}) at {source}, received {received_at}");
                self.field("Evidence", &words);
                self.field("", vouched);
                for mark in marks {
                    self.field("", mark);
                }
            }
            Proof::Command { id, key, actor, order } => {
                self.field("Evidence", &format!("command {order} {id} by {actor}, key {key}"));
            }
        }
        self.field("", &format!("SHA-256 of its bytes {}", step.body));
        self.field("", &format!("hash of the record {}", step.hash));
        match &step.raw {
            None => {}
            Some(Raw::Text(text)) => {
                for (place, line) in text.lines().enumerate() {
                    self.field(if place == 0 { "Bytes" } else { "" }, line);
                }
            }
            Some(Raw::Hex(hex)) => self.field("Bytes", &format!("no text, in hex: {hex}")),
            Some(Raw::Erased(by)) => self.field("Bytes", &format!("erased by record #{by}")),
            Some(Raw::None) => self.field("Bytes", "none were kept"),
        }
    }
}

fn decided(step: &Step) -> String {
    let rules = format!("version {} of the program's rules", step.rules);
    let Some(policy) = &step.policy else { return format!("{rules}; no policy was asked") };
    let name = policy.name.as_deref().unwrap_or("(its record is not known)");
    let since =
        policy.activated.map_or_else(String::new, |at| format!(", in force by record #{at}"));
    format!("policy {name} version {}{since}; {rules}", policy.version)
}

/// The parts of a balance that are not zero.
fn told(sums: &Sums) -> String {
    let parts = sums.parts().into_iter().filter(|(_, sum)| !sum.is_zero());
    let parts = parts.map(|(name, sum)| format!("{} {sum}", name.replace('_', " ")));
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

fn sums_told(sums: &BTreeMap<Why, Sum>) -> String {
    let parts = sums.iter().map(|(why, sum)| format!("{} {}", sum.signed(), word(*why)));
    parts.collect::<Vec<_>>().join(", ")
}

const fn word(why: Why) -> &'static str {
    match why {
        Why::Granted => "granted",
        Why::Used => "used",
        Why::MadeGood => "made good after use",
        Why::Refunded => "taken back by refunds",
        Why::ChargedBack => "taken back by chargebacks",
        Why::Received => "received from other credits for what was lacking",
        Why::Given => "given to what other credits lacked",
    }
}
