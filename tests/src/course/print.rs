//! Courses as a person reads them.

use std::fmt;

use domain::{
    ids::OperationId,
    input::{Freshness, Input, Order, Reality},
};

use super::{FIRST_DAY, Step};
use crate::history::{Event, print};

/// What came to a ledger, line by line.
pub struct Printed<'s>(pub &'s [Step]);

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<(OperationId, String)> = self.0.iter().filter_map(named).collect();
        for step in self.0 {
            let offset = step.now.seconds() - FIRST_DAY;
            write!(f, "  d{}+{:>5}s ", offset.div_euclid(86_400), offset.rem_euclid(86_400))?;
            let mut line = line(step)?;
            for (id, name) in &ids {
                line = line.replace(&id.to_string(), name);
            }
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

fn named(step: &Step) -> Option<(OperationId, String)> {
    let Input::Command(command) = &step.input else { return None };
    Some((command.id, command.key.to_string()))
}

fn line(step: &Step) -> Result<String, fmt::Error> {
    use fmt::Write as _;
    let mut line = String::new();
    match &step.input {
        Input::Delivery(delivery) => {
            let mut of = |what: &str| write!(line, "{what} ");
            if delivery.freshness != Freshness::Fresh {
                of("stale")?;
            }
            if delivery.reality == Reality::Simulated {
                of("simulated")?;
            }
            match &delivery.notice {
                Ok(notice) => {
                    let event = Event { number: 0, notice: notice.clone() };
                    write!(
                        line,
                        "{:?} content {:.4} {event}",
                        delivery.event,
                        delivery.content.to_string()
                    )?;
                }
                Err(unreadable) => {
                    write!(line, "{:?} unreadable {:?}", delivery.event, unreadable.fault)?;
                }
            }
        }
        Input::Command(command) => {
            write!(line, "{}: ", command.key)?;
            let Order::ActivatePolicy { policy, .. } = &command.order else {
                write!(line, "{:?}", command.order)?;
                return Ok(line);
            };
            write!(line, "activate {}", print::Readable(policy))?;
            if let Some(refunds) = &policy.refunds {
                write!(line, " {:?} {:?}", refunds.reasons, refunds.quote)?;
            }
        }
    }
    Ok(line)
}
