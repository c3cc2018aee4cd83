use vigie_model::settings::{BudgetWindow, ChangeUnit};

use super::*;

fn stored(events: &[Event]) -> Vec<StoredEvent> {
    (1..)
        .zip(events)
        .map(|(seq, event)| StoredEvent { seq, recorded_at: event.at, digest: event.digest(), event: event.clone() })
        .collect()
}

fn checkout() -> ServiceDeclaration {
    ServiceDeclaration {
        slug: "checkout".into(),
        team: Some("payments".into()),
        repositories: vec![RepositoryPaths {
            repository: "Acme/Shop".into(),
            paths: vec!["checkout/**".into()],
            formerly: vec![],
        }],
        ..ServiceDeclaration::default()
    }
}

fn one_service() -> Configuration {
    Configuration { services: vec![checkout()], ..Configuration::default() }
}

/// What the file recorded, once for each of these configurations in turn.
fn recorded(configurations: &[Configuration]) -> Vec<Event> {
    let mut log = Vec::new();
    for (now, configuration) in (1_000..).zip(configurations) {
        log.extend(configuration.changes(&stored(&log), now).unwrap());
    }
    log
}

#[test]
fn the_first_time_everything_is_new_and_the_second_time_nothing() {
    let log = recorded(&[one_service()]);
    let kinds: Vec<_> = log.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::Service, Kind::Settings]);
    assert!(log.iter().all(|event| event.at == 1_000 && &*event.source == SOURCE && !event.timeless));
    assert_eq!(recorded(&[one_service(), one_service()]).len(), 2);
}

#[test]
fn an_event_of_the_file_reads_back_as_it_was_written() {
    for event in recorded(&[one_service()]) {
        let back = Event::from_stored(&event.to_json(), event.at).unwrap();
        assert_eq!(back, event);
    }
}

#[test]
fn a_field_that_left_the_file_is_cleared() {
    let mut without_team = one_service();
    without_team.services[0].team = None;
    let log = recorded(&[one_service(), without_team.clone()]);
    assert_eq!(log[2].fields, [(service::SLUG, text("checkout")), (service::TEAM, Value::Null)]);
    assert_eq!(recorded(&[one_service(), without_team.clone(), without_team]).len(), 3);
}

#[test]
fn an_entry_that_left_the_file_is_deleted_and_may_come_back() {
    let none = Configuration::default();
    let log = recorded(&[one_service(), none.clone(), none, one_service(), one_service()]);
    assert_eq!(log.len(), 4);
    assert!(log[2].deleted && log[2].text(service::SLUG) == "checkout");
    assert_eq!((log[3].kind, log[3].deleted, log[3].fields.len()), (Kind::Service, false, 3));
}

#[test]
fn what_others_say_of_the_catalogue_is_theirs() {
    let mut log = recorded(&[one_service()]);
    let mut other = log[0].clone();
    other.source = "portal".into();
    other.at = 5_000;
    other.set(service::TEAM, text("platform"));
    log.push(other);
    assert_eq!(one_service().changes(&stored(&log), 6_000).unwrap(), []);
}

#[test]
fn the_order_of_what_was_recorded_changes_nothing() {
    let mut changed = one_service();
    changed.services[0].team = Some("commerce".into());
    let mut history = stored(&recorded(&[one_service(), changed.clone()]));
    history.reverse();
    assert_eq!(changed.changes(&history, 9_000).unwrap(), []);
    assert_eq!(one_service().changes(&history, 9_000).unwrap().len(), 1);
}

#[test]
fn a_clock_that_went_back_does_not_make_an_older_configuration_win() {
    let log = recorded(&[one_service()]);
    let mut changed = one_service();
    changed.services[0].team = None;
    assert_eq!(changed.changes(&stored(&log), 10).unwrap()[0].at, 1_001);
}

#[test]
fn settings_are_written_only_when_they_mean_something_else() {
    let mut settings = Settings { change_unit: ChangeUnit::Commit, ..Settings::default() };
    let with = |settings: &Settings| Configuration { settings: settings.clone(), ..Configuration::default() };
    let mut log = recorded(&[with(&settings)]);
    // As another version of the program could have written it.
    log[0].set(settings::VALUE, text(r#"{ "change_unit": "commit" }"#));
    assert_eq!(with(&settings).changes(&stored(&log), 5_000).unwrap(), []);
    settings.budget_window = BudgetWindow::Rolling(28 * vigie_model::DAY);
    assert_eq!(with(&settings).changes(&stored(&log), 5_000).unwrap().len(), 1);
}
