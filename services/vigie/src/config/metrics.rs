//! `[metrics]`: the settings of the definitions.

use vigie_model::settings::{
    ChangeUnit, FrequencyDays, IncidentCoverage, LeadTimeStart, Ownership, RolloutEnd, Rule, Settings, Severity,
};

use super::keys::{CATEGORIES, LEVEL_YEARS};
use super::put;
use super::reader::{Reader, Section};
use super::values::is_empty_list;

pub(super) fn read(reader: &mut Reader, section: &Section<'_>, to: &mut Settings) {
    // A setting whose words are an enum: what is written, the enum, and where it goes.
    macro_rules! choice {
        ($name:ident, $type:ty) => {
            put(&mut to.$name, section.get(stringify!($name)), |node| {
                reader.choice(node, <$type>::parse, <$type>::NAMES)
            });
        };
    }
    macro_rules! read {
        ($name:ident, $how:ident) => {
            put(&mut to.$name, section.get(stringify!($name)), |node| reader.$how(node));
        };
    }
    choice!(change_unit, ChangeUnit);
    choice!(lead_time_start, LeadTimeStart);
    read!(attribution_window, length);
    read!(remedy_window, length);
    put(&mut to.failure_rules, section.get("failure_rules"), |node| reader.choices(node, Rule::parse, Rule::NAMES));
    read!(production, texts);
    for alias in &mut to.production {
        *alias = alias.to_lowercase();
    }
    let category = |name: &str| CATEGORIES.iter().find(|known| **known == name).map(ToString::to_string);
    put(&mut to.categories, section.get("categories"), |node| reader.choices(node, category, CATEGORIES));
    read!(hotfix_branches, texts);
    read!(bots, texts);
    read!(count_bots, flag);
    choice!(ownership, Ownership);
    choice!(frequency_days, FrequencyDays);
    read!(working_days, weekdays);
    read!(holidays, dates);
    read!(count_failed_outcomes, flag);
    choice!(incident_coverage, IncidentCoverage);
    put(&mut to.min_severity, section.get("min_severity"), |node| {
        reader.choice(node, Severity::parse, Severity::NAMES).map(Some)
    });
    put(&mut to.outage_severities, section.get("outage_severities"), |node| {
        reader.choices(node, Severity::parse, Severity::NAMES)
    });
    read!(budget_window, budget);
    read!(at_risk_margin, share);
    put(&mut to.levels, section.get("levels"), |node| {
        reader.whole(node, LEVEL_YEARS.0, LEVEL_YEARS.1).and_then(|year| u16::try_from(year).ok())
    });
    choice!(rollout_end, RolloutEnd);
    for name in ["production", "categories"] {
        if let Some(node) = section.get(name).filter(is_empty_list) {
            reader.wrong(
                &node,
                "the list is empty, so nothing would be counted; name at least one, or leave the key out",
            );
        }
    }
}
