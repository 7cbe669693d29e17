//! Lists in pages: `limit` and `offset`.

use quaymaster_core::Fault;
use serde::Deserialize;
use utoipa::IntoParams;

const USUAL: i64 = 100;
const MOST: i64 = 500;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// How many to leave out at the start.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
}

impl Paging {
    /// For an endpoint that has more parameters than these two.
    pub(crate) fn new(limit: Option<i64>, offset: Option<i64>) -> Self {
        Paging { limit, offset }
    }

    /// The limit and the offset.
    pub(crate) fn checked(&self) -> Result<(i64, i64), Fault> {
        let limit = checked_limit(self.limit)?;
        let offset = self.offset.unwrap_or(0);
        if offset < 0 {
            let message = "An offset is not negative.";
            return Err(Fault::invalid_arg("/offset", "minimum", message));
        }
        Ok((limit, offset))
    }

    /// The page of a whole list, and how long the list is.
    pub(crate) fn cut<T>(&self, all: Vec<T>) -> Result<(Vec<T>, usize), Fault> {
        let (limit, offset) = self.checked()?;
        let total = all.len();
        let limit = usize::try_from(limit).unwrap_or(0);
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok((all.into_iter().skip(offset).take(limit).collect(), total))
    }
}

/// 1 to 500; 100 when absent.
pub(crate) fn checked_limit(limit: Option<i64>) -> Result<i64, Fault> {
    let limit = limit.unwrap_or(USUAL);
    if (1..=MOST).contains(&limit) {
        return Ok(limit);
    }
    Err(Fault::invalid_arg(
        "/limit",
        "range",
        format!("A limit is 1 to {MOST}."),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_and_the_whole_is_counted() {
        let page = |limit, offset| Paging { limit, offset }.cut((0..7).collect::<Vec<_>>());
        assert_eq!(page(Some(2), Some(3)).unwrap(), (vec![3, 4], 7));
        assert_eq!(page(None, Some(9)).unwrap(), (vec![], 7));
        for (limit, offset) in [(Some(0), None), (Some(501), None), (None, Some(-1))] {
            assert!(page(limit, offset).is_err());
        }
    }
}
