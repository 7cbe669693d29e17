//! How long a credential is good.

use quaymaster_core::{Fault, Instant};

/// Longer than anybody plans for, and far from the end of what an instant can say.
const MOST_DAYS: i64 = 3_650;

/// How long an API key is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// 1 to 3,650 days from now.
    Days(u32),
    /// Later than now, by 3,650 days at most.
    At(Instant),
    Never,
}

impl Default for Expiry {
    fn default() -> Self {
        Expiry::Days(90)
    }
}

impl Expiry {
    pub(crate) fn from(self, now: Instant) -> Result<Option<Instant>, Fault> {
        let latest = now.plus_seconds(MOST_DAYS * 86_400);
        match self {
            Expiry::Days(days) if days >= 1 && i64::from(days) <= MOST_DAYS => {
                Ok(Some(now.plus_seconds(i64::from(days) * 86_400)))
            }
            Expiry::Days(_) => Err(Fault::invalid_arg(
                "/expires_in_days",
                "range",
                "A key is good for 1 to 3,650 days, or never expires.",
            )),
            Expiry::At(at) if now < at && at <= latest => Ok(Some(at)),
            Expiry::At(at) if at <= now => Err(Fault::invalid_arg(
                "/expires_at",
                "minimum",
                format!("A key expires in the future, and it is {now} now."),
            )),
            Expiry::At(_) => Err(Fault::invalid_arg(
                "/expires_at",
                "maximum",
                "A key is good for 3,650 days at most, or never expires.",
            )),
            Expiry::Never => Ok(None),
        }
    }
}
