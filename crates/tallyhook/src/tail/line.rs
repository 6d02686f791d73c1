//! One line for one event, its columns as wide as what they had to hold so far.

use balance_events::envelope::{Cause, Envelope, EventType, Movement};

const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// What the columns begin with; the time has six digits of a second at most.
const WIDTHS: [usize; 7] = [27, 6, 16, 9, 10, 6, 6];

/// The widest that a column becomes: a long name moves its own line only.
const WIDTH_MAX: usize = 40;

/// Makes lines.
#[derive(Debug)]
pub(super) struct Lines {
    colours: bool,
    widths: [usize; 7],
}

impl Lines {
    pub(super) const fn new(colours: bool) -> Self {
        Self { colours, widths: WIDTHS }
    }

    /// The line of an event: time, ledger, account, type, available, held and owed, what moved,
    /// why, and the account's version.
    pub(super) fn of(&mut self, event: &Envelope) -> String {
        let data = &event.data;
        let (name, colour) = match event.event_type {
            EventType::AccountClosed => ("closed", DIM),
            EventType::AccountFrozen => ("frozen", RED),
            EventType::AccountUnfrozen => ("unfrozen", GREEN),
            EventType::BalanceChanged => ("changed", ""),
        };
        let columns = [
            plain(&event.time),
            plain(&data.ledger),
            plain(&data.account),
            name.to_owned(),
            plain(&data.available),
            plain(&data.held),
            plain(&data.owed),
        ];
        let mut line = String::new();
        for (index, (column, width)) in columns.iter().zip(&mut self.widths).enumerate() {
            let taken = column.chars().count();
            *width = taken.min(WIDTH_MAX).max(*width);
            let room = " ".repeat(width.saturating_sub(taken));
            // Amounts to the right, words to the left.
            let aligned =
                if index < 4 { format!("{column}{room}") } else { format!("{room}{column}") };
            let is_type = index == 3 && self.colours && !colour.is_empty();
            line += &if is_type { format!("{colour}{aligned}{PLAIN}") } else { aligned };
            line += "  ";
        }
        let (moved, cause) = (moved(&data.movements), cause(&data.cause));
        let (dim, plain) = if self.colours { (DIM, PLAIN) } else { ("", "") };
        line += &format!("{moved}  {dim}{cause}  v{}{plain}\n", data.version);
        line
    }
}

fn moved(movements: &[Movement]) -> String {
    if movements.is_empty() {
        return "-".to_owned();
    }
    let each = movements.iter().map(|movement| {
        let Movement { from, to, amount } = movement;
        format!("{} {}>{}", plain(amount), plain(from), plain(to))
    });
    each.collect::<Vec<_>>().join(", ")
}

fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Delivery { event, event_type, payment } => {
            let known = [event_type.as_ref(), payment.as_ref()];
            let known: Vec<String> = known.into_iter().flatten().map(|text| plain(text)).collect();
            if known.is_empty() { plain(event) } else { known.join(" ") }
        }
        Cause::Command { id, order } => format!("{} {}", plain(order), plain(id)),
    }
}

/// A text as it may be shown: what others named can't move a terminal's cursor or colour it.
fn plain(text: &str) -> String {
    text.chars().flat_map(|one| if one.is_control() { escaped(one) } else { vec![one] }).collect()
}

fn escaped(one: char) -> Vec<char> {
    one.escape_default().collect()
}

#[cfg(test)]
mod tests {
    use balance_events::{account_view::AccountView, envelope::BalanceChange};

    use super::*;

    fn event(account: &str, event_type: EventType, version: u64) -> Envelope {
        let view = AccountView {
            ledger: "main".into(),
            account: account.into(),
            status: "active".into(),
            can_spend: true,
            checkout: "open".into(),
            available: "12.5".into(),
            paid: "12.5".into(),
            gift: "0".into(),
            held: "0".into(),
            owed: "3".into(),
            written_off: "0".into(),
            unit: "USD".into(),
            freezes: Vec::new(),
            version,
            sequence: 7,
        };
        let moved = Movement { from: "house:sold".into(), to: "paid".into(), amount: "1".into() };
        let cause = Cause::Delivery {
            event: "evt_1".into(),
            event_type: Some("transaction.completed".into()),
            payment: Some("txn_1".into()),
        };
        let change = BalanceChange::new(view, vec![moved], cause);
        Envelope::new(event_type, "2026-07-03T00:00:01.5Z".into(), change)
    }

    #[test]
    fn columns_stay_aligned_and_widen_for_a_long_name() {
        let mut lines = Lines::new(false);
        let one = lines.of(&event("jo", EventType::BalanceChanged, 1));
        assert_eq!(
            one,
            "2026-07-03T00:00:01.5Z       main    jo                changed          12.5       0       \
             3  1 house:sold>paid  transaction.completed txn_1  v1\n"
        );
        let long = "a-rather-long-account@example.org";
        let two = lines.of(&event(long, EventType::AccountFrozen, 2));
        let three = lines.of(&event("jo", EventType::AccountUnfrozen, 3));
        let column = |line: &str, name: &str| line.find(name).unwrap();
        assert_eq!(column(&two, "frozen"), column(&three, "unfrozen"));
    }

    #[test]
    fn colours_are_for_terminals_and_no_name_can_bring_its_own() {
        let sly = event("\u{1b}[2J\njo", EventType::AccountFrozen, 1);
        let dull = Lines::new(false).of(&sly);
        assert!(!dull.contains('\u{1b}') && dull.lines().count() == 1, "{dull:?}");
        assert!(dull.contains("\\u{1b}[2J\\njo"), "{dull:?}");
        let bright = Lines::new(true).of(&sly);
        assert!(bright.contains(&format!("{RED}frozen   {PLAIN}")), "{bright:?}");
    }
}
