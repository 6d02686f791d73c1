//! The shape of the workspace: what DESIGN.md and STYLE.md forbid and no compiler sees.
//!
//! - [`arrows`]: which of our crates may depend on which;
//! - [`parties`]: which module names a third-party system, and what `domain` never names;
//! - [`size`]: how long a file may be;
//! - [`dependencies`]: licences, duplicates and origins of what others wrote, as `deny.toml` says.
//!
//! Every check is a function from the workspace's texts to breaches, so that the tests can show
//! each of them a workspace that breaks its rule.

mod arrows;
mod dependencies;
mod names;
mod parties;
mod size;
mod tree;

#[cfg(test)]
mod tests {
    use crate::{
        arrows, dependencies, parties, size,
        tree::{Breach, Tree, root},
    };

    /// Fails with every breach, each with its file and line.
    fn none(breaches: &[Breach]) {
        let lines: Vec<String> = breaches.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "{} breaches:\n{}", lines.len(), lines.join("\n"));
    }

    /// The tree has exactly this breach, or none.
    fn finds(check: fn(&Tree) -> Vec<Breach>, files: &[(&str, &str)], expected: Option<&str>) {
        let found: Vec<String> = check(&Tree::of(files)).iter().map(ToString::to_string).collect();
        let expected: Vec<&str> = expected.into_iter().collect();
        let fits = found.len() == expected.len()
            && found.iter().zip(&expected).all(|(found, start)| found.starts_with(start));
        assert!(fits, "{files:?}\nexpected {expected:?}\nfound {found:?}");
    }

    #[test]
    fn our_crates_depend_on_each_other_as_the_table_says() {
        none(&arrows::breaches(&Tree::read(&root()).unwrap()));
    }

    #[test]
    fn third_parties_are_named_in_their_module_only() {
        none(&parties::breaches(&Tree::read(&root()).unwrap()));
    }

    #[test]
    fn no_file_is_too_long() {
        none(&size::breaches(&Tree::read(&root()).unwrap()));
    }

    #[test]
    fn what_others_wrote_is_allowed_by_deny_toml() {
        none(&dependencies::breaches(&root()).unwrap());
    }

    #[test]
    fn the_tree_has_been_read() {
        let tree = Tree::read(&root()).unwrap();
        assert!(tree.manifests().count() > arrows::TABLE.len(), "not all manifests were found");
        assert!(tree.sources("crates/domain/src/").count() > 10, "domain's sources were not found");
        assert!(tree.sources("tests/").any(|(path, _)| path.ends_with("architecture/main.rs")));
    }

    #[test]
    fn a_broken_arrow_is_named_by_file_and_line() {
        let finds = |manifest, text: &str, expected| {
            finds(arrows::arrows, &[(manifest, text)], expected);
        };
        let package = |rest: &str| format!("[package]\nname = \"x\"\n{rest}");
        let projectors = "crates/projectors/Cargo.toml";
        let good = package("[dependencies]\ndomain.workspace = true\nserde = \"1\"\n");
        finds(projectors, &good, None);
        let bad = package("[dependencies]\ndomain.workspace = true\nengine.workspace = true\n");
        let said = "crates/projectors/Cargo.toml:5: projectors may not depend on engine";
        finds(projectors, &bad, Some(said));
        let renamed = package("[dependencies]\nx = { package = \"server\", path = \"..\" }\n");
        let said = "crates/projectors/Cargo.toml:4: projectors may not depend on server";
        finds(projectors, &renamed, Some(said));
        let build = package("[build-dependencies]\naudit.workspace = true\n");
        let said = "crates/projectors/Cargo.toml:4: projectors may not depend on audit";
        finds(projectors, &build, Some(said));
        let targeted = package("[target.'cfg(unix)'.dependencies]\naudit.workspace = true\n");
        finds(projectors, &targeted, Some(said));

        let below = package("[dev-dependencies]\ningestion.workspace = true\n");
        finds(projectors, &below, None);
        let above = package("[dev-dependencies]\nengine.workspace = true\n");
        let said = "crates/projectors/Cargo.toml:4: tests of projectors may not use engine";
        finds(projectors, &above, Some(said));

        let on_tests = package("[dependencies]\ntallyhook-tests.workspace = true\n");
        let said = "crates/projectors/Cargo.toml:4: projectors may not depend on tallyhook-tests";
        finds(projectors, &on_tests, Some(said));
        finds(
            "crates/new/Cargo.toml",
            &package(""),
            Some("crates/new/Cargo.toml:1: new is not in"),
        );
        let all = package("[dependencies]\ntallyhook.workspace = true\n");
        finds("tests/Cargo.toml", &all, None);
        finds(projectors, "[dependencies", Some("crates/projectors/Cargo.toml:1: "));
    }

    #[test]
    fn the_tools_of_damage_are_for_tests_only() {
        let manifest = |section: &str| {
            format!("[{section}]\nevent-store = {{ workspace = true, features = [\"tamper\"] }}\n")
        };
        let bad = [("crates/audit/Cargo.toml", &*manifest("dependencies"))];
        let said = "crates/audit/Cargo.toml:2: audit enables event-store's `tamper`";
        finds(arrows::arrows, &bad, Some(said));
        let good = [("crates/audit/Cargo.toml", &*manifest("dev-dependencies"))];
        finds(arrows::arrows, &good, None);
    }

    #[test]
    fn a_crate_that_is_gone_from_the_workspace_is_missed() {
        let missed = arrows::missing(&Tree::of(&[("crates/domain/Cargo.toml", "")]));
        assert!(missed.iter().any(|breach| breach.to_string().contains("no crate engine")));
        assert!(!missed.iter().any(|breach| breach.to_string().contains("no crate domain")));
    }

    #[test]
    fn redb_outside_its_module_is_named_by_file_and_line() {
        let finds = |path, text, expected| finds(parties::redb_outside, &[(path, text)], expected);
        let said = Some("crates/engine/src/load.rs:2: redb is named outside");
        finds("crates/engine/src/load.rs", "\nuse redb::Database;", said);
        finds("crates/event-store/src/redb_views.rs", "use redb::Database;", None);
        finds(
            "crates/engine/Cargo.toml",
            "[dependencies]\nredb.workspace = true",
            Some("crates/engine/Cargo.toml:2: "),
        );
    }

    #[test]
    fn sled_outside_its_module_is_named_by_file_and_line() {
        let finds = |path, text, expected| finds(parties::sled_outside, &[(path, text)], expected);
        let engine = "crates/engine/src/load.rs";
        let said = Some("crates/engine/src/load.rs:2: sled is named outside");
        finds(engine, "\nuse sled::Db;", said);
        finds(engine, "\nuse {std::fs, sled::Db};", said);
        finds(engine, "\nfn open() -> ::sled::Db { loop {} }", said);
        finds(engine, "\nfn open(x: Vec::<sled::Db>) {}", said);
        finds(engine, "\nextern crate sled;", said);
        finds(engine, "\nmod sled;", said);
        finds(engine, "\nwrite!(f, \"{}\", sled::VERSION);", said);
        finds(
            engine,
            "// sled::Db\n/* sled */\n/// [`sled`]\nconst A: &str = \"use sled::Db\";",
            None,
        );
        finds(engine, "use event_store::sled::Log;", None);
        finds(engine, "use event_store::{memory::Log, sled::{open, Log as Sled}};", None);
        finds("crates/event-store/src/lib.rs", "pub mod sled;", None);
        finds(
            "crates/event-store/src/log.rs",
            "\nuse sled::Db;",
            Some("crates/event-store/src/log.rs:2: "),
        );
        finds("crates/event-store/src/sled/open.rs", "use sled::Db;", None);
        finds("crates/event-store/src/sled.rs", "use sled::Db;", None);
        finds("tests/tests/x.rs", "use sled::Db;", Some("tests/tests/x.rs:1: "));
        finds(
            "crates/audit/Cargo.toml",
            "[dependencies]\nsled.workspace = true",
            Some("crates/audit/Cargo.toml:2: "),
        );
        finds(
            "crates/audit/Cargo.toml",
            "[dev-dependencies]\nsled.workspace = true",
            Some("crates/audit/Cargo.toml:2: "),
        );
        finds("crates/event-store/Cargo.toml", "[dependencies]\nsled.workspace = true", None);
        finds(engine, "fn (", Some("crates/engine/src/load.rs:1: can't be read"));
    }

    #[test]
    fn async_nats_in_a_second_module_is_named_by_file_and_line() {
        let named = "use async_nats::Client;";
        let first = ("crates/publisher/src/nats.rs", named);
        finds(parties::nats_twice, &[first, ("crates/server/src/nats.rs", named)], None);
        finds(parties::nats_twice, &[first, ("crates/publisher/tests/broker.rs", named)], None);
        let below = ("crates/publisher/src/nats/stream.rs", named);
        finds(parties::nats_twice, &[first, below], None);
        let second = ("crates/publisher/src/run.rs", "\nuse x::{async_nats};\nuse async_nats::A;");
        let said =
            "crates/publisher/src/run.rs:3: async_nats is named in crates/publisher/src/nats.rs";
        finds(parties::nats_twice, &[first, second], Some(said));
        let tests = [("tests/src/nats.rs", named), ("tests/src/x.rs", named)];
        finds(parties::nats_twice, &tests, Some("tests/src/x.rs:1: async_nats"));
    }

    #[test]
    fn what_domain_must_not_know_is_named_by_file_and_line() {
        let path = "crates/domain/src/rule.rs";
        for (text, named) in [
            ("use std::fs;", "std::fs"),
            ("use std::{collections::BTreeMap, fs::File};", "std::fs"),
            ("fn a() { ::std::net::TcpStream::connect(x); }", "std::net"),
            ("use std::time::{Duration, SystemTime};", "std::time::SystemTime"),
            ("use std::time::Instant;", "std::time::Instant"),
            ("#[derive(serde::Serialize)] struct A;", "serde"),
            ("use tokio::sync::mpsc;", "tokio"),
            ("async fn a() {}", "async"),
            ("fn a(x: f64) {}", "f64"),
            ("fn a() { let x = f32::MAX; }", "f32"),
            ("fn a() { vec![0f64]; }", "0f64"),
            ("const A: u8 = 1.5 as u8;", "1.5"),
            ("const A: u8 = 1e3 as u8;", "1e3"),
        ] {
            let said = format!("{path}:2: domain must not know {named}");
            finds(parties::foreign_to_domain, &[(path, &format!("\n{text}"))], Some(&said));
            finds(parties::foreign_to_domain, &[("crates/engine/src/rule.rs", text)], None);
        }
        for text in [
            "// std::fs, 1.5\nconst A: &str = \"serde 1.5\";",
            "fn a() { x.0.1; 0x1e3; 1..5; self.fs(); b'\\''; }",
            "use crate::std_like::net;",
        ] {
            finds(parties::foreign_to_domain, &[(path, text)], None);
        }
        let manifest = "[dependencies]\nimbl.workspace = true\nserde.workspace = true";
        let said = "crates/domain/Cargo.toml:3: domain must not know serde";
        finds(parties::foreign_to_domain, &[("crates/domain/Cargo.toml", manifest)], Some(said));
    }

    #[test]
    fn a_file_of_more_than_500_lines_is_named() {
        let long = "//\n".repeat(501);
        let path = "crates/engine/src/step.rs";
        let said = "crates/engine/src/step.rs:501: the file has 501 lines";
        finds(size::breaches, &[(path, &long)], Some(said));
        let fits = "//\n".repeat(500);
        finds(size::breaches, &[(path, &fits)], None);
    }
}
