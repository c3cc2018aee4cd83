//! Which service a delivery means: the patterns that a site has in its catalogue.

use std::collections::{BTreeMap, HashSet};

use vigie_model::pattern::Pattern;

/// Fields that connectors name, with patterns for each: all of the fields have to match, one pattern of each suffices.
pub type Match = BTreeMap<String, Vec<String>>;

/// What the catalogue says of a service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceMatches {
    /// What events call it.
    pub slug: String,
    /// Slugs that it had before.
    pub formerly: Vec<String>,
    /// Alternatives.
    pub matches: Vec<Match>,
}

/// The catalogue's patterns, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    routes: Vec<Route>,
    declared: HashSet<String>,
}

/// The service that a delivery means whose fields all have one of their patterns.
#[derive(Debug, Clone)]
struct Route {
    service: String,
    fields: Vec<(String, Vec<Pattern>)>,
}

impl Routes {
    /// Compiles the patterns of the services.
    #[must_use]
    pub fn new(services: impl IntoIterator<Item = ServiceMatches>) -> Self {
        let mut routes = Self::default();
        for service in services {
            for fields in service.matches {
                let compiled = |(field, patterns): (String, Vec<String>)| {
                    (field, patterns.iter().map(|pattern| Pattern::name(pattern)).collect())
                };
                let fields = fields.into_iter().map(compiled).collect();
                routes.routes.push(Route { service: service.slug.clone(), fields });
            }
            routes.declared.extend(service.formerly);
            routes.declared.insert(service.slug);
        }
        routes
    }

    /// The first service whose patterns fit the fields of a delivery.
    #[must_use]
    pub fn service_of(&self, fields: &[(String, String)]) -> Option<&str> {
        let fits = |(name, patterns): &(String, Vec<Pattern>)| {
            let values = fields.iter().filter(|(field, _)| field == name);
            values.into_iter().any(|(_, value)| patterns.iter().any(|pattern| pattern.matches_ignore_case(value)))
        };
        let route = self.routes.iter().find(|route| !route.fields.is_empty() && route.fields.iter().all(fits));
        route.map(|route| route.service.as_str())
    }

    /// Whether some service is found by this field.
    #[must_use]
    pub fn ask_for(&self, field: &str) -> bool {
        self.routes.iter().any(|route| route.fields.iter().any(|(name, _)| name == field))
    }

    /// Whether the catalogue has a service of this name.
    #[must_use]
    pub fn is_declared(&self, slug: &str) -> bool {
        self.declared.contains(slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(slug: &str, matches: &[&[(&str, &[&str])]]) -> ServiceMatches {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let fields = |fields: &&[(&str, &[&str])]| fields.iter().map(|(n, p)| ((*n).to_owned(), texts(p))).collect();
        ServiceMatches {
            slug: slug.to_owned(),
            formerly: vec![format!("old-{slug}")],
            matches: matches.iter().map(fields).collect(),
        }
    }

    #[test]
    fn every_named_field_has_to_match_and_the_first_service_wins() {
        let routes = Routes::new([
            service(
                "checkout",
                &[&[("repository", &["acme/shop"]), ("app", &["shop-*", "till"])], &[("alertname", &["Checkout*"])]],
            ),
            service("shop", &[&[("repository", &["acme/*"])]]),
            service("plain", &[]),
            service("careless", &[&[]]),
        ]);
        let of = |fields: &[(&str, &str)]| {
            let fields: Vec<_> = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            routes.service_of(&fields).map(str::to_owned)
        };
        assert_eq!(of(&[("app", "Shop-Prod"), ("repository", "Acme/Shop")]).as_deref(), Some("checkout"));
        assert_eq!(of(&[("app", "till"), ("repository", "acme/shop"), ("more", "x")]).as_deref(), Some("checkout"));
        assert_eq!(of(&[("alertname", "CheckoutDown")]).as_deref(), Some("checkout"));
        assert_eq!(of(&[("repository", "acme/shop")]).as_deref(), Some("shop"), "the app is missing");
        assert_eq!(of(&[("app", "shop-prod")]), None);
        assert_eq!(of(&[]), None);
        assert!(routes.ask_for("alertname") && !routes.ask_for("workflow"));
        assert!(routes.is_declared("plain") && routes.is_declared("old-shop") && !routes.is_declared("other"));
    }
}
