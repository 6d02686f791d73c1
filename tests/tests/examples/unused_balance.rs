//! `docs/examples/unused-balance.md`.

use anyhow::Result;

use crate::{jq::Program, stage::Stage};

const ABOUT: &str = "
What is left of paid quota can be refunded, less fees and taxes; gift quota and consumed fees can't.
Carol tops up, uses gift quota and some of her own, and gets back the rest of it.
For another payment she has a case open when her bank takes the money back, so milder measures follow.";

pub(crate) fn page() -> Result<String> {
    let mut stage = Stage::of("unused-balance", "Example: unused balance", ABOUT)?;
    purchase(&mut stage)?;
    usage(&mut stage)?;
    denied(&mut stage)?;
    eligible(&mut stage)?;
    dispute(&mut stage)?;
    stage.say(
        "
## What the records say

The statement has a line for each record that changed the account: how many credits went from where to where.",
    );
    stage.get("accounts/carol/statement", Program::Statement)?;
    stage.say("After the server is stopped, anyone with the data can check every record, and every decision that was made.");
    stage.verified()
}

fn purchase(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
## A top-up

Carol pays 100 yuan and 20 of tax, which become 100 dollars of quota by the published rate (Y2).
A campaign gives her 8 more.",
    );
    stage.run(
        "trigger purchase --payment txn_1 --account carol --amount 100 --currency CNY \
         --seed 1",
    )?;
    stage.post(
        201,
        "accounts/carol/grants",
        "grant-1",
        r#"{"amount":"8","kind":"gift","label":"campaign","reason":"summer campaign"}"#,
    )?;
    Ok(())
}

fn usage(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
## Usage

A debit must say what was called (Y1); one that does not is refused, with what is missing.",
    );
    stage.post(
        422,
        "accounts/carol/debits",
        "req-1",
        r#"{"amount":"28","metadata":{"request_id":"req-1","model":"m-large","tokens":91200}}"#,
    )?;
    stage.say("Gift quota is used first, so that paid quota stays refundable longest.");
    stage.post(
        201,
        "accounts/carol/debits",
        "req-1",
        r#"{"amount":"28","metadata":{"request_id":"req-1","call_time":"2026-07-07T08:00:00Z","model":"m-large","group":"default","multiplier":1.5,"tokens":91200,"request_type":"chat"}}"#,
    )?;
    stage.post(
        201,
        "accounts/carol/debits",
        "req-2",
        r#"{"amount":"20","metadata":{"request_id":"req-2","call_time":"2026-07-07T09:30:00Z","model":"m-small","group":"default","multiplier":1,"tokens":88000,"request_type":"batch"}}"#,
    )?;
    stage.say("What was charged for a request is found by its id, by its model or its time (Y11).");
    stage.get("accounts/carol/statement?request_id=req-2", Program::Statement)?;
    Ok(())
}

fn denied(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
## A refund case that comes too late

Carol says that the top-up was a mistake.
That can be applied for within 7 days of the payment and with none of its quota used (Y3), and neither is so.",
    );
    stage.case(
        "carol txn_1 --reason mistaken-top-up --fact paid_at=2026-07-06T09:05:00Z \
         --fact amount=120.00 --fact currency=CNY --fact channel=alipay \
         --fact proof=screenshots --key case-1",
    )?;
    Ok(())
}

fn eligible(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
## A refund case with its quote

The operator confirms a refund in writing, and carol applies with that.
An invoice was issued and can be reversed, and a third party charges one yuan.
The quote has a line for each thing that the policy takes off (Y5): 60 of 100 paid credits are left, so 60 yuan and their share of the tax, less the channel's 0.6 percent, the invoice's 6 percent, and the yuan.",
    );
    let case = stage.case(
        "carol txn_1 --reason confirmed-by-operator --fact paid_at=2026-07-06T09:05:00Z \
         --fact amount=120.00 --fact currency=CNY --fact channel=alipay \
         --fact proof=screenshots --fact 'written_confirmation=letter of 3 August' \
         --fact invoice=reversible --fact third_party_costs=1.00 --key case-2",
    )?;
    stage.say("The quoted credits are held while the case is open.");
    stage.run("account carol")?;
    stage.say(
        "Anna approves the quote and refunds it at the processor, by the original route (Y8).",
    );
    stage.run(&format!("case approve {case} --key approve-2"))?;
    stage.say("The processor's event ends the case: 66.97 yuan, which are 55.81 and a fifth of tax.\nThe credits go with the money, and nothing is owed.");
    stage.run(
        "trigger refund-approved --payment txn_1 --account carol --amount 55.81 \
         --currency CNY --partial --seed 2",
    )?;
    stage.run(&format!("case show {case}"))?;
    stage.run("account carol")?;
    Ok(())
}

fn dispute(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
## A chargeback after the customer had asked

Carol tops up twice more, now.
She was charged twice, she says, and opens a case for the second of them; her proof is missing yet.",
    );
    stage.run("trigger purchase --payment txn_2 --account carol --amount 30 --currency CNY")?;
    stage.run("trigger purchase --payment txn_3 --account carol --amount 50 --currency CNY")?;
    let case = stage.case(
        "carol txn_3 --reason duplicate-payment --fact amount=60.00 --fact currency=CNY \
         --fact channel=alipay --key case-3",
    )?;
    stage.pause()?;
    stage.say("Before she sends it, her bank takes that payment back.\nA chargeback suspends the account, freezes all of its balance and restricts service, but not where the customer had asked first (Y9): only the payment's own credits are frozen, and she can use the rest.");
    stage.run("trigger chargeback --payment txn_3 --account carol --amount 50 --currency CNY")?;
    stage.run("account carol")?;
    stage.get("accounts/carol", Program::Measures)?;
    stage.post(
        201,
        "accounts/carol/debits",
        "req-3",
        r#"{"amount":"2.5","metadata":{"request_id":"req-3","call_time":"2026-08-03T10:00:00Z","model":"m-small","group":"default","multiplier":1,"tokens":9000,"request_type":"chat"}}"#,
    )?;
    stage.say("The bank finds that the payment was right and gives the money back; carol takes her request back too, and all of her credits are free again.");
    stage.run(
        "trigger chargeback-won --payment txn_3 --account carol --amount 50 \
         --currency CNY",
    )?;
    stage.run(&format!("case withdraw {case} --note 'it was no duplicate' --key withdraw-3"))?;
    stage.run("account carol")?;
    Ok(())
}
