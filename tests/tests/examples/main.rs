//! `docs/examples/` and the session in `README.md` are what the binary says: each is played again,
//! and every byte of it compared.
//!
//! [`stage`] runs commands and writes down what they printed, [`stable`] takes out what differs
//! from run to run, [`jq`] stands for the few programs of `jq` that the pages use. A module for
//! each page tells its story. With `TALLYHOOK_BLESS=1` the pages are written instead of compared.

mod all_sales_final;
mod case_by_case;
mod jq;
mod page;
mod readme;
mod stable;
mod stage;
mod unused_balance;

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };

    use serde_json::json;

    use crate::{
        all_sales_final, case_by_case,
        jq::Program,
        page::{compare, compare_part, first_difference},
        readme, unused_balance,
    };

    #[test]
    fn all_sales_final_is_what_the_binary_says() {
        compare("docs/examples/all-sales-final.md", &all_sales_final::page().unwrap()).unwrap();
    }

    #[test]
    fn case_by_case_is_what_the_binary_says() {
        compare("docs/examples/case-by-case.md", &case_by_case::page().unwrap()).unwrap();
    }

    #[test]
    fn unused_balance_is_what_the_binary_says() {
        compare("docs/examples/unused-balance.md", &unused_balance::page().unwrap()).unwrap();
    }

    #[test]
    fn the_first_session_is_what_the_binary_says() {
        compare_part("README.md", &readme::part().unwrap()).unwrap();
    }

    #[test]
    fn a_difference_is_named_by_its_line() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb", "a\nc"), Some((2, "b".into(), "c".into())));
        assert_eq!(first_difference("a", "a\nc"), Some((2, String::new(), "c".into())));
        assert_eq!(first_difference("a\n", "a"), Some((2, String::new(), String::new())));
    }

    /// What stands for `jq` prints what `jq` prints.
    #[test]
    fn jq_prints_the_same() {
        if Command::new("jq").arg("--version").output().is_err() {
            eprintln!("not checked: no jq");
            return;
        }
        let answer = json!({
            "items": [
                {"sequence": 4, "cause": {"event_type": "transaction.paid"}, "movements": [
                    {"from": "house:sold", "to": "paid", "amount": "10"},
                    {"from": "a", "to": "b", "amount": "1"},
                ]},
                {"sequence": 5, "cause": {"order": "debit"}, "movements": []},
            ],
            "freezes": [{"id": "f", "measures": {
                "spending": "allow", "balance": "freeze-payment", "checkout": "open",
                "verification": "none", "service": "normal",
            }}],
        });
        for program in [Program::Statement, Program::Measures] {
            let mut jq = Command::new("jq")
                .args(["-r", program.text()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            jq.stdin.take().unwrap().write_all(answer.to_string().as_bytes()).unwrap();
            let output = jq.wait_with_output().unwrap();
            assert!(output.status.success());
            let printed = String::from_utf8(output.stdout).unwrap();
            assert_eq!(printed.trim_end_matches('\n'), program.run(&answer).unwrap());
        }
    }
}
