//! What holds of every event, and of everything that is none.

use proptest::prelude::*;

use super::strategy;
use crate::event::{Context, Event, parse_object};
use crate::json::Json;

/// Anything that is JSON.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|m| m.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn an_event_written_and_read_is_the_same_event(event in strategy::event()) {
        let text = event.to_json();
        prop_assert!(!text.contains('\n'));
        let again = Event::from_stored(&text, event.at);
        prop_assert_eq!(again.as_ref(), Ok(&event), "{}", text);
        let again = again.unwrap();
        prop_assert_eq!(again.digest(), event.digest());
        prop_assert_eq!(again.to_json(), text);
        prop_assert_eq!((again.home(), again.identity()), (event.home(), event.identity()));
    }

    #[test]
    fn the_normalised_event_is_plain_json(event in strategy::event()) {
        let value: serde_json::Value = serde_json::from_str(&event.to_json()).unwrap();
        prop_assert_eq!(&value["kind"], event.kind.name());
        let fields = event.kind.fields();
        let members = value.as_object().unwrap();
        for (id, _) in &event.fields {
            prop_assert!(members.contains_key(fields[usize::from(*id)].name));
        }
        prop_assert!(event.fields.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn an_event_always_holds_its_identity(event in strategy::event()) {
        for (number, field) in event.kind.fields().iter().enumerate() {
            if field.role.is_identity() {
                let value = event.get(u8::try_from(number).unwrap());
                prop_assert!(!matches!(value, None | Some(crate::Value::Null)), "{}", field.name);
            }
        }
        prop_assert!(event.at >= 0);
    }

    #[test]
    fn no_object_makes_the_reader_panic(text in strategy::object(), cut in any::<proptest::sample::Index>()) {
        let _ = Json::parse(&text.as_bytes()[..cut.index(text.len())]);
        if let Ok(json) = Json::parse(text.as_bytes())
            && let Err(rejection) = parse_object(&json, &Context::outside("ci"))
        {
            prop_assert!(!rejection.error.is_empty() && !rejection.hint.is_empty());
        }
    }

    #[test]
    fn no_json_makes_the_reader_panic(value in json(), kind in "[a-z_]{0,12}") {
        for text in [value.to_string(), format!("{{\"kind\":\"{kind}\",\"id\":{value},\"labels\":{value}}}")] {
            let rejection = match Json::parse(text.as_bytes()) {
                Ok(json) => parse_object(&json, &Context::outside("ci")).unwrap_err(),
                Err(error) => { prop_assert!(!error.breaks_grammar(), "{}", error); return Ok(()) }
            };
            prop_assert!(rejection.to_string().chars().count() < 400, "{}", rejection);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Json::parse(&bytes);
    }
}
