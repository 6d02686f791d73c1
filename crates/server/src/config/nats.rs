//! The keys of the broker: where it is, as whom it is reached, and by TLS.

use std::path::{Path, PathBuf};

use policy_file::reader::{Faulted, Item, Reader};
use publisher::access::{self, Access, Authentication, ClientCertificate, Secret, Server, Tls};

use super::{Nats, read::Around, secret, shown};

/// The keys of the table.
pub(super) const KEYS: [&str; 11] = [
    "url",
    "credentials",
    "nkey",
    "user",
    "password",
    "token",
    "tls",
    "ca",
    "cert",
    "key",
    "replicas",
];

/// What the address is written like.
const URL: &str = "write url = \"nats://127.0.0.1:4222\"; several servers of one cluster in a list";

pub(super) fn nats(table: &mut Reader<'_, '_>, around: &Around<'_>) -> Result<Nats, Faulted> {
    let servers = table.required("url", URL).and_then(|mut item| servers(&mut item));
    let by_url = servers.as_ref().ok().and_then(|(_, authentication)| authentication.clone());
    let authentication = authentication(table, around, by_url);
    let tls = tls(table, around);
    let replicas = table.optional("replicas").map_or(Ok(1), |mut item| replicas(&mut item));
    let (servers, _) = servers?;
    let access = Access { servers, authentication: authentication?, tls: tls? };
    Ok(Nats { access, replicas: replicas? })
}

/// Servers, and as whom they are reached where an address says so.
type Servers = (Vec<Server>, Option<Authentication>);

/// One address, several separated by commas, or a list: a variable of the environment has no list
/// without quotes.
fn servers(item: &mut Item<'_, '_>) -> Result<Servers, Faulted> {
    let all = if item.is_list() {
        item.list(|item| server(item))?
    } else {
        let text = item.text()?;
        let each = text.split(',').map(|url| Server::parse(url.trim()));
        each.collect::<Result<Vec<_>, _>>().map_err(|fault| item.fault(fault, URL))?
    };
    let mut ways = all.iter().map(|(_, way)| way);
    let Some(first) = ways.next().cloned() else {
        return Err(item.fault("names no server", URL));
    };
    if ways.any(|way| *way != first) {
        let remedy = "give all servers the same, or the user and password by keys of their own";
        return Err(item.fault("has addresses with different users", remedy));
    }
    let first = Some(first).filter(|way| *way != Authentication::None);
    Ok((all.into_iter().map(|(server, _)| server).collect(), first))
}

fn server(item: &mut Item<'_, '_>) -> Result<(Server, Authentication), Faulted> {
    let url = item.text()?;
    Server::parse(url).map_err(|fault| item.fault(fault, URL))
}

/// The one way in which the broker knows us.
fn authentication(
    table: &mut Reader<'_, '_>,
    around: &Around<'_>,
    by_url: Option<Authentication>,
) -> Result<Authentication, Faulted> {
    let mut way = by_url.map(|way| ("the user in url", way));
    let mut faulted = None;
    let credentials = table.optional("credentials").map(|mut item| {
        let remedy = "name the .creds file of the broker's user";
        let path = file(&mut item, around, access::credentials, remedy)?;
        one(&mut item, &mut way, ("credentials", Authentication::Credentials(path)))
    });
    let nkey = table.optional("nkey").map(|mut item| {
        let remedy = "name a file with the seed alone, as `nk -gen user` prints it";
        let path = file(&mut item, around, access::seed, remedy)?;
        one(&mut item, &mut way, ("nkey", Authentication::Nkey(path)))
    });
    let token = table.optional("token").map(|mut item| {
        let token = Secret::new(secret::text(&mut item, around, "the broker's token")?);
        one(&mut item, &mut way, ("token", Authentication::Token(token)))
    });
    let named = password(table, around, &mut way);
    for read in [credentials, nkey, token, Some(named)].into_iter().flatten() {
        faulted = read.err().or(faulted);
    }
    match faulted {
        Some(faulted) => Err(faulted),
        None => Ok(way.map_or(Authentication::None, |(_, way)| way)),
    }
}

/// A way to be known, and what it is called.
type Way = (&'static str, Authentication);

/// Takes a way if it is the first.
fn one(item: &mut Item<'_, '_>, known: &mut Option<Way>, way: Way) -> Result<(), Faulted> {
    match known {
        None => {
            *known = Some(way);
            Ok(())
        }
        Some((before, _)) => Err(item.fault(
            format!("is a second way to be known to the broker, besides {before}"),
            "keep one: credentials, nkey, token, or user and password",
        )),
    }
}

fn password(
    table: &mut Reader<'_, '_>,
    around: &Around<'_>,
    way: &mut Option<Way>,
) -> Result<(), Faulted> {
    let user = table.optional("user").map(|mut item| match item.text()? {
        "" => Err(item.fault("must not be empty", "write the user's name")),
        user => Ok(user.to_owned()),
    });
    let password = table.optional("password").map(|mut item| {
        let password = secret::text(&mut item, around, "the password of the broker's user")?;
        Ok(Secret::new(password))
    });
    match (user, password) {
        (None, None) => Ok(()),
        (Some(user), Some(password)) => {
            let way_found = Authentication::Password { user: user?, password: password? };
            match table.optional("user") {
                Some(mut item) => one(&mut item, way, ("user and password", way_found)),
                None => Ok(()),
            }
        }
        (Some(_), None) => {
            Err(table.fault("has a user and no password", "write password = \"env:NATS_PASSWORD\""))
        }
        (None, Some(_)) => {
            Err(table.fault("has a password and no user", "write user = \"publisher\""))
        }
    }
}

/// Who vouches for the server, or a certificate of ours, means TLS: without it anybody between
/// could have the connection unprotected.
fn tls(table: &mut Reader<'_, '_>, around: &Around<'_>) -> Result<Tls, Faulted> {
    let required =
        table.optional("tls").map_or(Ok(false), |mut item| item.choice(&[("require", true)]));
    let mut named = |key: &str, check: Check, remedy: &str| {
        table.optional(key).map(|mut item| file(&mut item, around, check, remedy)).transpose()
    };
    let ca = named("ca", access::certificates, "name the PEM file of who signed the broker's");
    let cert = named("cert", access::certificates, "name the PEM file of our certificate");
    let key = named("key", access::private_key, "name the PEM file of its private key");
    let client = match (cert?, key?) {
        (Some(certificate), Some(key)) => Some(ClientCertificate { certificate, key }),
        (None, None) => None,
        (Some(_), None) => {
            return Err(table.fault("has a cert and no key", "write key = \"client.key\""));
        }
        (None, Some(_)) => {
            return Err(table.fault("has a key and no cert", "write cert = \"client.pem\""));
        }
    };
    let ca = ca?;
    let is_required = required? || ca.is_some() || client.is_some();
    Ok(Tls { is_required, ca, client })
}

/// Says what is wrong with a file's text.
type Check = fn(&str) -> Result<(), &'static str>;

/// The path of a file that can be read and has what it should.
fn file(
    item: &mut Item<'_, '_>,
    around: &Around<'_>,
    check: Check,
    remedy: &str,
) -> Result<PathBuf, Faulted> {
    let path = around.folder.join(item.text()?);
    let named = |path: &Path| shown(path.display());
    let text = (around.files)(&path).map_err(|error| {
        item.fault(format!("can't be read: {} ({error})", named(&path)), remedy)
    })?;
    match check(&text) {
        Ok(()) => Ok(path),
        Err(problem) => Err(item.fault(format!("{} {problem}", named(&path)), remedy)),
    }
}

/// JetStream's numbers that survive the loss of a server and never are an even vote.
fn replicas(item: &mut Item<'_, '_>) -> Result<usize, Faulted> {
    let remedy = "write replicas = 1, or 3 or 5 in a cluster of as many servers";
    match item.integer(1..=5_u8)? {
        number @ (1 | 3 | 5) => Ok(usize::from(number)),
        number => Err(item.fault(format!("{number} is none of 1, 3 and 5"), remedy)),
    }
}
