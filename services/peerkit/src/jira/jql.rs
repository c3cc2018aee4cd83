//! As much of the query language as is asked here.

use chrono::{NaiveDate, TimeDelta};

use super::Tracker;
use super::tracker::Issue;

impl Tracker {
    /// The issues that a question means, in the order of their making; or what is wrong with it.
    pub(super) fn found(&self, jql: &str) -> Result<Vec<usize>, String> {
        let (clauses, order) = jql.split_once(" ORDER BY ").ok_or("the order is not said")?;
        if order != "created ASC, key ASC" {
            return Err(format!("the order {order} is not known here"));
        }
        let mut found = Vec::new();
        for (id, issue) in self.issues.iter().enumerate() {
            let mut fits = true;
            for clause in clauses.split(" AND ") {
                fits &= self.fits(issue, clause)?;
            }
            if fits {
                found.push(id);
            }
        }
        found.sort_by_key(|id| self.issues[*id].created);
        Ok(found)
    }

    fn fits(&self, issue: &Issue, clause: &str) -> Result<bool, String> {
        if let Some(inner) = clause.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            let mut fits = false;
            for part in inner.split(" OR ") {
                fits |= self.fits(issue, part)?;
            }
            return Ok(fits);
        }
        if let Some((field, list)) = clause.split_once(" in (") {
            let list: Vec<&str> = list.trim_end_matches(')').split(", ").map(|text| text.trim_matches('"')).collect();
            let is_among = |value: &serde_json::Value| value.as_str().is_some_and(|text| list.contains(&text));
            return match field {
                "project" => match list.iter().find(|key| !["INC", "SHOP", "LAB"].contains(key)) {
                    Some(key) => Err(format!("The value '{key}' does not exist for the field 'project'.")),
                    None => Ok(is_among(&issue.fields["project"]["key"])),
                },
                "issuetype" => Ok(is_among(&issue.fields["issuetype"]["id"])),
                "labels" => Ok(issue.fields["labels"].as_array().into_iter().flatten().any(is_among)),
                _ => Err(format!("Field '{field}' does not exist.")),
            };
        }
        let (field, value) = clause.split_once(" >= ").ok_or_else(|| format!("'{clause}' is not understood"))?;
        let value = value.trim_matches('"');
        let at = match field {
            "created" => issue.created,
            "updated" => issue.updated,
            _ => return Err(format!("Field '{field}' does not exist.")),
        };
        let minutes = value.strip_prefix('-').and_then(|rest| rest.strip_suffix('m')?.parse().ok());
        match (minutes, NaiveDate::parse_from_str(value, "%Y-%m-%d")) {
            (Some(minutes), _) => Ok(at >= self.clock - TimeDelta::minutes(minutes)),
            // By a clock that is two hours fast.
            (None, Ok(day)) => Ok((at + TimeDelta::hours(2)).date_naive() >= day),
            (None, Err(_)) => Err(format!("Date value '{value}' for field '{field}' is invalid.")),
        }
    }
}
