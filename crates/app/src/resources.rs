//! What callers read by URI. Today these are skills.

use crate::App;
use crate::skills::shelf::sees_skills;
use quaymaster_core::Caller;
use quaymaster_core::door::Offers;

impl App {
    /// What there is for a caller besides tools.
    pub(crate) fn offers(caller: &Caller) -> Offers {
        let skills = sees_skills(caller);
        Offers {
            resources: skills,
            skills,
            ..Offers::default()
        }
    }
}
