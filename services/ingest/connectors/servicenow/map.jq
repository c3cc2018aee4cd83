# ServiceNow: what the business rule of README.md sends after each insert, update and deletion of an incident, with the whole
# record. Its times are made RFC 3339 in UTC there; choices (state, priority) come as their values: "1".

def record: .body.incident;
def texts($list): [$list | arrays[] | tostring];
def choice($value): if $value == null then "" else ($value | tostring) end;

def id: first_of(record.number) | as_id | need("incident.number");
def opened_at: first_of((record.opened_at, record.created_at) | time) | need("incident.opened_at");

def updated_at: first_of(record.updated_at | time) | need("incident.updated_at");
# ServiceNow's times have whole seconds, and rules often change a record again at once: the number of the change,
# as so many millionths of a second, keeps them in order.
def at:
  (first_of(record.mod_count) // 0 | tostring | if test("^[0-9]{1,5}$") then tonumber else 0 end) as $count
  | updated_at | plus_seconds($count / 1000000);

# Of a priority that counts, and not cancelled.
def counts($priority; $state):
  (texts(.settings.priorities) | index([choice($priority)])) != null
  and (texts(.settings.cancelled_states) | index([choice($state)])) == null;
def is_incident: counts(record.priority; record.state);
# Before this change, as the rule says.
def was_incident: (.body.previous | type) == "object" and counts(.body.previous.priority; .body.previous.state);

def before: first_of(.body.previous | objects | .state);
def state_in($states): record.state as $state | texts($states) | index([choice($state)]) != null;
def is_resolved: state_in(.settings.resolved_states);
def reopened:
  before as $before
  | (is_resolved | not)
    and ((first_of(record.reopen_count) // 0 | tostring) != "0"
      or (texts(.settings.resolved_states) | index([choice($before)])) != null);

def service: first_of(record.business_service, record.configuration_item, .settings.default_service);

def severity: {"1": "critical", "2": "major", "3": "minor", "4": "info", "5": "info"}[choice(record.priority)];

# The incident that this one repeats: its parent, or that of the tool which opened the ticket.
def same_as:
  first_of(.settings.correlation_source) as $tool
  | first_of(record.parent_incident) as $parent
  | first_of(record.correlation_id) as $theirs
  | if $parent != null then "\(.source // "servicenow"):\($parent)"
    elif $tool != null and $theirs != null then "\($tool):\($theirs)"
    else null end;

def url:
  first_of(.body.instance) as $instance | first_of(record.sys_id) as $sys_id
  | if $instance == null or $sys_id == null then null else "\($instance | tostring | sub("/+$"; ""))/incident.do?sys_id=\($sys_id)" end;

def incident:
  reopened as $reopened
  | {
    kind: "incident",
    id: id,
    service: (service | service_guess),
    environment: first_of((record.configuration_item, record.business_service) | environment_guess),
    title: (first_of(record.short_description) | if . == null then null else tostring | short(10000) end),
    severity: severity,
    started_at: first_of((record.started_at | time), opened_at),
    # a ticket is opened when somebody noticed
    detected_at: first_of(if first_of(record.started_at) == null then empty else opened_at end),
    acknowledged_at: first_of(record.work_start | time),
    resolved_at: (if is_resolved then first_of((record.resolved_at, record.closed_at) | time) // updated_at else null end),
    same_as: same_as,
    url: url,
    labels: {caused_by: first_of(record.caused_by | as_id)},
    at: at
  }
  # a ticket often gets its service later
  + (if service == null then {partial: true}
     else {matches: {
       business_service: (record.business_service | as_id),
       configuration_item: (record.configuration_item | as_id),
       category: (record.category | as_id),
       assignment_group: (record.assignment_group | as_id)
     } | map_values(select(. != null and . != ""))} end)
  | drop_nulls
  | if $reopened then . + {resolved_at: null} else . end;

# Taken up when its state first became "in progress". Only the first time counts, whatever arrives when: mirrored at
# the opening, the earliest change has the latest `at`.
def taken_up:
  if first_of(record.work_start) == null and state_in([.settings.taken_up_state]) and choice(before) != choice(record.state) then
    {kind: "incident", id: id, partial: true, acknowledged_at: updated_at, at: mirrored(opened_at; updated_at)}
  else empty end;

if (.body | type) != "object" or (.body.incident | type) != "object" then empty
elif .body.operation == "delete" then
  # the record's own time is that of its last change
  if is_incident then {kind: "incident", id: id, deleted: true, at: (first_of(.body.sent_at | time) | need("sent_at"))} else empty end
elif is_incident then incident, taken_up
# cancelled, or of a lower priority now
elif was_incident then {kind: "incident", id: id, deleted: true, at: at}
else empty end
