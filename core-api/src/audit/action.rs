//! What acts there are, what they are about, and how they end: closed sets of stable words.

/// Makes an enum whose variants have one stable word each.
macro_rules! words {
    ($(#[$doc:meta])+ $name:ident { $($variant:ident = $word:literal,)+ }) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($variant,)+ }

        impl $name {
            /// The stable word in the trail and in answers.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
    // The same, and a list of them all.
    (listed $(#[$doc:meta])+ $name:ident { $($variant:ident = $word:literal,)+ }) => {
        words! { $(#[$doc])+ $name { $($variant = $word,)+ } }

        impl $name {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The variant of a word.
            pub(crate) fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}

words! {
    listed
    /// What somebody did, or tried.
    Action {
        LoginSucceeded = "login.succeeded",
        LoginChallenged = "login.challenged",
        LoginFailed = "login.failed",
        SecondFactorShown = "session.second_factor_shown",
        SessionEnded = "session.ended",
        SessionsEnded = "account.sessions_ended",
        RefreshTokenReused = "session.refresh_token_reused",
        AccountRegistered = "account.registered",
        AccountInvited = "account.invited",
        AccountImported = "account.imported",
        EmailVerified = "account.email_verified",
        PasswordChanged = "password.changed",
        PasswordReset = "password.reset",
        PasswordLinkSent = "password.link_sent",
        FactorBegun = "factor.begun",
        FactorEnrolled = "factor.enrolled",
        FactorRemoved = "factor.removed",
        RecoveryCodesRenewed = "factor.recovery_codes_renewed",
        AccountRectified = "account.rectified",
        EmailChangeAsked = "account.email_change_asked",
        AccountExported = "account.exported",
        AccountErased = "account.erased",
        ConsentGiven = "consent.given",
        ConsentWithdrawn = "consent.withdrawn",
        RoleChanged = "account.role_changed",
        AccountDisabled = "account.disabled",
        AccountEnabled = "account.enabled",
        ProductPublished = "product.published",
        ProductEdited = "product.edited",
        ProductWithdrawn = "product.withdrawn",
        SkuOffered = "product.sku_offered",
        PriceChanged = "product.price_changed",
        ImageAdded = "product.image_added",
        ImageRemoved = "product.image_removed",
        CategoryOpened = "category.opened",
        CategoryClosed = "category.closed",
        StockReceived = "stock.received",
        StockAdjusted = "stock.adjusted",
        StockCounted = "stock.counted",
        StockThresholdSet = "stock.threshold_set",
        OrderPlaced = "order.placed",
        OrderCancelled = "order.cancelled",
        OrderPaid = "order.paid",
        OrderFulfilling = "order.fulfilling",
        OrderShipped = "order.shipped",
        OrderDelivered = "order.delivered",
        OrderReturned = "order.returned",
        PaymentOpened = "payment.opened",
        RefundAsked = "refund.asked",
        RefundSettled = "refund.settled",
        RefundFailed = "refund.failed",
        JobRetried = "job.retried",
        SigningKeysChanged = "keys.signing_changed",
        DataKeysRewrapped = "keys.data_rewrapped",
        AuditRead = "audit.read",
        AuditVerified = "audit.verified",
    }
}

words! {
    /// What an act is about.
    ObjectKind {
        Account = "account",
        Session = "session",
        Product = "product",
        Category = "category",
        Movement = "movement",
        Order = "order",
        Payment = "payment",
        Refund = "refund",
        Job = "job",
    }
}

words! {
    /// How an act ended.
    Outcome {
        Done = "done",
        Refused = "refused",
    }
}

words! {
    /// What more there is to say of an act.
    Detail {
        UnknownName = "unknown_name",
        WrongPassword = "wrong_password",
        WrongCode = "wrong_code",
        LastSuperAdmin = "last_super_admin",
        SecondFactor = "second_factor",
        ToSuperAdmin = "to_super_admin",
        ToAdmin = "to_admin",
        ToStaff = "to_staff",
        ToCustomer = "to_customer",
        ToAnotherRole = "to_another_role",
    }
}

impl Detail {
    /// The role that somebody has from now on. A role of another name is not told by it: names of
    /// roles are typed by people.
    pub(crate) fn role(name: &str) -> Self {
        match name {
            "super-admin" => Self::ToSuperAdmin,
            "admin" => Self::ToAdmin,
            "staff" => Self::ToStaff,
            "customer" => Self::ToCustomer,
            _ => Self::ToAnotherRole,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_word_is_one_variants_and_is_read_back() {
        let words: BTreeSet<_> = Action::ALL.iter().map(|one| one.as_str()).collect();
        assert_eq!(words.len(), Action::ALL.len());
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(*action));
        }
        assert_eq!(Action::parse("order.placed "), None);
        assert_eq!(Detail::role("super-admin"), Detail::ToSuperAdmin);
        assert_eq!(Detail::role("a-secret"), Detail::ToAnotherRole);
    }
}
