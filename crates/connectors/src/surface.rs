//! From actions to tools: names, presets, companions, schemas for vendors, declarations, search.
//!
//! Pure functions: no IO, no clock, nothing of a tenant. What a definition says was written by
//! strangers, so texts are cleaned and cut before a model reads them, and nothing here fails on a
//! definition that the lint would not let pass.
//!
//! - [`name`]: aliases and the names of tools
//! - [`preset`]: saved inputs, and how they win
//! - [`tools`](mod@tools): what a server in the mode TOOLS lists
//! - [`companion`]: tools that list the values of an input
//! - [`vendor`]: schemas that the vendors of models accept
//! - [`flows`]: flows as actions of one more alias
//! - [`typescript`], [`reading`]: what code reads, and what a model reads about it
//! - [`index`]: finds actions by plain words
//! - [`tokens`](mod@tokens): how many tokens a text is, about

pub mod companion;
pub mod flows;
pub mod index;
mod inline;
pub mod name;
pub mod preset;
pub mod reading;
mod strip;
mod texts;
pub mod tokens;
pub mod tools;
pub mod typescript;
pub mod vendor;

pub use companion::{Asked, OptionCall, Options, Value as OptionValue, option_call};
pub use flows::{FLOWS, of_flows};
pub use index::{Hit, Index};
pub use name::{ToolName, check_alias, code_name, tool_name};
pub use preset::{Partial, Preset};
pub use reading::read_api;
pub use tokens::tokens;
pub use tools::{OwnTexts, SurfaceTool, Switched, What, clashes, tools};
pub use typescript::declarations;
pub use vendor::{original_names, restore_names, vendor_safe};

pub use quaymaster_core::tool::JsonObject;
