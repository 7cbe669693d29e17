//! The skills extension (SEP-2640): entries of skills, whose files are resources.

use crate::convert::refusal;
use crate::handler::Handler;
use quaymaster_core::door::{Listed, Offers};
use quaymaster_core::resource::SkillDef;
use rmcp::RoleServer;
use rmcp::model::{
    CacheScope, ErrorData, GetSkillResult, ListSkillsResult, PaginatedRequestParams, Skill,
    SkillFrontmatter, SkillResource, SkillResources,
};
use rmcp::service::RequestContext;
use serde_json::Value;

/// How long a client may believe an entry. Its digests say whether it is the one that was approved.
const TTL_MS: u64 = 300_000;

fn offered(offers: Offers) -> bool {
    offers.resources && offers.skills
}

pub(crate) async fn list(
    handler: &Handler,
    request: Option<PaginatedRequestParams>,
    context: &RequestContext<RoleServer>,
) -> Result<ListSkillsResult, ErrorData> {
    let caller = handler.offered(context, "skills", offered)?;
    let cursor = request.and_then(|request| request.cursor);
    let listed = handler.shared.door.skills(&caller, cursor.as_deref());
    let Listed { items, next } = listed.await.map_err(|fault| refusal(&fault))?;
    let mut answer = ListSkillsResult::with_all_items(items.into_iter().map(skill).collect());
    answer.next_cursor = next;
    answer.ttl_ms = Some(TTL_MS);
    answer.cache_scope = Some(CacheScope::Private);
    Ok(answer)
}

pub(crate) async fn get(
    handler: &Handler,
    uri: &str,
    context: &RequestContext<RoleServer>,
) -> Result<GetSkillResult, ErrorData> {
    let caller = handler.offered(context, "skills", offered)?;
    let found = handler.shared.door.skill(&caller, uri).await;
    let found = found.map_err(|fault| refusal(&fault))?;
    Ok(GetSkillResult::new(skill(found))
        .with_ttl_ms(TTL_MS)
        .with_cache_scope(CacheScope::Private))
}

fn skill(def: SkillDef) -> Skill {
    let mut frontmatter = SkillFrontmatter::new("", "");
    for (key, value) in def.frontmatter {
        match (key.as_str(), value) {
            ("name", Value::String(name)) => frontmatter.name = name,
            ("description", Value::String(description)) => frontmatter.description = description,
            (_, value) => {
                frontmatter.extra.insert(key, value);
            }
        }
    }
    let files = def.files.into_iter();
    let files = files.map(|file| SkillResource::new(file.uri, file.digest, file.size));
    Skill::new(def.uri, frontmatter, SkillResources::Files(files.collect()))
}
