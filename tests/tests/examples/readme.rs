//! The first session in `README.md`.

use anyhow::Result;

use crate::stage::Stage;

pub(crate) fn part() -> Result<String> {
    let mut stage = Stage::new()?;
    start(&mut stage)?;
    spending(&mut stage)?;
    refund_case(&mut stage)?;
    dispute(&mut stage)?;
    stage
        .say("After the server is stopped, anyone with the data can check it from the first byte:");
    stage.verified()
}

fn start(stage: &mut Stage) -> Result<()> {
    stage.run("init")?;
    stage.serve("policies/all-sales-final.toml")?;
    stage.show("export PADDLE_SECRET=pdl_ntfset_example", "");
    stage.show(
        "tallyhook token new   # its sha256 goes into [[tokens]] of tallyhook.toml, with roles",
        "",
    );
    stage.show("tallyhook serve &", r#"{"private":"127.0.0.1:8081","public":"127.0.0.1:8080"}"#);
    stage.say("A customer pays 25 dollars and a fifth of tax; four webhooks say so, and it counts once.\n`trigger` stands for the processor here: `--seed` gives the same events in every run, of July 2026.\nTimes of the server's own clock, which no two runs share, are shown as `<time 1>`, `<time 2>`.");
    stage.run("trigger purchase --payment txn_1 --account alice --amount 25 --seed 1")?;
    Ok(())
}

fn spending(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
### Spending

The gateway debits a request and says what it was, or holds what a long one may cost and captures what it did cost.
A request that failed is made good: once, and never above its debit.
With `AUTH=\"Authorization: Bearer $TALLYHOOK_TOKEN\"` and `LEDGER=http://127.0.0.1:8081/v1/ledgers/main`:",
    );
    let debit = stage.post(
        201,
        "accounts/alice/debits",
        "req-1",
        r#"{"amount":"4.5","metadata":{"request_id":"req-1","model":"m-large","tokens":1200}}"#,
    )?;
    let hold = stage.post(
        201,
        "accounts/alice/holds",
        "hold-2",
        r#"{"amount":"5","expires_in_seconds":600}"#,
    )?;
    stage.post(
        200,
        &format!("accounts/alice/holds/{hold}/capture"),
        "req-2",
        r#"{"amount":"3.2","metadata":{"request_id":"req-2","model":"m-large"}}"#,
    )?;
    stage.post(
        201,
        "accounts/alice/returns",
        "return-1",
        &format!(r#"{{"debit":"{debit}","amount":"4.5","reason":"interrupted"}}"#),
    )?;
    Ok(())
}

fn refund_case(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
### A refund case

Alice asks for her money back under the law of her country.
The policy says who decides, until when, and what it would come to from the ledger's own records; the quoted credits are held meanwhile.",
    );
    let case = stage.case("alice txn_1 --reason applicable-law --key case-1")?;
    stage.say("An operator approves.\nThe money goes back through the processor, and the case is done when the processor's event says so:");
    stage.run(&format!("case approve {case} --key approve-1"))?;
    stage.run(
        "trigger refund-approved --payment txn_1 --account alice --amount 21.8 \
         --partial --seed 2",
    )?;
    stage.run("case list")?;
    Ok(())
}

fn dispute(stage: &mut Stage) -> Result<()> {
    stage.say(
        "
### A dispute

The bank disputes another payment: what is left of it is taken, what is spent is owed, and the account is frozen until the dispute is over.",
    );
    stage.run("trigger purchase --payment txn_2 --account alice --amount 10 --seed 3")?;
    stage.post(201, "accounts/alice/debits", "req-3", r#"{"amount":"1.75"}"#)?;
    stage.run("trigger dispute --payment txn_2 --account alice --amount 10 --seed 4")?;
    stage.run("account alice")?;
    Ok(())
}
