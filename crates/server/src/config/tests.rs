use std::{fs, path::Path};

use super::*;

const POLICY: &str = include_str!("../../../../policies/all-sales-final.toml");

const SHA: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn good() -> String {
    format!(
        r#"[server]
public = "127.0.0.1:0"
private = "127.0.0.1:0"
data = "data"

[[tokens]]
name = "gateway"
sha256 = "{SHA}"
roles = ["read", "spend"]
ledgers = ["main"]

[ledgers.main]
policy = "policy.toml"
mode = "sandbox"
account_from = ["/data/custom_data/account_id"]

[ledgers.main.sources.paddle]
provider = "paddle"
secrets = ["env:SECRET"]
"#
    )
}

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policy.toml"), POLICY).unwrap();
    fs::write(folder.path().join("bad.toml"), "version = 0").unwrap();
    fs::write(folder.path().join("secret"), "pdl_from_file\n").unwrap();
    let path = folder.path().join("tallyhook.toml");
    fs::write(&path, text).unwrap();
    let environment = Environment::of(variables);
    Config::load(&path, &environment)
        .map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

#[test]
fn a_configuration_gets_the_documented_defaults() {
    let config = parse(&good(), &[("SECRET", "s")]).unwrap();
    let ledger = config.ledgers.values().next().unwrap();
    let source = &ledger.sources[0];
    assert_eq!(source.origin.as_str(), "paddle");
    assert_eq!(source.tolerance_seconds, Some(300));
    assert_eq!(source.future_seconds, 60);
    assert_eq!(ledger.settings.stale, Stale::Accept);
    assert_eq!(ledger.settings.mode, Mode::Sandbox);
    assert!(config.data.is_absolute());
    assert_eq!(config.nats, None);
}

#[test]
fn the_environment_overrides_every_key() {
    let variables = [
        ("SECRET", "s"),
        ("TALLYHOOK_SERVER__PUBLIC", "127.0.0.1:9000"),
        ("TALLYHOOK_LEDGERS__MAIN__MODE", "live"),
        ("TALLYHOOK_LEDGERS__MAIN__SOURCES__PADDLE__TOLERANCE_SECONDS", "off"),
        ("TALLYHOOK_LEDGERS__MAIN__SOURCES__PADDLE__FUTURE_SECONDS", "5"),
        ("TALLYHOOK_LEDGERS__MAIN__SOURCES__PADDLE__SECRETS", r#"["file:secret"]"#),
        ("TALLYHOOK_TOKENS", "[]"),
        ("TALLYHOOK_NATS__URL", "nats://127.0.0.1:4222"),
        ("TALLYHOOK_LOG", "no override"),
    ];
    let config = parse(&good(), &variables).unwrap();
    let ledger = config.ledgers.values().next().unwrap();
    assert_eq!(config.public.port(), 9000);
    assert_eq!(ledger.settings.mode, Mode::Live);
    assert_eq!(ledger.settings.tolerance_seconds, None);
    assert_eq!(ledger.sources[0].future_seconds, 5);
    let secret = ingestion::secret::Secret::new("pdl_from_file").unwrap();
    assert_eq!(ledger.sources[0].secrets[0].fingerprint(), secret.fingerprint());
    assert!(config.tokens.is_empty());
    assert_eq!(config.nats.unwrap().access.servers[0].as_str(), "nats://127.0.0.1:4222");
}

#[test]
fn each_fault_is_named_with_its_line_and_remedy() {
    for (good_line, bad_line, line, said) in [
        ("data = \"data\"", "date = \"data\"", 4, "did you mean \"data\"?"),
        ("public = \"127.0.0.1:0\"", "public = \"localhost\"", 2, "is no address with port"),
        ("public = \"127.0.0.1:0\"", "public = 8080", 2, "must be text"),
        ("mode = \"sandbox\"", "mode = \"test\"", 14, "is not one of \"live\", \"sandbox\""),
        ("mode = \"sandbox\"", "", 12, "ledgers.main.mode: is missing"),
        (
            "provider = \"paddle\"",
            "provider = \"stripe\"",
            18,
            "is not supported by this version yet",
        ),
        ("provider = \"paddle\"", "provider = \"pedal\"", 18, "is not a known provider"),
        (
            "secrets = [\"env:SECRET\"]",
            "secrets = [\"pdl_ntfset_x\"]",
            19,
            "never the secret itself",
        ),
        ("secrets = [\"env:SECRET\"]", "secrets = [\"env:OTHER\"]", 19, "OTHER, which is not set"),
        ("secrets = [\"env:SECRET\"]", "secrets = [\"file:none\"]", 19, "which can't be read"),
        (
            "secrets = [\"env:SECRET\"]",
            "secrets = [\"file:a\\nb\"]",
            19,
            "a\\nb, which can't be read",
        ),
        ("secrets = [\"env:SECRET\"]", "secrets = [\"env:\\u0007\"]", 19, "variable \\u{7}, which"),
        ("policy.toml", "no\\nne.toml", 13, "no\\nne.toml (No such file"),
        ("secrets = [\"env:SECRET\"]", "secrets = []", 19, "has no secret"),
        (
            "secrets = [",
            "tolerance_seconds = -1\nsecrets = [",
            19,
            "neither whole seconds nor \"off\"",
        ),
        ("secrets = [", "stale = \"drop\"\nsecrets = [", 19, "is not one of"),
        ("[\"/data/custom_data/account_id\"]", "[\"data\"]", 15, "must begin with '/'"),
        ("[\"/data/custom_data/account_id\"]", "[]", 15, "names no place of the account"),
        ("policy.toml", "none.toml", 13, "can't be read"),
        ("policy.toml", "bad.toml", 13, "has faults"),
        ("ledgers = [\"main\"]", "ledgers = [\"other\"]", 10, "a ledger that is not configured"),
        (SHA, "secret-token", 8, "is not the 64 hexadecimal digits"),
        ("\"read\", \"spend\"", "\"admin\"", 9, "is not one of"),
        (
            "[ledgers.main.sources.paddle]",
            "[ledgers.main.sources.Paddle]",
            17,
            "lower-case letters",
        ),
    ] {
        let text = good().replacen(good_line, bad_line, 1);
        let faults = parse(&text, &[("SECRET", "s")]).unwrap_err();
        let named = faults.lines().any(|fault| {
            fault.starts_with(&format!("tallyhook.toml: line {line}: ")) && fault.contains(said)
        });
        assert!(named, "{bad_line:?} should say {said:?} in line {line}:\n{faults}");
        assert!(!faults.contains("pdl_ntfset_x") && !faults.contains("secret-token"), "{faults}");
    }
}

#[test]
fn all_faults_are_reported_together_with_those_of_the_policy_and_the_environment() {
    let text = good()
        .replacen("data = \"data\"", "date = 1", 1)
        .replacen("policy.toml", "bad.toml", 1)
        .replacen("\"read\"", "\"reed\"", 1);
    let faults = parse(&text, &[("SECRET", ""), ("TALLYHOOK_SERVR__PUBLIC", "x")]).unwrap_err();
    for said in [
        "server.data: is missing",
        "server.date: is not a known key",
        "\"reed\"",
        "has faults: bad.toml",
        "bad.toml: line 1: version",
        "a secret must not be empty",
        "environment TALLYHOOK_SERVR__PUBLIC: servr: is not a known key",
    ] {
        assert!(faults.contains(said), "{said:?} is missing in\n{faults}");
    }
}

#[test]
fn names_and_settings_that_would_clash_are_refused() {
    let again = "\n[ledgers.two]\npolicy = \"policy.toml\"\nmode = \"live\"\naccount_from = [\"/data/x\"]\n\
                 [ledgers.two.sources.paddle]\nprovider = \"paddle\"\nsecrets = [\"env:SECRET\"]\n";
    let faults = parse(&(good() + again), &[("SECRET", "s")]).unwrap_err();
    assert!(faults.contains("is the name of another ledger's source"), "{faults}");

    let differs = "\n[ledgers.main.sources.second]\nprovider = \"paddle\"\nsecrets = [\"env:SECRET\"]\nstale = \"quarantine\"\n";
    let faults = parse(&(good() + differs), &[("SECRET", "s")]).unwrap_err();
    assert!(faults.contains("differ in tolerance_seconds, future_seconds or stale"), "{faults}");

    let same = good().replace("127.0.0.1:0", "127.0.0.1:8080");
    let faults = parse(&same, &[("SECRET", "s")]).unwrap_err();
    assert!(faults.contains("one address for public and private"), "{faults}");
}

#[test]
fn a_file_that_is_not_there_is_named_with_the_way_out() {
    let error = Config::load(Path::new("/none/tallyhook.toml"), &Environment::of(&[])).unwrap_err();
    assert!(error.to_string().contains("tallyhook init"), "{error}");
}

#[test]
fn checkpoints_have_usual_settings_and_every_fault_of_theirs_is_told() {
    let secret = ("SECRET", "s");
    let key = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let usual = parse(&good(), &[secret]).unwrap().checkpoints;
    assert_eq!((usual.origin.as_str(), usual.every.as_secs()), ("tallyhook", 60));
    assert!(usual.key.is_none() && usual.file.is_none());
    let text = "[checkpoints]\norigin = \"a.example/b\"\nkey = \"env:KEY\"\nfile = \"c\"\n";
    let set = format!("{}{text}every_seconds = 5\n", good());
    let set = parse(&set, &[secret, ("KEY", key)]).unwrap().checkpoints;
    assert_eq!((set.origin.as_str(), set.every.as_secs()), ("a.example/b", 5));
    assert!(set.key.is_some() && set.file.unwrap().is_absolute());
    for (line, fault) in [
        ("origin = \"a b\"", "is empty, or has a space"),
        ("origin = \"a/\"", "is empty, or has a space"),
        ("every_seconds = 0", "checkpoints.every_seconds"),
        ("file = \"\"", "must not be empty"),
        ("key = \"env:KEY\"", "has an id that doesn't belong"),
        ("key = \"a\"", "is no reference to a secret"),
        ("other = 1", "other"),
    ] {
        let text = format!("{}[checkpoints]\n{line}\n", good());
        let wrong = key.replace("c74f", "c75f");
        let told = parse(&text, &[secret, ("KEY", &wrong)]).unwrap_err();
        assert!(told.contains(fault) && !told.contains("gQoUAtU"), "{line}: {told}");
        assert!(!told.contains(&wrong), "{line}: {told}");
    }
}
