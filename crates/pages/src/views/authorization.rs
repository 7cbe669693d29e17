//! An account that is signing in at its service.

use askama::Template;

use super::layout::Layout;

/// `/connections/authorize/{id}`: posts nothing to itself, which leads to the service.
#[derive(Debug, Clone, Template)]
#[template(path = "authorization.html")]
pub struct AuthorizationPage {
    pub layout: Layout,
    pub id: String,
    pub connector_key: String,
    pub connector_title: String,
    pub underway: Underway,
}

/// How far a sign-in is.
#[derive(Debug, Clone)]
pub enum Underway {
    /// The person has not gone to the service.
    ToGo,
    /// Somebody else began it.
    NotYours,
    OnDevice(DeviceView),
    /// The path of the account.
    Done {
        account: String,
    },
    Failed {
        problem: String,
    },
}

/// What is needed on another device.
#[derive(Debug, Clone)]
pub struct DeviceView {
    pub user_code: String,
    /// Where the link leads: with the code, if the service has such an address.
    pub address: String,
    pub shown_address: String,
    /// Between two looks.
    pub seconds: i64,
}
