//! The schema: as it is checked in, and as clients rely on it.

use std::collections::BTreeMap;
use std::path::Path;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{InputValueDefinition, TypeKind, TypeSystemDefinition};

const CONTRACT: &str = include_str!("../contract.graphql");

/// A place in a schema, like `Query.service(slug:)`, and its type.
type Places = BTreeMap<String, String>;

fn places(schema: &str) -> Places {
    let mut places = Places::new();
    for definition in parse_schema(schema).unwrap().definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let name = definition.node.name.node.to_string();
        let mut put = |place: String, ty: String| assert_eq!(places.insert(place.clone(), ty), None, "{place} twice");
        match definition.node.kind {
            TypeKind::Scalar => put(name, "scalar".into()),
            TypeKind::Enum(words) => {
                for word in words.values {
                    put(format!("{name}.{}", word.node.value.node), "word".into());
                }
            }
            TypeKind::InputObject(input) => {
                for field in input.fields {
                    put(format!("{name}.{}", field.node.name.node), of_input(&field.node));
                }
            }
            TypeKind::Object(object) => {
                for field in object.fields {
                    let place = format!("{name}.{}", field.node.name.node);
                    for argument in field.node.arguments {
                        put(format!("{place}({}:)", argument.node.name.node), of_input(&argument.node));
                    }
                    put(place, field.node.ty.node.to_string());
                }
            }
            TypeKind::Interface(_) | TypeKind::Union(_) => panic!("{name}: neither interfaces nor unions are expected"),
        }
    }
    places
}

fn of_input(input: &InputValueDefinition) -> String {
    input.ty.node.to_string()
}

#[test]
fn the_checked_in_schema_is_the_one_that_is_served() {
    let path = Path::new("../../schema/schema.graphql");
    let served = vigie_api::sdl();
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(path, &served).unwrap();
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(checked_in == served, "schema/schema.graphql is out of date: run the tests with UPDATE_SCHEMAS=1");
}

#[test]
fn what_clients_rely_on_is_there_with_the_same_types() {
    let (promised, served) = (places(CONTRACT), places(&vigie_api::sdl()));
    let broken: Vec<String> = promised
        .iter()
        .filter(|(place, ty)| served.get(*place) != Some(*ty))
        .map(|(place, ty)| format!("{place}: promised {ty}, is {:?}", served.get(place)))
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
    // Arguments that were added must not be needed by those who do not know them.
    for (place, ty) in &served {
        let field = place.split('(').next().unwrap_or_default();
        let is_new_argument = place.ends_with(":)") && promised.contains_key(field) && !promised.contains_key(place);
        assert!(!is_new_argument || !ty.ends_with('!'), "{place} is needed and was not promised");
    }
}

#[test]
fn everything_is_described() {
    let schema = vigie_api::sdl();
    let mut undescribed = Vec::new();
    for definition in parse_schema(&schema).unwrap().definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let name = definition.node.name.node.to_string();
        let mut look = |place: String, described: bool| {
            if !described {
                undescribed.push(place);
            }
        };
        look(name.clone(), definition.node.description.is_some());
        match definition.node.kind {
            TypeKind::Enum(words) => {
                for word in words.values {
                    look(format!("{name}.{}", word.node.value.node), word.node.description.is_some());
                }
            }
            TypeKind::InputObject(input) => {
                for field in input.fields {
                    look(format!("{name}.{}", field.node.name.node), field.node.description.is_some());
                }
            }
            TypeKind::Object(object) => {
                for field in object.fields {
                    let place = format!("{name}.{}", field.node.name.node);
                    for argument in &field.node.arguments {
                        look(format!("{place}({}:)", argument.node.name.node), argument.node.description.is_some());
                    }
                    look(place, field.node.description.is_some());
                }
            }
            _ => {}
        }
    }
    assert!(undescribed.is_empty(), "{undescribed:#?}");
}
