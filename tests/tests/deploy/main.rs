//! What `deploy/` says, as far as it can be checked without an engine: paths and flags exist, the
//! example is a good configuration, and syntax is what the engines read.
//!
//! No image is built and no container started; [`nats`] starts real brokers with the files of
//! `deploy/nats`. Every check is a function from a text to faults,
//! so that the tests can show it a text that is wrong.

mod commands;
mod compose;
mod dockerfile;
mod nats;
mod nats_access;
mod nats_rights;
mod place;
mod unit;

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fs,
        process::Command,
    };

    use tallyhook_tests::{binary, environment};
    use tempfile::tempdir;

    use crate::{
        commands::{check, completed, unknown},
        compose::{compose_faults, texts, yaml},
        dockerfile::{dockerfile_faults, exec, image_environment, instructions, is_healthy},
        place::{exists, said, text},
        unit::{service, unit},
    };

    const NONE: [String; 0] = [];

    fn example() -> String {
        text("deploy/tallyhook.example.toml").unwrap()
    }

    fn dockerfile() -> String {
        text("deploy/Dockerfile").unwrap()
    }

    #[test]
    fn the_example_is_a_good_configuration_with_and_without_what_it_leaves_out() {
        for config in [example(), completed(&example())] {
            let output = check(&config, &BTreeMap::new()).unwrap();
            assert!(output.status.success(), "{}\n{config}", said(&output));
        }
        assert!(completed(&example()).contains("\n[[tokens]]\n"));
        let bad = completed(&example()).replace("stale =", "stael =");
        assert!(!check(&bad, &BTreeMap::new()).unwrap().status.success());
    }

    #[test]
    fn the_example_has_every_key_of_a_first_configuration() {
        let home = tempdir().unwrap();
        let mut init = binary::command(&["init", "--directory"]).unwrap();
        assert!(init.arg(home.path()).output().unwrap().status.success());
        let first: toml::Table =
            fs::read_to_string(home.path().join("tallyhook.toml")).unwrap().parse().unwrap();
        let all: toml::Table = completed(&example()).parse().unwrap();
        let keys = |table: &toml::Table| {
            let mut keys = BTreeSet::new();
            named("", &toml::Value::Table(table.clone()), &mut keys);
            keys
        };
        let lacking: Vec<String> = keys(&first).difference(&keys(&all)).cloned().collect();
        assert_eq!(lacking, NONE);
    }

    fn named(path: &str, value: &toml::Value, keys: &mut BTreeSet<String>) {
        for (key, value) in value.as_table().into_iter().flatten() {
            let path = format!("{path}.{key}");
            named(&path, value, keys);
            keys.insert(path);
        }
    }

    #[test]
    fn compose_names_what_exists() {
        let compose = yaml(&text("deploy/compose.yaml").unwrap()).unwrap();
        assert_eq!(compose_faults(&compose), NONE);
        let arguments = texts(compose.pointer("/services/tallyhook/command"));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert_eq!(unknown(&arguments).unwrap(), NONE);

        let mut variables = image_environment(&dockerfile());
        let set = compose.pointer("/services/tallyhook/environment").unwrap();
        for (name, value) in set.as_object().unwrap() {
            // `${NAME:-default}` and `${NAME:?message}`.
            let value = value.as_str().unwrap();
            let inner = value.strip_prefix("${").and_then(|value| value.strip_suffix('}'));
            let value = inner.map_or(value, |inner| inner.split_once(":-").map_or("x", |(_, v)| v));
            variables.insert(name.clone(), value.to_owned());
        }
        assert!(variables.contains_key("TALLYHOOK_NATS__URL"));
        let output = check(&example(), &variables).unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }

    #[test]
    fn a_compose_file_that_names_nothing_real_is_found_out() {
        let bad = "services:\n  a:\n    build: {context: .., dockerfile: deploy/None}\n    volumes: [\"./none:/x\", \"lost:/y\"]\n    depends_on: [c]\n  b:\n    image: nats:latest\n";
        let faults = compose_faults(&yaml(bad).unwrap());
        assert_eq!(faults.len(), 5, "{faults:?}");
        assert!(yaml("a: [").is_err());
        assert!(!compose_faults(&yaml("a: 1").unwrap()).is_empty());
    }

    #[test]
    fn the_dockerfile_copies_what_exists_and_runs_without_rights() {
        let manifest: toml::Table = text("Cargo.toml").unwrap().parse().unwrap();
        let rust = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
        let ignored = text("deploy/Dockerfile.dockerignore").unwrap();
        assert_eq!(dockerfile_faults(&dockerfile(), &ignored, rust), NONE);
        let instructions = instructions(&dockerfile());
        let command = exec(&instructions, "CMD").unwrap();
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        assert_eq!(unknown(&arguments).unwrap(), NONE);
        assert_eq!(exec(&instructions, "ENTRYPOINT").unwrap(), ["/usr/local/bin/tallyhook"]);

        for (good, bad, faults) in [
            ("COPY crates", "COPY crate", 1),
            ("COPY crates", "COPY scripts", 1),
            ("USER tallyhook", "USER root", 1),
            ("USER tallyhook", "", 1),
            ("rust:1.95", "rust:1.80", 1),
            ("VOLUME", "VOLUMES", 1),
        ] {
            let broken = dockerfile().replacen(good, bad, 1);
            let found = dockerfile_faults(&broken, &ignored, "1.95");
            assert_eq!(found.len(), faults, "{good} -> {bad}: {found:?}");
        }
    }

    #[test]
    fn the_healthcheck_asks_the_private_listener() {
        let environment = image_environment(&dockerfile());
        let (_, port) = environment["TALLYHOOK_SERVER__PRIVATE"].split_once(':').unwrap();
        let command = exec(&instructions(&dockerfile()), "HEALTHCHECK").unwrap();
        assert!(is_healthy(&command, port, "200").unwrap());
        assert!(!is_healthy(&command, port, "503").unwrap());
    }

    #[test]
    fn the_unit_is_one_and_fits_the_example() {
        let text = text("deploy/tallyhook.service").unwrap();
        let settings = unit(&text).unwrap();
        for key in ["ExecStartPre", "ExecStart"] {
            let line = service(&settings, key).concat();
            let (program, arguments) = line.split_once(' ').unwrap();
            assert_eq!(program, "/usr/local/bin/tallyhook");
            let arguments: Vec<&str> = arguments.split(' ').collect();
            assert_eq!(unknown(&arguments).unwrap(), NONE, "{line}");
        }
        for key in ["DynamicUser", "NoNewPrivileges", "ProtectHome", "PrivateTmp"] {
            assert_eq!(service(&settings, key), ["yes"], "{key}");
        }
        let example: toml::Table = example().parse().unwrap();
        let data = example["server"]["data"].as_str().unwrap();
        assert_eq!(format!("/var/lib/{}", service(&settings, "StateDirectory").concat()), data);
        for bad in ["[Service\nA=1", "[Servce]\nA=1", "A=1", "[Unit]\nA", "[Unit]\na b=1"] {
            assert!(unit(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn systemd_finds_no_fault_in_the_unit() {
        if Command::new("systemd-analyze").arg("--version").output().is_err() {
            eprintln!("not checked: no systemd-analyze");
            return;
        }
        let program = binary::path().unwrap().canonicalize().unwrap();
        let program = program.to_str().unwrap();
        let text = text("deploy/tallyhook.service").unwrap();
        let text = text.replace("/usr/local/bin/tallyhook", program);
        let verify = |text: &str| {
            let home = tempdir().unwrap();
            fs::write(home.path().join("tallyhook.service"), text).unwrap();
            let mut command = Command::new("systemd-analyze");
            let command =
                command.args(["verify", "--man=no"]).arg(home.path().join("tallyhook.service"));
            said(&command.output().unwrap())
        };
        let ours = |said: &str| said.contains("tallyhook.service");
        let good = verify(&text);
        assert!(!ours(&good), "{good}");
        assert!(ours(&verify(&text.replace("ProtectClock=", "ProtectClok="))));
    }

    #[test]
    fn the_broker_reads_its_configuration_and_syncs_always() {
        let installed = || environment::workspace().join(".tools/bin/nats-server");
        let server = environment::variable(environment::NATS_SERVER).unwrap_or_else(installed);
        let file = environment::workspace().join("deploy/nats-dev.conf");
        let output = Command::new(server).arg("-t").arg("--config").arg(file).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let lines = text("deploy/nats-dev.conf").unwrap();
        assert!(lines.lines().any(|line| line.trim() == "sync_interval: always"));
    }

    #[test]
    fn the_page_names_files_and_commands_that_exist() {
        let page = text("deploy/README.md").unwrap();
        let mut commands = 0_usize;
        for span in page.split('`').skip(1).step_by(2) {
            let words: Vec<&str> = span.split_whitespace().collect();
            if let ["tallyhook", arguments @ ..] = words.as_slice()
                && !arguments.is_empty()
            {
                commands += 1;
                assert_eq!(unknown(arguments).unwrap(), NONE, "{span}");
            }
            let path = span.contains('/') && !span.starts_with('/') && words.len() == 1;
            assert!(!path || exists(span), "{span} is not there");
        }
        assert!(commands >= 2, "the page names {commands} commands");
        for row in page.lines().filter_map(|line| line.strip_prefix("| `")) {
            let file = row.split('`').next().unwrap();
            assert!(exists(&format!("deploy/{file}")), "deploy/{file} is not there");
        }
    }

    #[test]
    fn an_unknown_flag_or_subcommand_is_found_out() {
        assert_eq!(unknown(&["audit", "verify", "--data", "x"]).unwrap(), NONE);
        assert_eq!(unknown(&["audit", "verify", "--date", "x"]).unwrap().len(), 1);
        assert_eq!(unknown(&["serv", "--config", "x"]).unwrap().len(), 2);
    }
}
