//! Every published rule of the three operators runs as their policy files say.
//!
//! `docs/policies.md` has a table of the rules ([`table`]): the setting that expresses each and the
//! scenario that shows it. Here every scenario is played by the real binary, and played again with
//! each of its settings set to something else ([`flips`]), which must make it fail: so a scenario
//! that would hold under any policy is found out. [`rules`] lists the rules.

#[cfg(test)]
mod flips;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod table;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tallyhook_tests::environment;

    use crate::{
        flips::{self, FLIPS, Outcome},
        rules::{self, OPERATORS, Operator},
        scenarios, table,
    };

    #[test]
    fn every_rule_is_in_the_table_once() {
        let rows = table::rows().unwrap();
        let listed: Vec<&str> = rows.iter().map(|row| row.rule.as_str()).collect();
        let expected: Vec<String> = OPERATORS.iter().flat_map(Operator::rules).collect();
        assert_eq!(listed, expected);
        match rules::published(&environment::workspace()).unwrap() {
            Some(published) => assert_eq!(listed, published),
            None => {
                eprintln!("not compared: there is no list of published rules beside the project")
            }
        }
    }

    #[test]
    fn settings_and_scenarios_of_the_table_exist() {
        for row in table::rows().unwrap() {
            let operator = rules::operator(&row.rule).unwrap();
            assert_eq!(row.file, format!("../{}", operator.scenarios()), "{}", row.rule);
            let all = scenarios::read(operator).unwrap();
            let named: Vec<_> = all.iter().filter(|one| one.name == row.scenario).collect();
            assert_eq!(named.len(), 1, "{}: {:?}", row.rule, row.scenario);
            assert_eq!(named[0].rule.as_deref(), Some(row.rule.as_str()));
            assert!(!row.settings.is_empty(), "{}", row.rule);
            for setting in &row.settings {
                assert!(flips::exists(operator, setting).unwrap(), "{}: {setting}", row.rule);
            }
        }
    }

    #[test]
    fn every_scenario_has_something_allowed_and_something_refused() {
        for operator in &OPERATORS {
            for scenario in scenarios::read(operator).unwrap() {
                let name = &scenario.name;
                assert!(scenario.allowed > 0, "{name} allows nothing");
                assert!(scenario.refused > 0, "{name} refuses nothing");
            }
        }
    }

    #[test]
    fn every_setting_of_the_table_is_flipped_once() {
        let rows = table::rows().unwrap();
        let in_table: BTreeSet<(String, String)> = rows
            .iter()
            .flat_map(|row| row.settings.iter().map(|one| (row.rule.clone(), one.clone())))
            .collect();
        let flipped: BTreeSet<(String, String)> =
            FLIPS.iter().map(|flip| (flip.rule.to_owned(), flip.setting.to_owned())).collect();
        assert_eq!(in_table, flipped);
        assert_eq!(flipped.len(), FLIPS.len());
    }

    /// Plays everything against an operator's policy as it is shipped.
    fn holds(operator: &Operator) {
        let report = scenarios::play(&operator.scenarios(), &[]).unwrap();
        assert_eq!(report.exit, 0, "{}", report.text);
        let held: BTreeSet<String> = report.scenarios().into_iter().map(|(name, _)| name).collect();
        let all = scenarios::read(operator).unwrap();
        assert_eq!(held, all.into_iter().map(|one| one.name).collect());
    }

    /// Sets each setting of an operator's rules to something else.
    fn fails_when_flipped(operator: &Operator) {
        let rows = table::rows().unwrap();
        for flip in FLIPS.iter().filter(|flip| operator.has(flip.rule)) {
            let row = rows.iter().find(|row| row.rule == flip.rule).unwrap();
            let report = flips::play(operator, flip, &row.scenario).unwrap();
            match flip.outcome {
                Outcome::Fails => {
                    assert_eq!(report.exit, 1, "{flip:?}: {}", report.text);
                    assert_eq!(report.scenarios(), [(row.scenario.clone(), false)], "{flip:?}");
                }
                // There is no other value: whoever writes one is told so, and nothing runs.
                Outcome::PolicyRefused => {
                    assert_eq!(report.exit, 2, "{flip:?}: {}", report.text);
                    assert_eq!(report.faults(), [flip.setting], "{flip:?}");
                }
            }
        }
    }

    #[test]
    fn all_sales_final_is_as_published() {
        holds(&OPERATORS[0]);
    }

    #[test]
    fn case_by_case_is_as_published() {
        holds(&OPERATORS[1]);
    }

    #[test]
    fn unused_balance_is_as_published() {
        holds(&OPERATORS[2]);
    }

    #[test]
    fn no_rule_of_all_sales_final_holds_without_its_settings() {
        fails_when_flipped(&OPERATORS[0]);
    }

    #[test]
    fn no_rule_of_case_by_case_holds_without_its_settings() {
        fails_when_flipped(&OPERATORS[1]);
    }

    #[test]
    fn no_rule_of_unused_balance_holds_without_its_settings() {
        fails_when_flipped(&OPERATORS[2]);
    }
}
