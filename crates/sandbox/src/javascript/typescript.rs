//! TypeScript to JavaScript: types are taken out, enums and parameter properties spelled out.
//! Nothing is checked.

use super::place::Place;
use oxc_allocator::Allocator;
use oxc_codegen::{Codegen, CodegenOptions};
use oxc_diagnostics::OxcDiagnostic;
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_sourcemap::SourceMap;
use oxc_span::SourceType;
use oxc_transformer::{TransformOptions, Transformer};
use std::path::Path;

/// JavaScript that was TypeScript.
pub(super) struct Plain {
    pub(super) code: String,
    map: Option<SourceMap<'static>>,
}

/// Why something is not TypeScript.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) message: String,
    /// In the source that was given.
    pub(super) place: Option<Place>,
}

/// Takes the types out of a script.
pub(super) fn strip(source: &str) -> Result<Plain, Wrong> {
    let arena = Allocator::default();
    let name = Path::new("program.ts");
    let parsed = Parser::new(&arena, source, SourceType::ts().with_script(true)).parse();
    if let Some(error) = parsed.diagnostics.errors().next() {
        return Err(wrong(source, error));
    }
    let mut program = parsed.program;
    let scoping = SemanticBuilder::new()
        .with_excess_capacity(2.0)
        .with_enum_eval(true)
        .build(&program)
        .semantic
        .into_scoping();
    let transformed = Transformer::new(&arena, name, &TransformOptions::default())
        .build_with_scoping(scoping, &mut program);
    if let Some(error) = transformed.diagnostics.errors().next() {
        return Err(wrong(source, error));
    }
    let options = CodegenOptions {
        source_map_path: Some(name.to_path_buf()),
        ..CodegenOptions::default()
    };
    let made = Codegen::new().with_options(options).build(&program);
    Ok(Plain {
        code: made.code,
        map: made.map.map(SourceMap::into_owned),
    })
}

fn wrong(source: &str, error: &OxcDiagnostic) -> Wrong {
    let place = error
        .labels
        .first()
        .and_then(|label| source.get(..label.offset() as usize))
        .map(|before| Place {
            line: before.matches('\n').count() as u32 + 1,
            column: before
                .rsplit('\n')
                .next()
                .map_or(0, |line| line.chars().count()) as u32
                + 1,
        });
    let message = match &error.help {
        Some(help) => format!("{} ({help})", error.message),
        None => error.message.to_string(),
    };
    Wrong { message, place }
}

impl Plain {
    /// Where in the source something of the code came from.
    pub(super) fn source_of(&self, place: Place) -> Place {
        let found = self.map.as_ref().and_then(|map| {
            // The map counts from 0.
            let table = map.generate_lookup_table();
            map.lookup_token_approx(&table, place.line - 1, place.column.saturating_sub(1))
        });
        found.map_or(place, |token| Place {
            line: token.get_src_line() + 1,
            column: token.get_src_col() + 1,
        })
    }
}
