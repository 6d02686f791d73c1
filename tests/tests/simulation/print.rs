//! Plans as a person reads them.

use std::fmt;

use domain::{ids::OperationId, input::Input};
use tallyhook_tests::course::{self, Printed};

use crate::plan::{Asked, Plan, Step, What};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}", self.conditions)?;
        let steps = self.steps.iter().map(line);
        let setup = self.setup.iter().map(asked);
        let names = self.names();
        for mut line in setup.chain(steps) {
            for (id, name) in &names {
                line = line.replace(id, name);
            }
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}

impl Plan {
    /// What commands make, by their keys.
    fn names(&self) -> Vec<(String, String)> {
        let later = self
            .steps
            .iter()
            .filter_map(|step| if let Step::Ask(asked) = step { Some(asked) } else { None });
        let named = |asked: &Asked| match &asked.what {
            What::Order(order) => {
                let id: OperationId = order.command.id;
                Some((id.to_string(), order.command.key.to_string()))
            }
            What::Event(_) => None,
        };
        self.setup.iter().chain(later).filter_map(named).collect()
    }
}

fn line(step: &Step) -> String {
    if let Step::Ask(one) = step {
        return asked(one);
    }
    if let Step::Forge(sent, forgery) = step {
        return format!("forge {forgery:?} of {:?}", sent.event.event);
    }
    format!("{step:?}")
}

fn asked(asked: &Asked) -> String {
    let (input, how) = match &asked.what {
        What::Event(sent) => {
            let older = if sent.older_secret { " older secret" } else { "" };
            (Input::Delivery(Box::new(sent.event.clone())), format!(" {:?}{older}", sent.signing))
        }
        What::Order(order) => (Input::Command(Box::new(order.command.clone())), String::new()),
    };
    let step = [course::Step { now: asked.now, input }];
    let printed = Printed(&step).to_string();
    let lines: Vec<&str> = printed.lines().map(str::trim).collect();
    format!("ask {}{how}", lines.join(" "))
}
