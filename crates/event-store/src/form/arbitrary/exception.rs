//! Any exception, open or ended.

use domain::{
    exception::{Ended, Ending, Exception, ExceptionId, ExceptionKind, Filed},
    ids::AccountId,
};
use proptest::{option, prelude::*, sample::select};

use super::values::{id, moment, payment_key, sequence, text};

pub(crate) fn filed() -> BoxedStrategy<Filed> {
    let by = select(vec![Ending::CauseGone, Ending::Resolved]);
    let ended =
        (sequence(), moment(), by).prop_map(|(sequence, at, by)| Ended { sequence, at, by });
    (exception(), option::of(ended))
        .prop_map(|(exception, ended)| Filed { exception, ended })
        .boxed()
}

pub(crate) fn exception() -> BoxedStrategy<Exception> {
    (exception_id(), moment(), option::of(id(AccountId::new)), option::of(payment_key()), text())
        .prop_map(|(id, raised_at, account, payment, detail)| Exception {
            id,
            raised_at,
            account,
            payment,
            detail,
        })
        .boxed()
}

pub(crate) fn exception_id() -> impl Strategy<Value = ExceptionId> {
    (sequence(), exception_kind()).prop_map(|(sequence, kind)| ExceptionId { sequence, kind })
}

pub(crate) fn exception_kind() -> impl Strategy<Value = ExceptionKind> {
    select(ExceptionKind::ALL.to_vec())
}
