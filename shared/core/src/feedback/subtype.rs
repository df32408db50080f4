//! The closed lists of types and subtypes, each with a case for what SES adds later.

/// A list of names that SES documents.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$case_doc:meta])* $case:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$case_doc])* $case,)+
            /// Not documented when this was written; kept by its name.
            Unknown(String),
        }

        impl $name {
            /// Every documented case, with SES's name for it.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($text, Self::$case)),+];

            /// Reads SES's name.
            #[must_use]
            pub fn parse(text: &str) -> Self {
                match text {
                    $($text => Self::$case,)+
                    other => Self::Unknown(other.to_owned()),
                }
            }

            /// SES's name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$case => $text,)+
                    Self::Unknown(name) => name,
                }
            }
        }
    };
}

names! {
    /// Bounces after which the address is not mailed again.
    PermanentBounce {
        /// A hard bounce without more.
        General = "General",
        /// The address does not exist.
        NoEmail = "NoEmail",
        /// On SES's global suppression list.
        Suppressed = "Suppressed",
        /// On the account's suppression list.
        OnAccountSuppressionList = "OnAccountSuppressionList",
        /// On the SES tenant's suppression list.
        OnTenantSuppressionList = "OnTenantSuppressionList",
        /// Below the threshold of SES's address validation.
        EmailValidationSuppressed = "EmailValidationSuppressed",
        /// The contact left the contact list that the mail named.
        UnsubscribedRecipient = "UnsubscribedRecipient",
    }
}

names! {
    /// Bounces that may pass.
    TransientBounce {
        /// A soft bounce without more.
        General = "General",
        /// The mailbox is full.
        MailboxFull = "MailboxFull",
        /// The mail is too large.
        MessageTooLarge = "MessageTooLarge",
        /// Not delivered in the time the sender set.
        CustomTimeoutExceeded = "CustomTimeoutExceeded",
        /// The content was refused.
        ContentRejected = "ContentRejected",
        /// The attachment was refused.
        AttachmentRejected = "AttachmentRejected",
    }
}

names! {
    /// What a complaint says (IANA, MARF feedback types).
    ComplaintType {
        /// Unsolicited mail, or other abuse.
        Abuse = "abuse",
        /// An authentication failed.
        AuthFailure = "auth-failure",
        /// Fraud or phishing.
        Fraud = "fraud",
        /// The recipient says that it was no spam.
        NotSpam = "not-spam",
        /// Something else.
        Other = "other",
        /// A virus was found.
        Virus = "virus",
    }
}

names! {
    /// Why SES made a complaint itself.
    ComplaintSubType {
        /// The address is on the account's suppression list; SES did not try.
        OnAccountSuppressionList = "OnAccountSuppressionList",
        /// The address is on the SES tenant's suppression list; SES did not try.
        OnTenantSuppressionList = "OnTenantSuppressionList",
    }
}

names! {
    /// Why a mail is late.
    DelayType {
        /// A fault within SES.
        InternalFailure = "InternalFailure",
        /// An error in the SMTP conversation.
        General = "General",
        /// The mailbox is full.
        MailboxFull = "MailboxFull",
        /// The recipient's server sees much unwanted mail from this account.
        SpamDetected = "SpamDetected",
        /// The recipient's server has a passing fault.
        RecipientServerError = "RecipientServerError",
        /// The recipient's provider blocks or throttles the sending IP address.
        IpFailure = "IPFailure",
        /// The connection failed.
        TransientCommunicationFailure = "TransientCommunicationFailure",
        /// SES could not look up the name of an own IP address.
        ByoIpHostNameLookupUnavailable = "BYOIPHostNameLookupUnavailable",
        /// SES does not know.
        Undetermined = "Undetermined",
        /// SES held it back.
        SendingDeferral = "SendingDeferral",
    }
}

/// The type of a bounce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BounceType {
    /// The address does not work.
    Permanent(PermanentBounce),
    /// It may work another time; SES has given up on this mail.
    Transient(TransientBounce),
    /// SES could not tell.
    Undetermined,
    /// A type that SES did not document when this was written; never suppresses.
    Unknown {
        /// The type's name.
        kind: String,
        /// The subtype's name.
        subtype: String,
    },
}

impl BounceType {
    /// Reads SES's names.
    #[must_use]
    pub fn parse(kind: &str, subtype: &str) -> Self {
        match kind {
            "Permanent" => Self::Permanent(PermanentBounce::parse(subtype)),
            "Transient" => Self::Transient(TransientBounce::parse(subtype)),
            "Undetermined" => Self::Undetermined,
            _ => Self::Unknown { kind: kind.to_owned(), subtype: subtype.to_owned() },
        }
    }

    /// SES's names of the type and the subtype.
    #[must_use]
    pub fn names(&self) -> (&str, &str) {
        match self {
            Self::Permanent(subtype) => ("Permanent", subtype.as_str()),
            Self::Transient(subtype) => ("Transient", subtype.as_str()),
            Self::Undetermined => ("Undetermined", "Undetermined"),
            Self::Unknown { kind, subtype } => (kind, subtype),
        }
    }
}
