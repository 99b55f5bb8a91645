//! The closed list of finding codes. A code is never renamed and never reused.

use std::fmt;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The bundle is refused.
    Error,
    /// The bundle is served; something in it is probably not meant.
    Warning,
    /// The bundle is served; something in it must not be forgotten.
    Note,
}

impl Severity {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Declares the codes once: variant, text and meaning cannot drift apart.
macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $name:ident = $text:literal,)+) => {
        /// The kind of a finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl Code {
            /// Every code: errors, warnings, notes, each in the order of their texts.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable text, for example `P044`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// How much a finding of this code weighs: `P` is an error, `W` a warning, `N` a note.
            pub fn severity(self) -> Severity {
                match self.as_str().as_bytes().first() {
                    Some(b'W') => Severity::Warning,
                    Some(b'N') => Severity::Note,
                    _ => Severity::Error,
                }
            }

            /// What the code means, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($meaning),+).trim_ascii()),+ }
            }
        }
    };
}

codes! {
    /// A runtime file is missing.
    MissingFile = "P001",
    /// A file may be written by its group or by everybody.
    WritableByOthers = "P002",
    /// A file is larger than 4 MiB.
    FileTooLarge = "P003",
    /// A file is not valid UTF-8.
    NotUtf8 = "P004",
    /// A file begins with a byte order mark.
    ByteOrderMark = "P005",
    /// A line ends with a carriage return.
    CarriageReturn = "P006",
    /// A control character or an invisible character.
    HiddenCharacter = "P007",
    /// A file that is no part of a bundle.
    UnexpectedFile = "P008",

    /// The model differs from the one this engine implements.
    ModelDiffers = "P010",

    /// A quote in a row; rows have no quoting.
    Quote = "P020",
    /// A comment behind a row; comments have lines of their own.
    InlineComment = "P021",
    /// A row of an unknown type.
    RowType = "P022",
    /// A row with too few or too many fields.
    Arity = "P023",
    /// A name that is not an identifier.
    BadName = "P024",
    /// Something written twice.
    Duplicate = "P025",

    /// The role `anonymous` is missing.
    NoAnonymous = "P030",
    /// Roles that inherit each other in a circle.
    Cycle = "P031",
    /// A chain of more than 10 roles that inherit from each other.
    TooDeep = "P032",
    /// More of something than a bundle can hold.
    TooMany = "P033",

    /// A role that is not known.
    UnknownRole = "P040",
    /// A resource that is not declared.
    UnknownResource = "P041",
    /// An action that its resource does not have.
    UnknownAction = "P042",
    /// A scope other than `own`, `others` or `any`.
    UnknownScope = "P043",
    /// An effect other than `allow` or `deny`.
    UnknownEffect = "P044",
    /// A scope other than `any` on a resource that nobody owns.
    ScopeWithoutOwner = "P045",
    /// A policy without a single rule.
    NoRules = "P046",
    /// A mode that is not known.
    UnknownMode = "P047",

    /// A file that is not valid TOML.
    TomlSyntax = "P050",
    /// A key that is not known at its place.
    UnknownKey = "P051",
    /// A key that has no default and is not written.
    MissingKey = "P052",
    /// A value of the wrong kind, for example a number where a list belongs.
    WrongKind = "P053",
    /// A method that a route cannot have.
    BadMethod = "P054",
    /// A path pattern that is not understood.
    BadPattern = "P055",
    /// A permission that is not declared.
    UnknownPermission = "P056",
    /// A way of authentication that is not known.
    UnknownAuth = "P057",
    /// A network that is not declared.
    UnknownNetwork = "P058",
    /// An address range that is not understood.
    BadNetwork = "P059",
    /// An address range with bits set behind its prefix.
    HostBits = "P060",
    /// A size that is not understood or out of bounds.
    BadSize = "P061",
    /// A media type that is not understood.
    BadMedia = "P062",
    /// Two routes that match the same request.
    Overlap = "P063",
    /// A duration that is not understood or out of bounds.
    BadDuration = "P064",
    /// A quota out of bounds.
    BadQuota = "P065",
    /// A word that the `key` or the `count` of a limit cannot be.
    UnknownLimitWord = "P066",
    /// A limit that is not declared.
    UnknownLimit = "P067",
    /// A limit per principal on a route that reads no token.
    LimitWithoutPrincipal = "P068",
    /// A second factor wanted where no token is required that could tell of one.
    MfaWithoutToken = "P069",

    /// Casbin and the compiled table disagree.
    ProofDisagrees = "P070",
    /// Casbin could not answer.
    ProofFailed = "P071",
    /// Casbin panicked.
    ProofPanicked = "P072",

    /// A file of cases that is not understood.
    CaseSyntax = "P080",
    /// A request in a case that is not a method and a plain path.
    CaseRequest = "P081",
    /// An address in a case that is not understood.
    CaseAddress = "P082",
    /// An age of a second factor in a case that is not understood.
    CaseAge = "P083",
    /// A route in a case that there is none of.
    CaseRoute = "P084",

    /// An origin that is not written exactly as browsers send it.
    BadOrigin = "P090",
    /// A header that is not one name in small letters.
    BadHeader = "P091",
    /// A text that cannot be the value of a header.
    BadHeaderValue = "P092",

    /// A file that is no OpenAPI document, or one whose operations name no permissions.
    OpenApiSyntax = "P100",
    /// An operation of the upstream's that no route leads to.
    OperationWithoutRoute = "P101",
    /// A route that leads to no operation of the upstream's.
    RouteWithoutOperation = "P102",
    /// An operation that demands another permission than its route does.
    PermissionDiffers = "P103",

    /// A rule that says nothing which another rule does not say.
    RepeatedRule = "W101",
    /// A rule without which nothing changes, for what several others say.
    DeadRule = "W102",
    /// An allow that is overridden by denies, all of it.
    OverriddenRule = "W103",
    /// A deny of what nobody is allowed.
    IdleDeny = "W104",
    /// A deny that takes from a senior what it is allowed by other rules.
    DenyReachesSenior = "W105",

    /// A role that no rule reaches.
    RoleWithoutRules = "W201",
    /// A role that can do neither more nor less than one below it.
    EqualRole = "W202",
    /// A role that lacks a condition which a role below it has.
    ConditionNotInherited = "W203",
    /// A role whose condition is weaker than that of a role below it.
    WeakerCondition = "W204",

    /// A route that nobody is allowed on.
    NobodyAllowed = "W301",
    /// A route whose conditions nobody can meet who is allowed on it.
    UnreachableRoute = "W302",
    /// A role that is allowed on a route and can never be where the route answers.
    RoleKeptOut = "W303",
    /// A route that takes callers without a token and allows them nothing.
    ClosedToVisitors = "W304",

    /// A permission that no route needs.
    UnneededPermission = "W401",
    /// A permission that no rule allows.
    UngrantedPermission = "W402",
    /// A resource that no route and no rule is about.
    UnusedResource = "W403",
    /// A network that no role and no route is kept to.
    UnusedNetwork = "W404",
    /// A limit that no route counts towards.
    UnusedLimit = "W405",

    /// A network that holds nobody.
    EmptyNetwork = "W501",
    /// An address range that lies within another of its network.
    OverlappingRanges = "W502",

    /// A rule, route or limit that is only tried.
    OnlyTried = "N101",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_rise_and_every_code_has_a_meaning() {
        let place = |code: &Code| (code.severity(), code.as_str());
        assert!(Code::ALL.is_sorted_by(|a, b| place(a) < place(b)));
        assert!(Code::ALL.iter().all(|code| code.meaning().ends_with('.')));
    }
}
