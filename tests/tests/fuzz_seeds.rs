//! The fuzzer's seeds as tests: every target takes all of them, and bytes that are near them.
//!
//! `tests/fuzz/README.md` says how to fuzz, and how an input that broke something becomes a seed.
//! `TALLYHOOK_MUTATIONS=100` has each target take a hundred times as many changed seeds.

#[cfg(test)]
mod tests {
    use std::{fs, panic, path::PathBuf};

    use tallyhook_tests::{
        dice::Dice,
        environment,
        fuzz::{TARGETS, Target, mutations::mutated},
    };

    fn folder() -> PathBuf {
        environment::workspace().join("tests/fuzz/seeds")
    }

    /// The files of a folder by their names.
    fn files(folder: PathBuf) -> Vec<(String, Vec<u8>)> {
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        let entries = fs::read_dir(folder).unwrap();
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .map(|path| (name(&path), fs::read(&path).unwrap()))
            .collect();
        files.sort();
        files
    }

    /// Asks with bytes and says which, where something is false.
    fn ask(target: Target, what: &str, bytes: &[u8]) {
        let asked = panic::catch_unwind(|| (target.check)(bytes));
        assert!(asked.is_ok(), "{} with {what}: {}", target.name, bytes.escape_ascii());
    }

    /// Asks a target with all of its seeds and with so many changed ones.
    fn check(name: &str, mutations: u64) {
        let target = *TARGETS.iter().find(|target| target.name == name).unwrap();
        let seeds = files(folder().join(name));
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for (file, bytes) in &seeds {
            ask(target, file, bytes);
        }
        let seeds: Vec<Vec<u8>> = seeds.into_iter().map(|(_, bytes)| bytes).collect();
        let times = environment::number("TALLYHOOK_MUTATIONS").unwrap_or(1);
        for seed in 0..mutations * times {
            ask(target, &format!("mutation {seed}"), &mutated(&seeds, &mut Dice::new(seed)));
        }
    }

    #[test]
    fn every_target_has_seeds_a_binary_and_a_test() {
        let folders: Vec<String> = fs::read_dir(folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        let manifest = folder().join("../Cargo.toml");
        let manifest: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
        let binaries = manifest["bin"].as_array().unwrap();
        assert_eq!((folders.len(), binaries.len()), (TARGETS.len(), TARGETS.len()));
        for target in TARGETS {
            assert!(folders.iter().any(|folder| folder == target.name), "{}", target.name);
            let named = |binary: &&toml::Value| binary["name"].as_str() == Some(target.name);
            assert!(binaries.iter().any(|binary| named(&binary)), "{}", target.name);
            let test = format!("check(\"{}\", ", target.name);
            assert!(include_str!("fuzz_seeds.rs").contains(&test), "no test asks {}", target.name);
        }
    }

    #[test]
    fn signatures() {
        check("signature", 10_000);
    }

    #[test]
    fn bodies_of_paddle() {
        check("paddle", 2_000);
    }

    #[test]
    fn stored_forms() {
        check("stored", 100_000);
    }

    #[test]
    fn stored_values() {
        check("frames", 50_000);
    }

    #[test]
    fn policy_files() {
        check("policy", 10_000);
    }

    #[test]
    fn configuration_files() {
        check("config", 10_000);
    }

    #[test]
    fn requests_of_the_api() {
        check("command", 300);
    }
}
