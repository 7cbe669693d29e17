//! How a list is read page by page, told by names that services use. What is not certain is not said.

use super::answers::Answer;
use super::refs::Spot;
use super::tree::Node;
use crate::definition::{PageSize, Pagination, PaginationKind};
use serde_json::{Map, Value};

const CURSORS: [&str; 16] = [
    "cursor",
    "page_token",
    "pageToken",
    "pagetoken",
    "next_token",
    "nextToken",
    "NextToken",
    "page_cursor",
    "pageCursor",
    "start_cursor",
    "continuation_token",
    "continuationToken",
    "continuation",
    "marker",
    "after",
    "page[cursor]",
];
const NEXT_CURSORS: [&str; 17] = [
    "next_cursor",
    "nextCursor",
    "next_page_token",
    "nextPageToken",
    "next_token",
    "nextToken",
    "NextToken",
    "cursor",
    "next_page_cursor",
    "continuation_token",
    "continuationToken",
    "continuation",
    "next_marker",
    "nextMarker",
    "after",
    "next",
    "end_cursor",
];
const NEXT_URLS: [&str; 8] = [
    "next",
    "next_url",
    "nextUrl",
    "nextLink",
    "next_link",
    "next_page",
    "@odata.nextLink",
    "next_page_url",
];
const PAGES: [&str; 6] = [
    "page",
    "page_number",
    "pageNumber",
    "pageNo",
    "page_no",
    "page[number]",
];
const OFFSETS: [&str; 6] = [
    "offset",
    "skip",
    "startAt",
    "start_at",
    "$skip",
    "page[offset]",
];
const SIZES: [&str; 21] = [
    "per_page",
    "perPage",
    "page_size",
    "pageSize",
    "limit",
    "maxResults",
    "max_results",
    "max_items",
    "results_per_page",
    "items_per_page",
    "size",
    "count",
    "first",
    "rows",
    "top",
    "$top",
    "take",
    "page[size]",
    "page[limit]",
    "pagesize",
    "num",
];
const ITEMS: [&str; 12] = [
    "items", "data", "results", "values", "value", "records", "entries", "list", "elements",
    "content", "rows", "objects",
];
const TOTALS: [&str; 8] = [
    "total",
    "total_count",
    "totalCount",
    "total_items",
    "totalItems",
    "total_results",
    "totalResults",
    "count",
];
const MORE: [&str; 4] = ["has_more", "hasMore", "has_next", "hasNext"];
/// Objects around what is said about pages.
const AROUND: [&str; 14] = [
    "meta",
    "metadata",
    "pagination",
    "paging",
    "page_info",
    "pageInfo",
    "page",
    "links",
    "_links",
    "cursors",
    "response_metadata",
    "response_meta",
    "data",
    "page_meta",
];

/// A property of an answer with its pointer.
type Property<'d> = (String, &'d str, Spot<'d>);

/// The paging of an operation that reads, from its inputs and its answer.
pub(super) fn infer(params: &Map<String, Value>, answer: &Answer<'_>) -> Option<Pagination> {
    let properties = params.get("properties")?.as_object()?;
    let in_query = |name: &&str| {
        properties
            .get(*name)
            .is_some_and(|property| property.get("x-in").is_none_or(|place| place == "query"))
    };
    let param = |names: &[&'static str]| names.iter().find(|name| in_query(name)).copied();
    let size = param(&SIZES).map(|name| page_size(name, &properties[name]));
    let (told, items) = looked_at(answer);
    let at = |names: &[&str], fits: &dyn Fn(Spot<'_>) -> bool| {
        names.iter().find_map(|wanted| {
            told.iter()
                .find(|(_, name, spot)| name == wanted && fits(*spot))
                .map(|(at, ..)| at.clone())
        })
    };
    let paging = |kind| Pagination {
        kind,
        param: None,
        next: None,
        items: items.clone(),
        total: None,
        more: None,
        key: None,
        first: None,
        page_size: size.clone(),
    };
    if answer.headers.iter().any(|name| name == "link")
        && (size.is_some() || param(&PAGES).is_some())
    {
        return Some(paging(PaginationKind::Link));
    }
    let header = ["x-next-page", "next-page", "x-next-cursor", "x-next-token"];
    let header = header
        .iter()
        .find(|name| answer.headers.iter().any(|own| own == *name));
    if let (Some(next), Some(name)) = (header, param(&PAGES).or_else(|| param(&CURSORS))) {
        return Some(Pagination {
            param: Some(name.to_owned()),
            next: Some((*next).to_owned()),
            ..paging(PaginationKind::Header)
        });
    }
    let more = at(&MORE, &|spot| is(spot, "boolean"));
    if let (true, Some(more), Some(list)) = (in_query(&"starting_after"), &more, &items)
        && has_id(answer, list)
    {
        return Some(Pagination {
            param: Some("starting_after".to_owned()),
            key: Some("/id".to_owned()),
            more: Some(more.clone()),
            ..paging(PaginationKind::Keyset)
        });
    }
    let is_word = |spot: Spot<'_>| is(spot, "string") || is(spot, "integer");
    if let (Some(name), Some(next)) = (
        param(&CURSORS),
        at(&NEXT_CURSORS, &|spot| is_word(spot) && !is_address(spot)),
    ) {
        return Some(Pagination {
            param: Some(name.to_owned()),
            next: Some(next),
            more,
            ..paging(PaginationKind::Cursor)
        });
    }
    if let Some(next) =
        at(&NEXT_URLS, &|spot| is(spot, "string") && is_address(spot)).or_else(|| {
            at(
                &[
                    "nextLink",
                    "next_url",
                    "nextUrl",
                    "@odata.nextLink",
                    "next_page_url",
                ],
                &|spot| is(spot, "string"),
            )
        })
    {
        return Some(Pagination {
            next: Some(next),
            ..paging(PaginationKind::NextUrl)
        });
    }
    // What counts items has to know where they are.
    items.as_ref()?;
    let total = at(&TOTALS, &|spot| is(spot, "integer") || is(spot, "number"));
    if let Some(name) = param(&PAGES) {
        let own = &properties[name];
        let begins = own
            .get("minimum")
            .or_else(|| own.get("default"))
            .and_then(Value::as_u64);
        return Some(Pagination {
            param: Some(name.to_owned()),
            first: (begins == Some(0)).then_some(0),
            total: total.filter(|at| !at.ends_with("/count")),
            more,
            ..paging(PaginationKind::Page)
        });
    }
    let name = param(&OFFSETS).filter(|_| size.is_some())?;
    Some(Pagination {
        param: Some(name.to_owned()),
        total: total.filter(|at| !at.ends_with("/count")),
        more,
        ..paging(PaginationKind::Offset)
    })
}

fn page_size(name: &str, property: &Value) -> PageSize {
    let number = |word: &str| {
        let value = property.get(word).and_then(Value::as_u64);
        value
            .and_then(|value| u32::try_from(value).ok())
            .filter(|value| *value > 0)
    };
    let max = number("maximum");
    PageSize {
        param: Some(name.to_owned()),
        default: number("default").filter(|default| max.is_none_or(|max| *default <= max)),
        max,
    }
}

/// The properties of an answer at the top and in what is about pages, and where its items are.
fn looked_at<'d>(answer: &Answer<'d>) -> (Vec<Property<'d>>, Option<String>) {
    let mut told: Vec<Property<'d>> = Vec::new();
    let Some(schema) = answer.schema else {
        return (told, None);
    };
    let Ok(schema) = schema.resolved() else {
        return (told, None);
    };
    if is(schema, "array") {
        return (told, Some(String::new()));
    }
    let mut left = 400;
    let mut top = Vec::new();
    properties(schema, &mut top, 0, &mut left);
    for (name, spot) in &top {
        told.push((pointer("", name), name, *spot));
    }
    for (name, spot) in &top {
        if AROUND.contains(name) {
            let mut inner = Vec::new();
            properties(*spot, &mut inner, 0, &mut left);
            told.extend(
                inner
                    .into_iter()
                    .map(|(own, spot)| (pointer(&pointer("", name), own), own, spot)),
            );
        }
    }
    let lists: Vec<&Property<'d>> = told
        .iter()
        .filter(|(.., spot)| is(*spot, "array"))
        .collect();
    let at_top: Vec<&&Property<'d>> = lists
        .iter()
        .filter(|(at, ..)| at.matches('/').count() == 1)
        .collect();
    let items = match at_top.as_slice() {
        [one] => Some(one.0.clone()),
        _ => ITEMS
            .iter()
            .find_map(|wanted| lists.iter().find(|(_, name, _)| name == wanted))
            .map(|(at, ..)| at.clone()),
    };
    (told, items)
}

fn pointer(before: &str, name: &str) -> String {
    format!("{before}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The properties of a schema, with those of all its parts.
fn properties<'d>(
    spot: Spot<'d>,
    made: &mut Vec<(&'d str, Spot<'d>)>,
    depth: usize,
    left: &mut usize,
) {
    let Ok(spot) = spot.resolved() else { return };
    if depth > 4 {
        return;
    }
    for (name, inner) in spot.named("properties") {
        if *left == 0 {
            return;
        }
        *left -= 1;
        if let Ok(inner) = inner.resolved() {
            made.push((name, inner));
        }
    }
    for part in spot.items("allOf").take(8) {
        properties(part, made, depth + 1, left);
    }
}

fn has_id(answer: &Answer<'_>, items: &str) -> bool {
    let Some(schema) = answer.schema.and_then(|schema| schema.resolved().ok()) else {
        return false;
    };
    let list = match items.strip_prefix('/') {
        None => Some(schema),
        Some(name) => {
            let mut top = Vec::new();
            properties(schema, &mut top, 0, &mut 400);
            top.into_iter()
                .find(|(own, _)| *own == name)
                .map(|(_, spot)| spot)
        }
    };
    let mut inner = Vec::new();
    if let Some(item) = list.and_then(|list| list.get("items")) {
        properties(item, &mut inner, 0, &mut 400);
    }
    inner.iter().any(|(name, _)| *name == "id")
}

fn is(spot: Spot<'_>, kind: &str) -> bool {
    match spot.node.get("type") {
        Some(Node::Text(word)) => &**word == kind,
        Some(Node::List(words)) => words.iter().any(|word| word.text() == Some(kind)),
        _ => false,
    }
}

fn is_address(spot: Spot<'_>) -> bool {
    matches!(spot.text("format"), Some("uri" | "url" | "uri-reference"))
}
