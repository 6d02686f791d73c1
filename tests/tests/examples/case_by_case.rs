//! `docs/examples/case-by-case.md`.

use anyhow::Result;

use crate::{jq::Program, stage::Stage};

const ABOUT: &str = "
Every request for a refund says what it is about, is compared with the records, and is looked at by a person.
Bob is charged twice and gets the second payment back; later his bank takes back the first one, and the merchant gives up.";

pub(crate) fn page() -> Result<String> {
    let mut stage = Stage::of("case-by-case", "Example: case by case", ABOUT)?;
    purchase(&mut stage)?;
    usage(&mut stage)?;
    refund_case(&mut stage)?;
    dispute(&mut stage)?;
    stage.say(
        "
## What the records say

The statement has a line for each record that changed the account: how many credits went from where to where.",
    );
    stage.get("accounts/bob/statement", Program::Statement)?;
    stage.say("After the server is stopped, anyone with the data can check every record, and every decision that was made.");
    stage.verified()
}

fn purchase(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
## Two purchases

Bob pays 40 dollars net of tax, and a minute later 20 that he did not mean to pay.",
    );
    stage.run("trigger purchase --payment txn_1 --account bob --amount 40 --seed 1")?;
    stage.run("trigger purchase --payment txn_2 --account bob --amount 20 --seed 2")?;
    Ok(())
}

fn usage(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
## Usage with a hold

Before a long request the gateway holds what it may cost at most, so that bob can't spend the same credits twice meanwhile.",
    );
    let hold = stage.post(
        201,
        "accounts/bob/holds",
        "hold-1",
        r#"{"amount":"10","expires_in_seconds":600}"#,
    )?;
    stage.run("account bob")?;
    stage.say("The request cost 6.2: so much is captured, the rest is free again.");
    stage.post(
        200,
        &format!("accounts/bob/holds/{hold}/capture"),
        "capture-1",
        r#"{"amount":"6.2","metadata":{"request_id":"req-1","model":"m-large","tokens":5410}}"#,
    )?;
    Ok(())
}

fn refund_case(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
## A refund case

Bob asks for the second payment back.
His request is incomplete and says another amount than the records, so the answer is what it lacks (N4): he paid 24 dollars with tax.
What it would come to is quoted already, and its credits are held as long as the case is open.",
    );
    let case = stage.case(
        "bob txn_2 --reason duplicate-charge --fact amount=20.00 --fact currency=USD \
         --key case-1",
    )?;
    stage.say("Now it is complete, and a person must look at it until `due`, the end of the fifth business day.\nThe record keeps the names of the facts; what they say stays in the request alone.");
    stage.run(&format!(
        "case inform {case} --fact amount=24.00 --fact currency=USD \
         --fact email=bob@example.com --fact 'explanation=charged twice' --key inform-1"
    ))?;
    stage.say("Anna approves the quote.\nTallyhook pays nothing back by itself: it says what to refund at the processor.");
    stage.run(&format!("case approve {case} --note 'two charges seen' --key approve-1"))?;
    stage.say("The case is done when the processor's refund arrives, not before (N5).");
    stage.run("trigger refund-approved --payment txn_2 --account bob --amount 20 --seed 3")?;
    stage.run(&format!("case show {case}"))?;
    stage.run("account bob")?;
    Ok(())
}

fn dispute(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
## A chargeback, lost

Bob's bank takes the first payment back.
The policy takes three measures (N6): access is suspended, the payment's credits are frozen, and no new purchase should be offered (`checkout`).
Of its credits 33.8 are left and taken; the 6.2 that bob used are owed (N8).",
    );
    stage.run("trigger chargeback --payment txn_1 --account bob --amount 40 --seed 4")?;
    stage.run("account bob")?;
    stage.get("accounts/bob", Program::Measures)?;
    stage.say("The merchant does not contest it.\nAnna concludes it as lost: the measures end, and what was taken stays taken.");
    stage.post(
        200,
        "payments/txn_1/disputes/chargeback/conclude",
        "conclude-1",
        r#"{"outcome":"lost","reason":"not contested"}"#,
    )?;
    stage.say("Bob buys again, and what he owes is settled from it first.");
    stage.run("trigger purchase --payment txn_3 --account bob --amount 10 --seed 5")?;
    stage.run("account bob")?;
    Ok(())
}
