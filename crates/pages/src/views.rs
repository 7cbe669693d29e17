//! The pages, one file per noun.
//!
//! Each page struct derives [`askama::Template`]: bring the trait into scope and call
//! `page.render()`. Every page has a [`layout::Layout`]: who looks, the csrf token, a notice.
//! Where a page has forms, its `problems()` feed the summary of errors at its top.

pub mod account;
pub mod activity;
pub mod address;
pub mod amount;
pub mod api_key;
pub mod authorization;
pub mod chart;
pub mod connect;
pub mod connected_client;
pub mod connection;
pub mod connector;
pub mod consent;
pub mod document;
pub mod end_user;
pub mod error;
pub mod file;
pub mod flow;
pub mod flow_graph;
pub mod flow_run;
pub mod flow_secret;
pub mod flow_step;
pub mod flow_token;
pub mod flow_version;
pub mod form;
pub mod guide;
pub mod home;
pub mod integration;
pub mod invitation;
pub mod layout;
pub mod member;
pub mod memory;
mod mix;
pub mod moment;
pub mod own_connector;
pub mod pack;
pub mod pager;
pub mod partial;
pub mod pattern;
pub mod place;
pub mod playground;
pub mod reconnect;
pub mod reference;
pub mod reset;
pub mod search;
pub mod server;
pub mod server_tool;
pub mod settings;
pub mod setup;
pub mod sign_in;
pub mod skill;
pub mod token;
pub mod trying;
pub mod usage;
pub mod welcome;
pub mod workspace;

pub use account::{AccountPage, BrowserRow, OrganizationRow};
pub use activity::{ActivityPage, ActivityRow, ChangeRow, ChangesPage, Filter, Narrowing, Preset};
pub use api_key::{ApiKeyForm, ApiKeyRow, ApiKeysPage, Expiry, FreshKeyPage};
pub use authorization::{AuthorizationPage, DeviceView, Underway};
pub use chart::{BarChart, Figures, LineChart, Moment};
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
pub use end_user::{
    EndUserAccount, EndUserForm, EndUserPage, EndUserRow, EndUsersPage, SetupLinkView,
};
pub use error::ErrorPage;
pub use file::{
    Crumb, EntryKind, EntryRow, FileChangeView, FileEditPage, FileHistoryPage, FilePage, FilesPage,
    ShownAs,
};
pub use flow::{
    DrawnFlow, FlowPage, FlowRow, FlowServerRow, FlowTryPage, FlowsPage, LastRun, RunRow,
    RunStepRow, SavedFlow, TestRow, path_of as flow_path,
};
pub use flow_run::{FlowRunPage, FlowRunsPage};
pub use flow_secret::{FlowSecretRow, FlowSecretsPage};
pub use flow_step::{OpenStep, StepFieldView, StepForms};
pub use flow_token::{FlowTokenForm, FlowTokenRow, FreshFlowTokenPage, WorkspaceSettingsPage};
pub use flow_version::{DiffLine, FlowVersionPage, FlowVersionRow, FlowVersionsPage};
pub use form::{Field, Problem};
pub use guide::{GuideGroup, GuidePage, GuidesPage};
pub use home::{Failing, FailingRow, HomePage, StepRow, WorkspaceRow};
pub use integration::{IntegrationChoicePage, IntegrationPage, IntegrationRow, IntegrationsPage};
pub use invitation::{InvitationPage, InvitationState, Invited};
pub use layout::{Flash, Layout, SignedIn, Tone};
pub use member::{
    FreshLinkPage, InvitationRow, Inviting, LinkKind, Mail, MemberRow, MembersPage, RoleChoice,
};
pub use memory::{FolderRow, MemoryFilePage, MemoryPage, MemoryRow, MemoryVersionRow, SavedFile};
pub use mix::{ListSize, MixGroup, MixPicker, MixTick, SingleToolsPage};
pub use own_connector::{
    Changed, DefinitionPage, ImportPage, Mistake, OperationRow, OwnConnectorsPage, OwnRow,
    ReportView,
};
pub use pack::{
    OwnPackPage, PackCard, PackDropped, PackFlowRow, PackInstalled, PackPage, PackTestedHow,
    PackVariable, PackVariableKind, PacksPage,
};
pub use partial::{
    PartialChoicePage, PartialGroup, PartialInput, PartialPage, PartialRow, PartialsPage,
};
pub use place::{Choice, OneOf, Place, SomeOf, Tick};
pub use playground::{
    Declared, PlaygroundPage, PlaygroundTool, ProgramPage, Ran, RanCall, ToolCallPage,
};
pub use reconnect::{ReconnectPage, ReconnectState};
pub use reference::{OperationPage, ReferencePage, ReferenceView};
pub use reset::{ForgotPage, ResetPage, ResetState};
pub use search::{FoundRow, SearchPage};
pub use server::{
    FreshServerTokenPage, ServerFlowRow, ServerForm, ServerPage, ServerRow, ServerTokenRow,
    ServerToolRow, ServersPage,
};
pub use server_tool::{Kept, PickerGroup, PickerPage, ServerToolPage};
pub use settings::SettingsPage;
pub use setup::{SetupForm, SetupPage, SetupState};
pub use sign_in::{LinkState, SignInLinkPage, SignInPage};
pub use skill::{
    ImportSkillPage, SavedSkill, SkillFileRow, SkillPage, SkillRow, SkillVersionRow, SkillsPage,
};
pub use token::{Access, FreshTokenPage, TokenForm, TokenRow};
pub use trying::{InputKind, TriedOutcome, TryInput, TryingPage};
pub use usage::{UsagePage, UsagePart, UsageRow};
pub use welcome::WelcomePage;
pub use workspace::{CallRow, TrashRow, Usage, WorkspacePage};
