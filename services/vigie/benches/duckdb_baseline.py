#!/usr/bin/env python3
"""The named baseline for answers: DuckDB over the facts that `vigie export --format parquet DIR` wrote.

    pip install duckdb
    python3 duckdb_baseline.py DIR [--to 2026-10-31T00:00:00Z] [--service SLUG] [--rounds 7]

Loads the fact tables into memory and asks the four questions of BENCHMARKS.md: the same numbers, in UTC, of the
made-up organisation (whose services all have a failure signal, and incidents for their uptime). Prints the median of the rounds in milliseconds, one line a question,
as JSON. Loading is not timed.
"""

import argparse
import datetime as dt
import json
import pathlib
import statistics
import time

import duckdb

DAY = 86_400_000_000

TABLES = ["deployment_facts", "change_facts", "incident_facts", "availability_facts", "service_facts", "waiting_facts"]

# Each answers with one row per group: the group's columns, then the nine metrics.
# `{g}` are the group's columns, `{w}` filters the scope, $from and $to are microseconds.
METRICS = {
    "deployment_frequency": """
        SELECT {g} count(*) FILTER (finished_at >= $from) * 1.0
                   / ((($to - $from) / 86400000000.0) * count(DISTINCT service))
        FROM deployment_facts
        WHERE counted AND delivery AND environment = 'production' {w}
          AND finished_at >= $from - 90 * 86400000000 AND finished_at < $to {by}""",
    "lead_time": """
        SELECT {g} quantile_cont(lead_time, 0.5), avg(lead_time), count(*)
        FROM change_facts
        WHERE counted AND NOT bot AND environment = 'production' {w}
          AND deployed_at >= $from AND deployed_at < $to {by}""",
    "change_failure_rate": """
        SELECT {g} count(*) FILTER (failed) * 1.0 / count(*)
        FROM deployment_facts SEMI JOIN (FROM service_facts WHERE failure_signal) USING (service)
        WHERE counted AND (delivery OR failed) AND environment = 'production' {w}
          AND finished_at >= $from AND finished_at < $to {by}""",
    "failed_deployment_recovery_time": """
        SELECT {g} quantile_cont(greatest(recovered_at - finished_at, 0), 0.5)
        FROM deployment_facts
        WHERE counted AND failed AND recovered_at IS NOT NULL AND environment = 'production' {w}
          AND finished_at >= $from AND finished_at < $to {by}""",
    "rework_rate": """
        SELECT {g} count(*) FILTER (unplanned) * 1.0 / count(*)
        FROM deployment_facts SEMI JOIN (FROM service_facts WHERE failure_signal) USING (service)
        WHERE counted AND outcome = 'succeeded' AND NOT redeployment AND NOT joined AND environment = 'production' {w}
          AND finished_at >= $from AND finished_at < $to {by}""",
    "mttr_mttd_mtta": """
        SELECT {g} avg(restored_at - started_at), avg(detected_at - started_at),
                   avg(acknowledged_at - coalesce(detected_at, started_at)), count(*)
        FROM (SELECT {d} any_value(restored_at) restored_at, any_value(started_at) started_at,
                     any_value(detected_at) detected_at, any_value(acknowledged_at) acknowledged_at
              FROM incident_facts
              WHERE environment = 'production' {w} AND restored_at >= $from AND restored_at < $to
              GROUP BY {d} source, id) {by}""",
    "uptime": """
        SELECT {g} avg(1 - down / ($to - $from))
        FROM (SELECT service, sum(greatest(0, least(coalesce(ends_at, $to), $to) - greatest(begins_at, $from))) down
              FROM availability_facts
              WHERE state = 'outage' AND environment = 'production' {w}
              GROUP BY service) {by}""",
}


def ask(connection, scope="", by=None, **arguments):
    """All nine metrics, as one round of queries."""
    answers = []
    for sql in METRICS.values():
        group = {"g": "", "d": "", "by": ""}
        if by == "service":
            group = {"g": "service,", "d": "service,", "by": "GROUP BY service"}
        text = sql.format(w=scope, **group)
        used = {name: value for name, value in arguments.items() if f"${name}" in text}
        answers.append(connection.execute(text, used).fetchall())
    return answers


# By day, what is no grouping of the above: a service counts in the frequency for 90 days after a delivery, and in the
# uptime on days without an outage too.
DAILY_FREQUENCY = """
    WITH deliveries AS (
             SELECT service, (finished_at - $from) // 86400000000 AS day, max(finished_at) AS finished_at, count(*) AS n
             FROM deployment_facts
             WHERE counted AND delivery AND environment = 'production'
               AND finished_at >= $from - 90 * 86400000000 AND finished_at < $to
             GROUP BY service, day),
         stretches AS (
             SELECT greatest(day, 0) AS first,
                    least((finished_at - $from) // 86400000000 + 90,
                          lead(day, 1, $days) OVER (PARTITION BY service ORDER BY day) - 1) AS last
             FROM deliveries),
         steps AS (
             SELECT day, sum(step) AS step
             FROM (SELECT first AS day, 1 AS step FROM stretches WHERE last >= first
                   UNION ALL SELECT last + 1, -1 FROM stretches WHERE last >= first)
             GROUP BY day),
         active AS (
             SELECT day, sum(coalesce(step, 0)) OVER (ORDER BY day) AS services
             FROM range($days) days(day) LEFT JOIN steps USING (day)),
         counts AS (SELECT day, sum(n) AS n FROM deliveries GROUP BY day)
    SELECT day, coalesce(n, 0) / services FROM active LEFT JOIN counts USING (day) WHERE services > 0"""

DAILY_UPTIME = """
    SELECT day, (known - count(down) + coalesce(sum(1 - down / 86400000000.0), 0)) / known
    FROM range($days) days(day) CROSS JOIN (SELECT count(*) AS known FROM service_facts) LEFT JOIN (
        SELECT day, service, sum(least(coalesce(ends_at, b + 86400000000), b + 86400000000) - greatest(begins_at, b)) AS down
        FROM (SELECT day, $from + day * 86400000000 AS b FROM range($days) days(day)) JOIN availability_facts
          ON state = 'outage' AND environment = 'production'
             AND begins_at < b + 86400000000 AND coalesce(ends_at, $to) > b
        GROUP BY day, service) USING (day)
    GROUP BY day, known"""


def daily(connection, start, end):
    """Each metric's series by day, for the whole organisation."""
    answers = []
    for name, time_column in [
        ("lead_time", "deployed_at"), ("change_failure_rate", "finished_at"),
        ("failed_deployment_recovery_time", "finished_at"), ("rework_rate", "finished_at"),
        ("mttr_mttd_mtta", "restored_at"),
    ]:
        bucket = f"({time_column} - $from) // {DAY} AS day,"
        text = METRICS[name].format(w="", g=bucket, d="", by="GROUP BY day")
        answers.append(connection.execute(text, {"from": start, "to": end}).fetchall())
    for text in [DAILY_FREQUENCY, DAILY_UPTIME]:
        used = {"from": start, "to": end, "days": (end - start) // DAY}
        answers.append(connection.execute(text, used).fetchall())
    return answers


def timed(rounds, question):
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        question()
        times.append((time.perf_counter() - begin) * 1000)
    return round(statistics.median(times), 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--to")
    parser.add_argument("--service")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    connection = duckdb.connect()
    for table in TABLES:
        path = arguments.directory / f"{table}.parquet"
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM read_parquet('{path}')")
    for table, column in [("deployment_facts", "finished_at"), ("change_facts", "deployed_at")]:
        (kind,) = connection.execute(
            "SELECT data_type FROM information_schema.columns WHERE table_name = ? AND column_name = ?", [table, column]
        ).fetchone()
        if kind.startswith("TIMESTAMP"):
            columns = connection.execute(
                "SELECT table_name, column_name FROM information_schema.columns WHERE data_type LIKE 'TIMESTAMP%'"
            ).fetchall()
            for name, time_column in columns:
                connection.execute(f"ALTER TABLE {name} ALTER {time_column} TYPE BIGINT USING epoch_us({time_column})")
            break
    if arguments.to:
        end = int(dt.datetime.fromisoformat(arguments.to).timestamp() * 1_000_000)
    else:
        (end,) = connection.execute("SELECT max(finished_at) + 1 FROM deployment_facts").fetchone()
    service = arguments.service
    if service is None:
        (service,) = connection.execute(
            "SELECT service FROM deployment_facts GROUP BY service ORDER BY count(*) DESC, service LIMIT 1"
        ).fetchone()
    one = f"AND service = '{service}'"
    year, quarter = end - 365 * DAY, end - 90 * DAY
    questions = {
        "one service, 90 days": lambda: ask(connection, one, **{"from": quarter, "to": end}),
        "organisation, 365 days": lambda: ask(connection, **{"from": year, "to": end}),
        "by service, 365 days": lambda: ask(connection, by="service", **{"from": year, "to": end}),
        "daily series, 365 days": lambda: daily(connection, year, end),
    }
    for name, question in questions.items():
        question()
        print(json.dumps({"question": name, "duckdb_ms": timed(arguments.rounds, question)}))


if __name__ == "__main__":
    main()
