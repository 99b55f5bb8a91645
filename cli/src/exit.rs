//! What each exit code promises to scripts.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: it is done, and the answer, where there is one, is yes.
    Done,
    /// 1: it could not be done.
    Failed,
    /// 2: it is done, and the answer is no: denied, refused, different.
    No,
    /// 3: it is done, and somebody could reach more than before, which nobody accepted.
    Widened,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::FAILURE,
            Exit::No => Self::from(2),
            Exit::Widened => Self::from(3),
        }
    }
}
