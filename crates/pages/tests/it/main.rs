//! Reads every page as a browser would, computes the contrast of the colours, and drives the
//! handlers over a real database.

#[cfg(test)]
mod account;
#[cfg(test)]
mod activity;
#[cfg(test)]
mod assets;
#[cfg(test)]
mod authorizing;
#[cfg(test)]
mod connected_clients;
#[cfg(test)]
mod connecting;
#[cfg(test)]
mod connectors;
#[cfg(test)]
mod contrast;
#[cfg(test)]
mod files;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod invitations;
#[cfg(test)]
mod keys_and_tokens;
#[cfg(test)]
mod members;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod reconnecting;
#[cfg(test)]
mod resets;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod search;
#[cfg(test)]
mod server;
#[cfg(test)]
mod signing_in;
#[cfg(test)]
mod upstream;
#[cfg(test)]
mod workspaces;
