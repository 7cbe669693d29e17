//! Did you mean: for fifty typos of each kind the right one stands first, and at most three stand.

use crate::samples::tracker;
use quaymaster_connectors::catalog::Catalog;
use quaymaster_connectors::definition::{Definition, Kind};
use quaymaster_connectors::resolve;
use quaymaster_core::Fault;
use std::sync::Arc;

const ROUNDS: usize = 50;

/// Numbers that are the same in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below as u64) as usize
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.roll(all.len())]
    }
}

/// The word as somebody in a hurry writes it.
fn typo(word: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = dice.roll(letters.len());
    match dice.roll(7) {
        0 => {
            letters.remove(at);
        }
        1 if at + 1 < letters.len() => letters.swap(at, at + 1),
        2 => letters.insert(at, letters[at]),
        3 => {
            // A neighbour on the keyboard.
            let rows = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
            for row in rows {
                if let Some(place) = row.find(letters[at].to_ascii_lowercase()) {
                    let beside = if place == 0 { 1 } else { place - 1 };
                    letters[at] = row.as_bytes()[beside].into();
                    break;
                }
            }
        }
        4 => letters[at] = letters[at].to_ascii_uppercase(),
        5 if word.contains('_') => return word.replace('_', "-"),
        5 if word.contains('-') => return word.replace('-', "_"),
        6 if word.len() > 3 && word.ends_with('s') => {
            letters.pop();
        }
        _ => letters.insert(at, 'e'),
    }
    letters.into_iter().collect()
}

/// A typo that is none of the known words.
fn wrong(known: &[String], dice: &mut Dice) -> (String, String) {
    loop {
        let meant = dice.pick(known).clone();
        // Of three letters too little is left to recognize.
        if meant.len() < 4 {
            continue;
        }
        let written = typo(&meant, dice);
        if !known.contains(&written) && !written.is_empty() {
            return (meant, written);
        }
    }
}

fn suggestions(fault: &Fault) -> Vec<String> {
    let said = fault
        .details
        .as_ref()
        .map(|details| details["did_you_mean"].clone());
    serde_json::from_value(said.unwrap_or_default()).unwrap_or_default()
}

/// The right one stands first, and at most three stand.
fn check(meant: &str, written: &str, said: &[String]) {
    assert!(said.len() <= 3, "{written:?}: {said:?}");
    assert_eq!(
        said.first().map(String::as_str),
        Some(meant),
        "{written:?}: {said:?}"
    );
}

fn embedded() -> Vec<Arc<Definition>> {
    let catalog = Catalog::embedded();
    let keys = catalog.entries().iter();
    keys.filter_map(|entry| catalog.get(&entry.key)).collect()
}

#[test]
fn the_meant_service_stands_first() {
    let lines = include_str!("services.txt").lines();
    let known: Vec<String> = lines
        .map(|line| line.split('|').next().unwrap().to_owned())
        .collect();
    let mut dice = Dice(1);
    let mut refused = 0;
    while refused < ROUNDS {
        let (meant, written) = wrong(&known, &mut dice);
        match resolve::service(&written, known.iter().map(String::as_str)) {
            // Capitals and hyphens need no question.
            Ok(addressed) => assert_eq!(addressed.key, meant),
            Err(fault) => {
                check(&meant, &written, &suggestions(&fault));
                assert!(fault.hint.unwrap().contains(&meant));
                refused += 1;
            }
        }
    }
}

#[test]
fn the_meant_module_stands_first() {
    let mut all: Vec<Definition> = embedded().iter().map(|one| (**one).clone()).collect();
    all.push(tracker());
    let mut dice = Dice(2);
    let mut refused = 0;
    while refused < ROUNDS {
        let definition = dice.pick(&all);
        let known: Vec<String> = definition.modules.keys().cloned().collect();
        if known.iter().all(|name| name.len() < 4) {
            continue;
        }
        let (meant, written) = wrong(&known, &mut dice);
        match resolve::module(definition, &written) {
            Ok((key, _)) => assert_eq!(key, meant),
            Err(fault) => {
                check(&meant, &written, &suggestions(&fault));
                refused += 1;
            }
        }
    }
}

#[test]
fn the_meant_account_stands_first() {
    let known: Vec<String> = [
        "main",
        "second",
        "moscow-shop",
        "spb_shop",
        "wholesale",
        "retail",
        "test-account",
        "Acme GmbH",
        "acme-us",
        "north",
        "south",
        "support@acme.example",
        "billing@acme.example",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut dice = Dice(3);
    for _ in 0..ROUNDS {
        let (meant, written) = wrong(&known, &mut dice);
        let names = known.iter().map(String::as_str);
        let fault = resolve::account("ozon", &written, names).unwrap_err();
        check(&meant, &written, &suggestions(&fault));
        assert_eq!(
            fault.details.unwrap()["candidates"]
                .as_array()
                .unwrap()
                .len(),
            known.len()
        );
    }
}

/// The path with values in the places of names, and a typo in one of its fixed parts.
fn mistyped_path(path: &str, dice: &mut Dice) -> Option<String> {
    let fixed: Vec<usize> = path
        .split('/')
        .enumerate()
        .filter(|(_, part)| part.len() > 2 && !part.contains('{'))
        .map(|(at, _)| at)
        .collect();
    if fixed.is_empty() {
        return None;
    }
    let wrong = *dice.pick(&fixed);
    let values = ["octocat", "42", "main", "a-b.c", "5f3759df"];
    let parts = path.split('/').enumerate().map(|(at, part)| {
        if at == wrong {
            return typo(part, dice);
        }
        match (part.find('{'), part.find('}')) {
            (Some(from), Some(to)) => {
                format!("{}{}{}", &part[..from], dice.pick(&values), &part[to + 1..])
            }
            _ => part.to_owned(),
        }
    });
    Some(parts.collect::<Vec<_>>().join("/"))
}

#[test]
fn the_meant_path_stands_first() {
    let mut all: Vec<Definition> = embedded().iter().map(|one| (**one).clone()).collect();
    all.retain(|one| one.kind == Kind::Rest);
    all.push(tracker());
    let mut dice = Dice(4);
    let mut unknown = 0;
    while unknown < ROUNDS {
        let definition = dice.pick(&all);
        let (module, content) = {
            let modules: Vec<_> = definition.modules.iter().collect();
            let (name, content) = dice.pick(&modules);
            ((*name).clone(), (*content).clone())
        };
        let actions: Vec<_> = content.actions.values().collect();
        if actions.is_empty() {
            continue;
        }
        let action = dice.pick(&actions);
        let (Some(verb), Some(path)) = (action.method, &action.path) else {
            continue;
        };
        let Some(written) = mistyped_path(path.as_str(), &mut dice) else {
            continue;
        };
        let resolved =
            resolve::call(definition, Some(&module), verb.name(), Some(&written)).unwrap();
        // It may be another path that there is.
        if resolved.action.is_some() {
            continue;
        }
        let said = &resolved.hints.path_did_you_mean;
        let meant = format!("{} {}", verb.name(), path.as_str());
        check(&meant, &written, said);
        assert!(resolved.hints.available_paths.contains(&meant));
        assert!(resolved.hints.available_paths.len() <= 30);
        unknown += 1;
    }
}

#[test]
fn the_meant_method_stands_first() {
    let definition = crate::samples::crm();
    let known: Vec<String> = definition
        .modules
        .values()
        .flat_map(|module| {
            module
                .actions
                .values()
                .filter_map(|action| action.rpc.clone())
        })
        .collect();
    let mut dice = Dice(5);
    for _ in 0..ROUNDS {
        let (meant, written) = wrong(&known, &mut dice);
        let fault = resolve::call(&definition, None, &written, None).unwrap_err();
        check(&meant, &written, &suggestions(&fault));
    }
}
