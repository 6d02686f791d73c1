//! A statement checked from its leaves: what they move for the account, in the order of the log.

use crate::{
    amount::Amount,
    bundle::{Books, Standing, Statement},
    leaf::Leaf,
};

/// What an account has by section, while its records are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sums {
    /// Spendable, paid for.
    pub paid: Amount,
    /// Spendable, given.
    pub gift: Amount,
    /// Not spendable now.
    pub held: Amount,
    /// Owed by the customer.
    pub owed: Amount,
    /// Forgiven.
    pub written_off: Amount,
}

/// Why a statement doesn't hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementFault {
    /// A record has nothing to do with the account.
    #[error("record {sequence} moves no credits of the account")]
    Foreign {
        /// Which.
        sequence: u64,
    },
    /// An amount can't be read.
    #[error("record {sequence} has an amount that can't be read")]
    Amount {
        /// Which.
        sequence: u64,
    },
    /// More leaves a part of the account than is in it, so a record before is missing.
    #[error(
        "after record {sequence} a part of the account is below zero: an earlier record is missing"
    )]
    BelowZero {
        /// Which.
        sequence: u64,
    },
    /// The opening or the closing is not what the records come to.
    #[error("the {which} balance is not what the records before it come to")]
    Sum {
        /// Opening or closing.
        which: &'static str,
    },
    /// The opening lies behind the closing, or the closing isn't after the last record.
    #[error("its opening and closing don't fit its records: {opening}, {closing} of {records}")]
    Range {
        /// After how many records it opens.
        opening: u64,
        /// After how many it closes.
        closing: u64,
        /// How many there are.
        records: u64,
    },
}

impl Sums {
    /// Before the first record.
    pub const ZERO: Self = Self {
        paid: Amount::ZERO,
        gift: Amount::ZERO,
        held: Amount::ZERO,
        owed: Amount::ZERO,
        written_off: Amount::ZERO,
    };

    /// As a bundle has them.
    #[must_use]
    pub fn books(&self) -> Books {
        Books {
            paid: self.paid.to_string(),
            gift: self.gift.to_string(),
            held: self.held.to_string(),
            owed: self.owed.to_string(),
            written_off: self.written_off.to_string(),
        }
    }

    /// What the account has after a record. Only within the record may a part pass below zero.
    ///
    /// # Errors
    /// The record moves nothing for the account, or what it moves can't be.
    pub fn after(&self, account: &str, leaf: &Leaf) -> Result<Self, StatementFault> {
        let sequence = leaf.sequence;
        let mut sums = *self;
        let mut is_foreign = true;
        for movement in leaf.movements.iter().filter(|movement| movement.currency.is_none()) {
            let amount = Amount::parse(&movement.amount);
            let amount = amount.ok_or(StatementFault::Amount { sequence })?;
            for (book, amount) in [(&movement.to, amount), (&movement.from, amount.negated())] {
                let Some((sum, amount)) = sums.moved(account, book, amount) else { continue };
                *sum = sum.plus(amount).ok_or(StatementFault::Amount { sequence })?;
                is_foreign = false;
            }
        }
        if is_foreign {
            return Err(StatementFault::Foreign { sequence });
        }
        let parts = [sums.paid, sums.gift, sums.held, sums.owed, sums.written_off];
        if parts.iter().any(|part| *part < Amount::ZERO) {
            return Err(StatementFault::BelowZero { sequence });
        }
        Ok(sums)
    }

    /// The sum that an amount which arrives in a book changes, and by how much; none where the book
    /// is not the account's. What is owed or forgiven grows by what leaves its book.
    fn moved(
        &mut self,
        account: &str,
        book: &str,
        amount: Amount,
    ) -> Option<(&mut Amount, Amount)> {
        let (section, holder) = book.split_once(':')?;
        if holder != account {
            return None;
        }
        match section {
            "paid" => Some((&mut self.paid, amount)),
            "gift" => Some((&mut self.gift, amount)),
            "held" => Some((&mut self.held, amount)),
            "owed" => Some((&mut self.owed, amount.negated())),
            "written_off" => Some((&mut self.written_off, amount.negated())),
            _ => None,
        }
    }
}

/// Checks that the leaves, all of the account's from the first on, come to what the statement
/// says. Gives what the account had after each.
///
/// # Errors
/// See [`StatementFault`].
pub fn check(statement: &Statement, leaves: &[Leaf]) -> Result<Vec<Sums>, StatementFault> {
    let records = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
    let (opening, closing) = (&statement.opening, &statement.closing);
    if opening.records > closing.records || closing.records != records {
        let (opening, closing) = (opening.records, closing.records);
        return Err(StatementFault::Range { opening, closing, records });
    }
    let mut sums = Vec::with_capacity(leaves.len());
    let mut so_far = Sums::ZERO;
    stands(opening, 0, so_far, "opening")?;
    for (leaf, count) in leaves.iter().zip(1_u64..) {
        so_far = so_far.after(&statement.account, leaf)?;
        sums.push(so_far);
        stands(opening, count, so_far, "opening")?;
    }
    stands(closing, records, so_far, "closing")?;
    Ok(sums)
}

fn stands(
    standing: &Standing,
    count: u64,
    sums: Sums,
    which: &'static str,
) -> Result<(), StatementFault> {
    if standing.records != count || standing.books == sums.books() {
        Ok(())
    } else {
        Err(StatementFault::Sum { which })
    }
}
