//! What is sent: whole requests, made before the clock starts.

use std::{collections::BTreeMap, io::Write as _};

use anyhow::{Context, Result, ensure};
use ingestion::{paddle::sign, secret::Secret};
use sha2::{Digest as _, Sha256};
use tallyhook_tests::{
    home,
    paddle::{Purchase, SIGNED_AT},
};

/// Over how many accounts the purchases go.
pub(crate) const ACCOUNTS: usize = 50_000;

/// Stands in the template where each request has its own.
const PLACEHOLDER: u64 = 987_654_321;

/// Whether the signatures of a batch hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    Rightly,
    Wrongly,
}

/// Requests of one length, one after the other.
pub(crate) struct Batch {
    bytes: Vec<u8>,
    request: usize,
    body: usize,
    /// The status that all are answered with.
    pub(crate) status: &'static str,
}

impl Batch {
    pub(crate) fn len(&self) -> usize {
        self.bytes.len().checked_div(self.request).unwrap_or(0)
    }

    /// A whole request: head and body.
    pub(crate) fn request(&self, index: usize) -> Option<&[u8]> {
        self.bytes.chunks_exact(self.request).nth(index)
    }

    /// The bodies alone.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = &[u8]> {
        let head = self.request.saturating_sub(self.body);
        self.bytes.chunks_exact(self.request).filter_map(move |request| request.get(head..))
    }
}

/// A body with the places of what varies.
pub(crate) struct Template {
    body: Vec<u8>,
    /// Places of 26 characters each, by the prefix of the id.
    ids: BTreeMap<&'static str, Vec<usize>>,
    account: usize,
    right: Secret,
    wrong: Secret,
    made: u64,
    made_rightly: usize,
}

impl Template {
    /// The fixture `transaction.completed`, without its failed attempt and without white space.
    pub(crate) fn new() -> Result<Self> {
        let purchase = Purchase { number: PLACEHOLDER, account: account(0), cents: 1_000 };
        let mut body = purchase.body()?;
        let payments = body.pointer_mut("/data/payments").and_then(|list| list.as_array_mut());
        payments.context("a fixture without payments")?.truncate(1);
        let text = body.to_string();
        let digits = format!("_{PLACEHOLDER:026}");
        let mut ids = BTreeMap::new();
        for prefix in ["evt", "ntf", "txn", "txnitm"] {
            let sought = format!("\"{prefix}{digits}\"");
            let places: Vec<usize> = text
                .match_indices(&sought)
                .map(|(place, _)| place.saturating_add(prefix.len()).saturating_add(2))
                .collect();
            ensure!(!places.is_empty(), "the template lacks {sought}");
            ids.insert(prefix, places);
        }
        let account = text.find(&account(0)).context("the template lacks its account")?;
        let (right, wrong) = (home::secret()?, Secret::new("another secret")?);
        Ok(Self { body: text.into_bytes(), ids, account, right, wrong, made: 0, made_rightly: 0 })
    }

    pub(crate) fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// How many rightly signed requests there are so far.
    pub(crate) fn made_rightly(&self) -> usize {
        self.made_rightly
    }

    /// Makes so many requests; no two ever have an id in common.
    pub(crate) fn batch(&mut self, count: usize, signed: Signed) -> Result<Batch> {
        let mut bytes = Vec::new();
        let mut request = 0;
        for index in 0..count {
            self.fill(index)?;
            let secret = match signed {
                Signed::Rightly => &self.right,
                Signed::Wrongly => &self.wrong,
            };
            write!(
                bytes,
                "POST /webhooks/{} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nPaddle-Signature: {}\r\nContent-Length: {}\r\n\r\n",
                home::SOURCE,
                sign(secret, SIGNED_AT, &self.body),
                self.body.len()
            )?;
            bytes.extend_from_slice(&self.body);
            if index == 0 {
                request = bytes.len();
                bytes.reserve_exact(request.saturating_mul(count));
            }
        }
        ensure!(bytes.len() == request.saturating_mul(count), "requests differ in length");
        let status = match signed {
            Signed::Rightly => "200",
            Signed::Wrongly => "401",
        };
        if signed == Signed::Rightly {
            self.made_rightly = self.made_rightly.saturating_add(count);
        }
        Ok(Batch { bytes, request, body: self.body.len(), status })
    }

    /// Writes new ids and the next account over the last ones.
    fn fill(&mut self, index: usize) -> Result<()> {
        for (prefix, places) in &self.ids {
            let id = id(prefix, self.made);
            for place in places {
                put(&mut self.body, *place, id.as_bytes())?;
            }
        }
        put(&mut self.body, self.account, account(index % ACCOUNTS).as_bytes())?;
        self.made = self.made.saturating_add(1);
        Ok(())
    }
}

/// The account of a number, always of one length.
pub(crate) fn account(number: usize) -> String {
    format!("acct-{number:06}")
}

/// Like a provider's: 10 characters of time, then 16 that nobody can guess or compress.
fn id(prefix: &str, number: u64) -> String {
    let digest = Sha256::digest(format!("{prefix}{number}"));
    let mut id = format!("{number:010}{}", hex::encode(digest));
    id.truncate(26);
    id
}

fn put(body: &mut [u8], place: usize, text: &[u8]) -> Result<()> {
    let end = place.saturating_add(text.len());
    body.get_mut(place..end).context("a place outside of the body")?.copy_from_slice(text);
    Ok(())
}
