//! `docs/examples/all-sales-final.md`.

use anyhow::Result;

use crate::{jq::Program, stage::Stage};

const ABOUT: &str = "
Purchases are not refunded.
What goes wrong is made good in credits, and a dispute suspends the account until it is decided.
Alice buys credits, uses some, asks for her money back, meets an incident, and her bank disputes the payment; the merchant wins.";

pub(crate) fn page() -> Result<String> {
    let mut stage = Stage::of("all-sales-final", "Example: all sales final", ABOUT)?;
    purchase(&mut stage)?;
    usage(&mut stage)?;
    refund_cases(&mut stage)?;
    dispute(&mut stage)?;
    stage.say(
        "
## What the records say

The statement has a line for each record that changed the account: how many credits went from where to where.
`house:sold` is what customers bought, `house:given` what was given to them, `house:used` what they used, `house:charged_back` what their banks took back.",
    );
    stage.get("accounts/alice/statement", Program::Statement)?;
    stage.say("After the server is stopped, anyone with the data can check every record, and every decision that was made.");
    stage.verified()
}

fn purchase(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
## A purchase

Alice pays 25 dollars and 5 of tax.
Credits are added when the payment is completed (A1), one for each dollar net of tax; four webhooks tell of it, and it counts once.",
    );
    stage.run("trigger purchase --payment txn_1 --account alice --amount 25 --seed 1")?;
    stage.run("account alice")?;
    Ok(())
}

fn usage(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
## Usage, and a failed request

The gateway debits each request under a key of its own, so that a request which it sends twice is paid once.
What it says in `metadata` is kept with the debit.",
    );
    stage.post(
        201,
        "accounts/alice/debits",
        "req-1",
        r#"{"amount":"4.5","metadata":{"request_id":"req-1","model":"m-large","tokens":1200}}"#,
    )?;
    let failed = stage.post(
        201,
        "accounts/alice/debits",
        "req-2",
        r#"{"amount":"2","metadata":{"request_id":"req-2","model":"m-large","tokens":533}}"#,
    )?;
    stage.say("The second request failed on the way, so its credits come back (A7): once, tied to its debit, and never more than it took.");
    let body = format!(r#"{{"debit":"{failed}","amount":"2","reason":"interrupted"}}"#);
    stage.post(201, "accounts/alice/returns", "return-req-2", &body)?;
    stage.post(409, "accounts/alice/returns", "return-req-2-again", &body)?;
    Ok(())
}

fn refund_cases(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
## A refund case that the policy denies

Alice wants her money back for what she did not use.
The policy denies that at once and names its rule.",
    );
    stage.case("alice txn_1 --reason partly-used-credits --key case-1")?;
    stage.say(
        "
## A refund case that is made good in credits

Later the service was down for hours, and alice asks again.
Incidents are reviewed at discretion (A8): a person has until `due`, the end of the fifth business day.",
    );
    let incident = stage.case("alice txn_1 --reason technical-incident --key case-2")?;
    stage.say("Anna looked at it and gives 3 credits.\nThe case is done: no money moves.");
    stage.run(&format!(
        "case approve {incident} --credits 3 --note 'outage of 18 July' --key approve-2"
    ))?;
    Ok(())
}

fn dispute(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
## A dispute, won

Alice's bank warns that she disputes the payment.
Access is suspended and the disputed credits are deducted (A9): the 20.5 that are left of the payment are taken, and the 4.5 that she used of it are owed.
The 3 credits of the incident are no part of that payment.",
    );
    stage.run("trigger dispute --payment txn_1 --account alice --amount 25 --seed 2")?;
    stage.run("account alice")?;
    stage.say("Each cause of a freeze has measures of its own, as the policy says:");
    stage.get("accounts/alice", Program::Measures)?;
    stage.say("Meanwhile the gateway's debits are refused, with a code that it can act on.");
    stage.post(
        409,
        "accounts/alice/debits",
        "req-3",
        r#"{"amount":"1","metadata":{"request_id":"req-3","model":"m-large","tokens":240}}"#,
    )?;
    stage.say("The merchant wins.\nWhat the dispute took comes back exactly, what it caused ends, and the gateway may debit again.");
    stage.run("trigger dispute-won --payment txn_1 --account alice --amount 25 --seed 3")?;
    stage.run("account alice")?;
    stage.post(
        201,
        "accounts/alice/debits",
        "req-3",
        r#"{"amount":"1","metadata":{"request_id":"req-3","model":"m-large","tokens":240}}"#,
    )?;
    Ok(())
}
