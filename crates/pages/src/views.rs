//! The pages, one file per noun.
//!
//! Each page struct derives [`askama::Template`]: bring the trait into scope and call
//! `page.render()`. Every page has a [`layout::Layout`]: who looks, the csrf token, a notice.
//! Where a page has forms, its `problems()` feed the summary of errors at its top.

pub mod account;
pub mod address;
pub mod amount;
pub mod api_key;
pub mod authorization;
pub mod connect;
pub mod connected_client;
pub mod connection;
pub mod connector;
pub mod consent;
pub mod document;
pub mod error;
pub mod form;
pub mod invitation;
pub mod layout;
pub mod member;
pub mod moment;
pub mod own_connector;
pub mod reconnect;
pub mod reference;
pub mod reset;
pub mod settings;
pub mod setup;
pub mod sign_in;
pub mod token;
pub mod trying;
pub mod welcome;
pub mod workspace;

pub use account::{AccountPage, BrowserRow, OrganizationRow};
pub use api_key::{ApiKeyForm, ApiKeyRow, ApiKeysPage, Expiry, FreshKeyPage, WorkspaceChoice};
pub use authorization::{AuthorizationPage, DeviceView, Underway};
pub use connect::{Connect, ConnectKind, ConnectLine};
pub use connected_client::ClientRow;
pub use connection::{AccountCard, Changing, ConnectionPage, Flows, InputRow, ToolList, ToolRow};
pub use connector::{
    ActionInFull, ActionView, Connecting, ConnectorCard, ConnectorPage, ConnectorsPage, ModulePage,
    ModuleView, RecipeView, SigningIn, TestedHow, WayChoice,
};
pub use consent::ConsentPage;
pub use document::{
    DocumentForm, DocumentPage, DocumentRow, DocumentStatus, DocumentsPage, PassageRow, PieceView,
};
pub use error::ErrorPage;
pub use form::{Field, Problem};
pub use invitation::{InvitationPage, InvitationState, Invited};
pub use layout::{Flash, Layout, SignedIn, Tone};
pub use member::{
    FreshLinkPage, InvitationRow, Inviting, LinkKind, Mail, MemberRow, MembersPage, RoleChoice,
};
pub use own_connector::{
    Changed, DefinitionPage, ImportPage, Mistake, OperationRow, OwnConnectorsPage, OwnRow,
    ReportView,
};
pub use reconnect::{ReconnectPage, ReconnectState};
pub use reference::{ReferencePage, ReferenceView};
pub use reset::{ForgotPage, ResetPage, ResetState};
pub use settings::SettingsPage;
pub use setup::{SetupForm, SetupPage, SetupState};
pub use sign_in::{LinkState, SignInLinkPage, SignInPage};
pub use token::{Access, FreshTokenPage, TokenForm, TokenRow};
pub use trying::{AccountToTry, InputKind, TriedOutcome, TryInput, TryingPage};
pub use welcome::WelcomePage;
pub use workspace::{CallRow, TrashRow, Usage, WorkspacePage, WorkspaceRow, WorkspacesPage};
