//! Services that maps guessed, among what a person should know about the data.

use vigie_ingest::connector::Unmapped as Guess;
use vigie_metrics::QualityItem;
use vigie_store::Unmapped;

/// What the snapshot says of a service that the catalogue does not have.
const UNDECLARED: &str = "undeclared_service";
/// What is said of one that a map guessed.
const UNMAPPED: &str = "unmapped_service";

/// Says of the undeclared services that were guessed which line of the configuration would map them. The items stay in
/// their order.
pub fn say_unmapped(items: &mut [QualityItem], unmapped: &[Unmapped]) {
    for item in items.iter_mut().filter(|item| &*item.code == UNDECLARED) {
        if let Some(guess) = unmapped.iter().find(|guess| *guess.service == *item.service) {
            item.code = UNMAPPED.into();
            item.detail = format!(
                "{} guessed it; under the [[service]] that is meant, {} would map it, and formerly = [\"{}\"] would give it what is recorded already",
                guess.connector,
                line(guess),
                guess.service
            )
            .into();
        }
    }
    items.sort();
}

/// The line of the configuration that would map it.
fn line(unmapped: &Unmapped) -> String {
    let matches = serde_json::from_str(&unmapped.matches).unwrap_or_default();
    Guess { service: unmapped.service.clone(), matches }.line()
}
