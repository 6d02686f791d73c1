//! TLS with the files of `deploy/nats`, and credentials as operators of NATS give them.

use anyhow::{Result, anyhow};
use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

/// A claim signed by its issuer, as NATS writes its JWTs.
fn signed(issuer: &KeyPair, subject: &KeyPair, name: &str, nats: &Value) -> Result<String> {
    let header = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let claim = json!({"jti": name, "iat": 1_700_000_000, "iss": issuer.public_key(),
        "name": name, "sub": subject.public_key(), "nats": nats});
    let encoded = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let text = format!("{}.{}", encoded(&header), encoded(&claim));
    let signature = issuer.sign(text.as_bytes()).map_err(|error| anyhow!("{error}"))?;
    Ok(format!("{text}.{}", BASE64URL_NOPAD.encode(&signature)))
}

/// An operator's installation: what its server is told, and a user's credentials.
pub(crate) struct Operated {
    pub(crate) config: String,
    pub(crate) credentials: String,
}

/// Makes an operator, an account with JetStream, and a user.
pub(crate) fn operated() -> Result<Operated> {
    let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
    let (system, user) = (KeyPair::new_account(), KeyPair::new_user());
    let limits = json!({"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
        "wildcards": true, "conn": -1, "leaf": -1, "mem_storage": -1, "disk_storage": -1,
        "streams": -1, "consumer": -1});
    let of_account = json!({"type": "account", "version": 2, "limits": limits});
    let of_system = json!({"type": "account", "version": 2, "limits": {"subs": -1, "conn": -1,
        "leaf": -1, "imports": -1, "exports": -1, "data": -1, "payload": -1}});
    let of_operator = json!({"type": "operator", "version": 2,
        "system_account": system.public_key()});
    let of_user = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
    let config = format!(
        "operator: {}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload: {{\n {}: {}\n {}: {}\n}}\n",
        signed(&operator, &operator, "operator", &of_operator)?,
        system.public_key(),
        account.public_key(),
        signed(&operator, &account, "tallyhook", &of_account)?,
        system.public_key(),
        signed(&operator, &system, "system", &of_system)?,
    );
    let seed = user.seed().map_err(|error| anyhow!("{error}"))?;
    let jwt = signed(&account, &user, "publisher", &of_user)?;
    let credentials = format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    );
    Ok(Operated { config, credentials })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use tallyhook_tests::{
        home::{CONFIG, Home, SOURCE, Setup, folder},
        paddle::Purchase,
        server::{Server, run},
    };

    use super::operated;
    use crate::{
        nats::{Servers, deployed},
        place::said,
    };

    /// Publishes an event, and reads it again.
    fn publishes(home: &Home) {
        let server = Server::start(home).unwrap();
        let purchase = Purchase { number: 1, account: "alice".to_owned(), cents: 100 };
        let answer = server.deliver(SOURCE, &purchase.delivery().unwrap()).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        server.ready().unwrap();
        let all = ["tail", "--config", CONFIG, "--since", "start", "--limit", "1"];
        let output = run(home, &all).unwrap();
        assert!(output.status.success() && said(&output).contains("alice"), "{}", said(&output));
        server.stop().unwrap();
    }

    #[test]
    fn events_go_by_tls_to_a_server_that_an_authority_vouches_for() {
        let files = folder().unwrap();
        let key = || KeyPair::generate().unwrap();
        let authority = |name: &str| {
            let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            CertifiedIssuer::self_signed(params, key()).unwrap()
        };
        let (ours, other) = (authority("ours"), authority("other"));
        let server_key = key();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&server_key, &ours).unwrap();
        let file = |name: &str, text: &str| {
            fs::write(files.path().join(name), text).unwrap();
            files.path().join(name).to_str().unwrap().to_owned()
        };
        let variables = [
            ("TALLYHOOK_NATS_TLS_CERT", file("server.pem", &certificate.pem())),
            ("TALLYHOOK_NATS_TLS_KEY", file("server.key", &server_key.serialize_pem())),
        ];
        let include = |name: &str| {
            let path = deployed(name).canonicalize().unwrap();
            // nats-server takes an included path from the folder of the file that includes it.
            format!(
                "include \"{}{}\"\n",
                "../".repeat(32),
                path.to_str().unwrap().trim_start_matches('/')
            )
        };
        let config = include("server.conf") + &include("tls.conf");
        let servers = Servers::one(&variables, Some(&config)).unwrap();
        let home = servers.home("ca = \"ca.pem\"").unwrap();
        home.write("ca.pem", &other.pem()).unwrap();
        let output = run(&home, &["doctor", "--config", CONFIG]).unwrap();
        let told = said(&output);
        assert!(
            told.contains("connect by TLS; check the ca") && told.contains("certificate"),
            "{told}"
        );
        home.write("ca.pem", &ours.pem()).unwrap();
        publishes(&home);
    }

    #[test]
    fn a_server_without_tls_is_given_up_where_tls_is_required() {
        let servers = Servers::one(&[], None).unwrap();
        let home = servers.home("tls = \"require\"").unwrap();
        let output = run(&home, &["doctor", "--config", CONFIG]).unwrap();
        let told = said(&output);
        assert!(told.contains("fail broker: "), "{told}");
    }

    #[test]
    fn events_go_by_credentials_and_a_replaced_file_is_used_by_the_next_connection() {
        let (operated, other) = (operated().unwrap(), operated().unwrap());
        let config = format!(
            "listen: $TALLYHOOK_NATS_LISTEN\njetstream {{ store_dir: $TALLYHOOK_NATS_STORE }}\n{}",
            operated.config
        );
        let servers = Servers::one(&[], Some(&config)).unwrap();
        let home = Home::new(&Setup::with_nats(&servers.urls().join(","))).unwrap();
        let text = fs::read_to_string(home.file(CONFIG)).unwrap();
        home.write(CONFIG, &format!("{text}credentials = \"publisher.creds\"\n")).unwrap();
        home.write("publisher.creds", &other.credentials).unwrap();
        let output = run(&home, &["doctor", "--config", CONFIG]).unwrap();
        assert!(said(&output).contains("the broker refused the user"), "{}", said(&output));
        home.write("publisher.creds", &operated.credentials).unwrap();
        publishes(&home);
    }
}
