//! What every order is asked: its name, its account, the delivery that it decides again.

use super::{Delivery, Order};
use crate::ids::AccountId;

impl Order {
    /// The name that the API and the balance events show.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Debit { .. } => "debit",
            Self::Hold { .. } => "hold",
            Self::Capture { .. } => "capture",
            Self::ReleaseHold { .. } => "release_hold",
            Self::ExpireHold { .. } => "expire_hold",
            Self::Return { .. } => "return",
            Self::Grant { .. } => "grant",
            Self::Freeze { .. } => "freeze",
            Self::Unfreeze { .. } => "unfreeze",
            Self::ClearMeasure { .. } => "clear_measure",
            Self::Close { .. } => "close",
            Self::WriteOff { .. } => "write_off",
            Self::AssignPayment { .. } => "assign_payment",
            Self::AssignCustomer { .. } => "assign_customer",
            Self::OpenCase { .. } => "open_case",
            Self::InformCase { .. } => "inform_case",
            Self::ApproveCase { .. } => "approve_case",
            Self::DenyCase { .. } => "deny_case",
            Self::WithdrawCase { .. } => "withdraw_case",
            Self::ConcludeDispute { .. } => "conclude_dispute",
            Self::Release { .. } => "release",
            Self::Resolve { .. } => "resolve",
            Self::Import(_) => "import",
            Self::ActivatePolicy { .. } => "activate_policy",
            Self::Configure(_) => "configure",
            Self::Erase { .. } => "erase",
        }
    }

    /// The delivery that this order decides again.
    #[must_use]
    pub fn released(&self) -> Option<&Delivery> {
        if let Self::Release { delivery, .. } = self { Some(delivery) } else { None }
    }

    /// The account that this order names; none where it names another thing or the whole ledger.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Debit { account, .. }
            | Self::Hold { account, .. }
            | Self::Capture { account, .. }
            | Self::ReleaseHold { account, .. }
            | Self::ExpireHold { account, .. }
            | Self::Return { account, .. }
            | Self::Grant { account, .. }
            | Self::Freeze { account, .. }
            | Self::Unfreeze { account, .. }
            | Self::ClearMeasure { account, .. }
            | Self::Close { account, .. }
            | Self::WriteOff { account, .. }
            | Self::AssignPayment { account, .. }
            | Self::AssignCustomer { account, .. }
            | Self::OpenCase { account, .. } => Some(account),
            Self::Import(import) => Some(&import.account),
            Self::InformCase { .. }
            | Self::ApproveCase { .. }
            | Self::DenyCase { .. }
            | Self::WithdrawCase { .. }
            | Self::ConcludeDispute { .. }
            | Self::Release { .. }
            | Self::Resolve { .. }
            | Self::ActivatePolicy { .. }
            | Self::Configure(_)
            | Self::Erase { .. } => None,
        }
    }
}
