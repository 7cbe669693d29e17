//! A connector tried by an agent that knows nothing but its passport.

use quaymaster_tests::{Database, Desk, Service};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What an example says that is otherwise here: the first text becomes the second, from now on.
pub(crate) type Learnt = Vec<(&'static str, String)>;

pub(crate) struct Trial {
    pub(crate) desk: Desk,
    pub(crate) service: Service,
    key: &'static str,
    /// Of the passport: module and description, by the key of the action.
    actions: BTreeMap<String, (String, Value)>,
    recipes: Vec<Value>,
    examples: Vec<Value>,
    next: usize,
    tried: BTreeSet<String>,
    learnt: Learnt,
    /// Whether slashes in a path's value part its segments.
    segments: bool,
}

/// A file of the catalog, which says what a good answer is.
fn catalog(key: &str, file: &str) -> Value {
    let path = format!("{}/../catalog/{key}/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

impl Trial {
    /// Connects the service by API, and reads its passport.
    pub(crate) async fn begin(key: &'static str, service: Service) -> Trial {
        let desk = Desk::open(Database::Sqlite).await;
        let account = desk.connect(key, "main", &service, &[]).await;
        assert_eq!(account["status"], "ACTIVE", "{account}\n{}", service.log());
        let describe = json!({ "service": key });
        let index = desk.mcp.call("describe_service", describe).await.unwrap();
        let mut actions = BTreeMap::new();
        for module in index["modules"].as_object().unwrap().keys() {
            let describe = json!({ "service": key, "module": module });
            let whole = desk.mcp.call("describe_service", describe).await.unwrap();
            for action in whole["actions"].as_array().unwrap() {
                let name = action["action"].as_str().unwrap().to_owned();
                actions.insert(name, (module.clone(), action.clone()));
            }
        }
        let definition = catalog(key, "connector.yaml");
        for module in definition["modules"].as_object().unwrap().values() {
            for (name, action) in module["actions"].as_object().unwrap() {
                let (_, shown) = actions.get_mut(name).unwrap();
                shown["status"] = action["response"]["status"].as_u64().unwrap_or(200).into();
            }
        }
        println!("{key} started in {:?}", service.started_in);
        Trial {
            key,
            actions,
            recipes: index["recipes"].as_array().unwrap().clone(),
            examples: catalog(key, "requests.yaml").as_array().unwrap().clone(),
            next: 0,
            tried: BTreeSet::new(),
            learnt: Learnt::new(),
            segments: false,
            desk,
            service,
        }
    }

    pub(crate) fn with_segments(mut self) -> Trial {
        self.segments = true;
        self
    }

    pub(crate) fn learn(&mut self, from: &'static str, to: String) {
        self.learnt.push((from, to));
    }

    fn translated(&self, value: &Value, more: &[(&str, &str)]) -> Value {
        let mut text = value.to_string();
        for (from, to) in &self.learnt {
            text = text.replace(&escaped(from), &escaped(to));
        }
        for (from, to) in more {
            text = text.replace(&escaped(from), &escaped(to));
        }
        serde_json::from_str(&text).unwrap()
    }

    /// The arguments of `connector_execute` for an action's inputs, as its passport tells it.
    pub(crate) fn arguments(&self, action: &str, inputs: &Value) -> Value {
        let (module, shown) = self
            .actions
            .get(action)
            .unwrap_or_else(|| panic!("{} has no {action}", self.key));
        let mut left = inputs.as_object().cloned().unwrap_or_default();
        let mut made = json!({ "service": format!("{}:main", self.key), "module": module });
        let call = shown["call"].as_str().unwrap();
        let (method, path) = match call.split_once(' ') {
            Some((verb, path)) => (verb, Some(self.filled(path, &mut left))),
            None => (call, None),
        };
        made["method"] = method.into();
        if let Some(path) = path {
            made["path"] = path.into();
        }
        for part in ["query", "body"] {
            let known = shown[part]["properties"].as_object();
            let names = known.into_iter().flat_map(Map::keys);
            let own: Map<String, Value> =
                names.filter_map(|name| left.remove_entry(name)).collect();
            if !own.is_empty() {
                made[part] = Value::Object(own);
            }
        }
        // What the passport names nowhere is a filter of the query, or the body itself.
        for (name, value) in left {
            if shown["body"].is_object() && made.get("body").is_none() && value.is_object() {
                made["body"] = value;
            } else if made["query"].is_object() {
                made["query"][name] = value;
            } else {
                made["query"] = json!({ name: value });
            }
        }
        made
    }

    fn filled(&self, path: &str, left: &mut Map<String, Value>) -> String {
        let mut filled = String::new();
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap();
            filled.push_str(before);
            let value = left.remove(name).unwrap_or_else(|| panic!("no {name}"));
            let value = value.as_str().map_or(value.to_string(), str::to_owned);
            for byte in value.bytes() {
                let plain = byte.is_ascii_alphanumeric()
                    || b"-._~".contains(&byte)
                    || (byte == b'/' && self.segments);
                if plain {
                    filled.push(char::from(byte));
                } else {
                    let _ = write!(filled, "%{byte:02X}");
                }
            }
            rest = after;
        }
        filled + rest
    }

    /// Calls an action with inputs; fails unless it answers as the definition says.
    pub(crate) async fn call(&mut self, action: &str, inputs: Value) -> Value {
        self.tried.insert(action.to_owned());
        let arguments = self.arguments(action, &inputs);
        let answer = self.desk.execute(arguments.clone()).await;
        self.good(action, &arguments, answer)
    }

    fn good(&self, action: &str, arguments: &Value, answer: Result<Value, Value>) -> Value {
        let (_, shown) = &self.actions[action];
        let at = format!("{}/{action}: {arguments}", self.key);
        let answer = answer.unwrap_or_else(|fault| panic!("{at}: {fault}\n{}", self.service.log()));
        let status = &answer["meta"]["upstream_status"];
        assert_eq!(*status, shown["status"], "{at}: {answer}");
        assert!(
            answer["meta"].get("path_did_you_mean").is_none(),
            "{answer}"
        );
        answer
    }

    /// The fault of an action with inputs.
    pub(crate) async fn fault(&self, action: &str, inputs: Value) -> Value {
        self.desk.refused(self.arguments(action, &inputs)).await
    }

    /// Sends the documented examples up to the first of an action, all that are left without one.
    /// `refused` are those whose answer, as it should, has this text, because nothing here is in the
    /// state that they want.
    pub(crate) async fn examples(
        &mut self,
        until: Option<&str>,
        refused: &[(&str, &str)],
        learn: impl Fn(&str, &Value) -> Learnt,
    ) {
        while let Some(example) = self.examples.get(self.next).cloned() {
            let action = example["action"].as_str().unwrap();
            if until == Some(action) {
                return;
            }
            self.next += 1;
            self.tried.insert(action.to_owned());
            let inputs = self.translated(&example["with"], &[]);
            let arguments = self.arguments(action, &inputs);
            let answer = self.desk.execute(arguments.clone()).await;
            if let Some((_, text)) = refused.iter().find(|(known, _)| *known == action) {
                let shown = match &answer {
                    Ok(answer) | Err(answer) => answer.to_string(),
                };
                assert!(shown.contains(text), "{}/{action}: {shown}", self.key);
                continue;
            }
            let answer = self.good(action, &arguments, answer);
            self.learnt.extend(learn(action, &answer));
        }
        assert_eq!(until, None, "{} has no such example left", self.key);
    }

    /// Sends a recipe as the passport shows it, with some texts changed to what is here.
    pub(crate) async fn recipe(&mut self, title: &str, changed: &[(&str, &str)]) -> Value {
        let at = self.recipes.iter().position(|one| one["title"] == title);
        let at = at.unwrap_or_else(|| panic!("{} has no recipe {title:?} left", self.key));
        let recipe = self.recipes.remove(at);
        let recipe = self.translated(&recipe, changed);
        let call = recipe["call"].as_str().unwrap();
        let (method, path) = match call.split_once(' ') {
            Some((verb, path)) => (verb, Some(path)),
            None => (call, None),
        };
        let mut arguments = json!({
            "service": format!("{}:main", self.key), "module": recipe["module"], "method": method,
        });
        let parts = [
            ("path", path.map(Value::from)),
            ("query", recipe.get("query").cloned()),
            ("body", recipe.get("body").cloned()),
        ];
        for (name, part) in parts {
            if let Some(part) = part {
                arguments[name] = part;
            }
        }
        let action = recipe["action"].as_str().unwrap();
        let answer = self.desk.execute(arguments.clone()).await;
        self.good(action, &arguments, answer)
    }

    /// Reads a list in so many pages, and answers the items.
    pub(crate) async fn pages(
        &self,
        action: &str,
        inputs: Value,
        pages: u32,
        items: &str,
    ) -> Vec<Value> {
        let mut arguments = self.arguments(action, &inputs);
        arguments["pages"] = pages.into();
        let answer = self.desk.execute(arguments.clone()).await;
        let answer = self.good(action, &arguments, answer);
        assert_eq!(answer["meta"]["pages"], pages, "{answer}");
        let items = answer["data"].pointer(items).and_then(Value::as_array);
        items.unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// Another account with wrong credentials: it says so, and calls with it ask for a person.
    pub(crate) async fn wrong_key(&self, action: &str, inputs: Value, given: &[(&str, &str)]) {
        let account = self.desk.connect(self.key, "wrong", &self.service, given);
        let account = account.await;
        assert_eq!(account["status"], "ERROR", "{account}");
        assert!(account["problem"].as_str().unwrap().len() > 20, "{account}");
        let mut arguments = self.arguments(action, &inputs);
        arguments["service"] = format!("{}:wrong", self.key).into();
        let fault = self.desk.refused(arguments).await;
        assert_eq!(fault["code"], "CONNECTION_REQUIRED", "{fault}");
        let setup = fault["details"]["setup_url"].as_str().unwrap();
        assert!(setup.ends_with(&format!("/connectors/{}", self.key)));
        assert!(fault["hint"].as_str().unwrap().contains(setup), "{fault}");
        for (_, secret) in given {
            assert!(!fault.to_string().contains(secret), "{fault}");
            assert!(!account.to_string().contains(secret), "{account}");
        }
    }

    /// Every action and every recipe was tried.
    pub(crate) fn end(self) {
        assert_eq!(self.next, self.examples.len(), "{}", self.key);
        let left = self
            .actions
            .keys()
            .filter(|name| !self.tried.contains(*name));
        let left: Vec<_> = left.collect();
        assert!(left.is_empty(), "{}: not tried: {left:?}", self.key);
        let recipes: Vec<_> = self.recipes.iter().map(|one| &one["title"]).collect();
        assert!(recipes.is_empty(), "{}: not tried: {recipes:?}", self.key);
    }
}

/// A text as it stands within JSON.
fn escaped(text: &str) -> String {
    let json = Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

/// The fault tells the service's own answer and can be acted on.
pub(crate) fn is_of_the_service(fault: &Value, status: u16) {
    assert_eq!(fault["code"], "UPSTREAM_ERROR", "{fault}");
    assert_eq!(fault["retryable"], false, "{fault}");
    assert_eq!(fault["details"]["upstream_status"], status, "{fault}");
    assert!(fault["hint"].is_string(), "{fault}");
}

/// Nothing was sent: the inputs do not fit.
pub(crate) fn is_invalid(fault: &Value) {
    assert_eq!(fault["code"], "INVALID_ARG", "{fault}");
    assert!(fault["details"]["errors"].is_array(), "{fault}");
    assert!(fault["details"].get("upstream_status").is_none(), "{fault}");
}
