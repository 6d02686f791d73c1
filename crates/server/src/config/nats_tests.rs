use std::{fs, path::Path};

use publisher::access::{Access, Authentication, ClientCertificate, Secret, Tls};

use super::{Config, Environment};

const SHA: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SEED: &str = "SUANQDPB2RUOE4ETUA26CNX7FUKE5ZZKFCQIIW63OX225F2CO7UEXTM7ZY";

/// Not a real certificate: what is checked is that there is one.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";

fn credentials() -> String {
    format!(
        "-----BEGIN NATS USER JWT-----\neyJ0.eyJq.c2ln\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{SEED}\n------END USER NKEY SEED------\n"
    )
}

/// Reads a configuration whose broker has these lines; faults name files without their folder.
fn parse(lines: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("policy.toml", include_str!("../../../../policies/all-sales-final.toml")),
        ("user.creds", &credentials()),
        ("user.nk", SEED),
        ("ca.pem", CERTIFICATE),
        ("key.pem", KEY),
        ("password", "hidden\n"),
        ("nonsense", "hidden"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let text = format!(
        "[server]\npublic = \"127.0.0.1:0\"\nprivate = \"127.0.0.1:0\"\ndata = \"data\"\n\
         [[tokens]]\nname = \"a\"\nsha256 = \"{SHA}\"\nroles = []\nledgers = []\n\
         [ledgers.main]\npolicy = \"policy.toml\"\nmode = \"live\"\naccount_from = [\"/a\"]\n\
         [nats]\n{lines}\n"
    );
    let path = folder.path().join("tallyhook.toml");
    fs::write(&path, text).unwrap();
    Config::load(&path, &Environment::of(variables))
        .map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

fn access(lines: &str) -> Access {
    parse(lines, &[("PASSWORD", "hidden")]).unwrap().nats.unwrap().access
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn one_server_or_several_are_named_by_text_or_list() {
    let addresses = |lines: &str| -> Vec<String> {
        access(lines).servers.iter().map(|server| server.as_str().to_owned()).collect()
    };
    assert_eq!(addresses("url = \"nats://a\""), ["nats://a"]);
    let both = ["nats://a:1", "tls://b"];
    assert_eq!(addresses("url = \"nats://a:1, tls://b\""), both);
    assert_eq!(addresses("url = [\"nats://a:1\", \"tls://b\"]"), both);
    let config = parse("url = \"nats://x\"", &[("TALLYHOOK_NATS__URL", "nats://a:1,tls://b")]);
    assert_eq!(config.unwrap().nats.unwrap().access.servers.len(), 2);
}

#[test]
fn each_way_of_authentication_is_read() {
    let way = |lines: &str| access(&format!("url = \"nats://a\"\n{lines}")).authentication;
    assert_eq!(way(""), Authentication::None);
    let Authentication::Credentials(path) = way("credentials = \"user.creds\"") else { panic!() };
    assert_eq!(name(&path), "user.creds");
    let Authentication::Nkey(path) = way("nkey = \"user.nk\"") else { panic!() };
    assert_eq!(name(&path), "user.nk");
    let hidden = || Secret::new("hidden".to_owned());
    assert_eq!(way("token = \"env:PASSWORD\""), Authentication::Token(hidden()));
    let named = Authentication::Password { user: "jo".to_owned(), password: hidden() };
    assert_eq!(way("user = \"jo\"\npassword = \"file:password\""), named);
    assert_eq!(access("url = \"nats://jo:hidden@a\"").authentication, named);
}

#[test]
fn whoever_is_vouched_for_is_reached_by_tls_only() {
    let tls = |lines: &str| access(&format!("url = \"nats://a\"\n{lines}")).tls;
    assert_eq!(tls(""), Tls::default());
    assert_eq!(tls("tls = \"require\""), Tls { is_required: true, ..Tls::default() });
    let Tls { is_required, ca, client } =
        tls("ca = \"ca.pem\"\ncert = \"ca.pem\"\nkey = \"key.pem\"");
    let ClientCertificate { certificate, key } = client.unwrap();
    let names =
        (name(&ca.unwrap()).to_owned(), name(&certificate).to_owned(), name(&key).to_owned());
    assert!(is_required);
    assert_eq!(names, ("ca.pem".to_owned(), "ca.pem".to_owned(), "key.pem".to_owned()));
}

#[test]
fn replicas_are_one_three_or_five() {
    let replicas = |lines: &str| parse(&format!("url = \"nats://a\"\n{lines}"), &[]);
    assert_eq!(replicas("").unwrap().nats.unwrap().replicas, 1);
    assert_eq!(replicas("replicas = 3").unwrap().nats.unwrap().replicas, 3);
    for wrong in ["2", "0", "7"] {
        let said = replicas(&format!("replicas = {wrong}")).unwrap_err();
        assert!(said.contains("line 16: nats.replicas"), "{said}");
    }
}

#[test]
fn what_contradicts_or_is_missing_is_told_with_line_and_remedy_and_without_secrets() {
    for (lines, line, problem, remedy) in [
        ("url = \"\"", 15, "is no address", "nats://127.0.0.1:4222"),
        ("url = []", 15, "names no server", "nats://127.0.0.1:4222"),
        ("url = \"http://user:hidden@a\"", 15, "is no address", "nats://127.0.0.1:4222"),
        ("url = \"nats://a,nats://jo:hidden@b\"", 15, "different users", "all servers the same"),
        ("credentials = \"user.creds\"", 14, "url: is missing", "nats://127.0.0.1:4222"),
        (
            "url = \"nats://a\"\ncredentials = \"user.creds\"\nnkey = \"user.nk\"",
            17,
            "nkey: is a second way to be known to the broker, besides credentials",
            "keep one",
        ),
        (
            "url = \"nats://jo:hidden@a\"\ntoken = \"env:PASSWORD\"",
            16,
            "token: is a second way to be known to the broker, besides the user in url",
            "keep one",
        ),
        ("url = \"nats://a\"\nuser = \"jo\"", 14, "a user and no password", "env:NATS_PASSWORD"),
        ("url = \"nats://a\"\npassword = \"env:PASSWORD\"", 14, "no user", "user ="),
        ("url = \"nats://a\"\ntoken = \"hidden\"", 16, "no reference to a secret", "env:NAME"),
        ("url = \"nats://a\"\ntoken = \"env:ABSENT\"", 16, "ABSENT, which is not set", "token"),
        ("url = \"nats://a\"\ncredentials = \"absent\"", 16, "absent", "name the .creds file"),
        ("url = \"nats://a\"\ncredentials = \"nonsense\"", 16, "is no credentials file", ".creds"),
        ("url = \"nats://a\"\nnkey = \"nonsense\"", 16, "is no seed", "nk -gen user"),
        ("url = \"nats://a\"\nca = \"nonsense\"", 16, "has no certificate", "PEM"),
        ("url = \"nats://a\"\ncert = \"ca.pem\"", 14, "a cert and no key", "key ="),
        ("url = \"nats://a\"\nkey = \"key.pem\"", 14, "a key and no cert", "cert ="),
        ("url = \"nats://a\"\ncert = \"ca.pem\"\nkey = \"ca.pem\"", 17, "no private key", "PEM"),
        ("url = \"nats://a\"\ntls = \"off\"", 16, "is not one of", "require"),
    ] {
        let said = parse(lines, &[("PASSWORD", "hidden")]).unwrap_err();
        let place = format!("line {line}: nats");
        let fits =
            |text: &str| text.contains(&place) && text.contains(problem) && text.contains(remedy);
        assert!(said.lines().any(fits), "{lines}\n{place}, {problem}, {remedy}:\n{said}");
        assert!(!said.contains("hidden") && !said.contains(SEED), "{said}");
    }
}
