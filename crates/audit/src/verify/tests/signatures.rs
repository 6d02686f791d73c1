//! Signatures are checked again with the secrets that are given.

use domain::{
    input::{BackFill, Evidence, Listing},
    record::Record,
};
use event_store::memory::MemoryViews;

use super::{rules::rewritten, *};
use crate::findings::Signatures;

fn audited_with(log: &dyn EventLog, secrets: &[Secret]) -> Report {
    let views = Arc::new(MemoryViews::new());
    verify(log, &*views, &Projections::new(views.clone()), secrets, |_| ()).unwrap()
}

#[test]
fn signatures_hold_by_the_secret_that_the_record_names_and_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let log = write(dir.path()).log();
    let stranger = Secret::new("pdl_ntfset_other").unwrap();
    let report = audited_with(&*log, &[stranger.clone(), source().secrets[0].clone()]);
    assert!(report.is_clean());
    assert_eq!(report.signatures, Signatures { hold: 5, ..Signatures::NONE });

    let report = audited_with(&*log, &[stranger]);
    assert!(report.is_clean());
    let [(secret, span)] = &report.signatures.secret_not_given.into_iter().collect::<Vec<_>>()[..]
    else {
        panic!("one secret signed them")
    };
    assert_eq!(*secret, source().secrets[0].fingerprint());
    assert_eq!((span.count, span.first.get(), span.last.get()), (5, 3, 7));
}

/// Who can write the log can make the chain fit again; without the secret not the signature.
#[test]
fn a_signature_that_was_not_made_by_the_secret_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let log = write(dir.path()).log();
    let forged = rewritten(&*log, |record: &mut Record| {
        if record.sequence.get() == 4
            && let Input::Delivery(delivery) = &mut record.input
            && let Evidence::Signed(signature) = &mut delivery.evidence
        {
            signature.header = signature.header.replace("h1=", "h1=0").into();
        }
    });
    let report = audited_with(&forged, &source().secrets);
    let found: Vec<_> = report.findings.iter().map(|it| (it.kind, it.sequence)).collect();
    assert_eq!(found, [(Kind::SignatureBroken, Sequence::new(4))]);
    assert_eq!(report.signatures, Signatures { hold: 4, broken: 1, ..Signatures::NONE });
    assert!(audited_with(&forged, &[]).is_clean());
}

#[test]
fn what_nobody_signed_is_counted_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let log = write(dir.path()).log();
    let brought = rewritten(&*log, |record: &mut Record| {
        if record.sequence.get() == 4
            && let Input::Delivery(delivery) = &mut record.input
        {
            let actor = Actor::new("operator").unwrap();
            let back_fill = BackFill { actor, listing: Listing::Events };
            delivery.evidence = Evidence::BackFilled(back_fill);
        }
    });
    let report = audited_with(&brought, &source().secrets);
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.signatures, Signatures { hold: 4, back_filled: 1, ..Signatures::NONE });
}
