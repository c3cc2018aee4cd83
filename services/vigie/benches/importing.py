"""Imports of a million events, each beside a bare load of the same rows before it and after it."""

import os
import statistics
import time

from kit import VIGIE, Postgres, bare_sqlite, note, quiet, run, timed


ROUNDS = 3


def row(what, count, runs, bare, baseline):
    """The medians of several runs, and the ratio of those."""
    seconds = statistics.median(seconds for seconds, _ in runs)
    loaded = statistics.median(bare)
    memory = max(memory for _, memory in runs)
    spread = f"{min(bare):.1f} to {max(bare):.1f} s"
    note(
        what,
        f"{count / seconds:,.0f}/s, {memory:.0f} MB",
        f"{baseline} {count / loaded:,.0f}/s ({spread})",
        f"{loaded / seconds:.2f}",
        "≥ 0.5, < 1,500 MB",
    )


def imports(folder, events, count):
    runs, bare = [], []
    for number in range(ROUNDS):
        # The first stays for the parts that follow.
        database = folder / ("vigie.db" if number == 0 else "again.db")
        for left in folder.glob("again.db*"):
            left.unlink()
        runs.append(timed(VIGIE, "--database", f"sqlite://{database}", "import", events, **quiet(folder)))
        bare.append(bare_sqlite(folder, folder / "vigie.db")[1])
    row(f"`vigie import` of {count:,} events, parsed, folded, facts written (SQLite)", count, runs, bare, "bare prepared inserts")


def bare_postgres(folder, server, rows):
    server.sql("postgres", "CREATE DATABASE bare")
    run(VIGIE, "database", "migrate", env={**os.environ, "VIGIE_DATABASE": server.url("bare")}, **quiet(folder))
    server.sql("postgres", "CHECKPOINT")
    begun = time.perf_counter()
    with open(rows, "rb") as back:
        server.sql("bare", "COPY events FROM STDIN (FORMAT binary)", stdin=back)
    seconds = time.perf_counter() - begun
    server.sql("postgres", "DROP DATABASE bare")
    return seconds


def postgres(folder, events, count):
    server = Postgres(folder)
    rows = folder / "rows"
    runs, bare = [], []
    try:
        # Once, uncounted: a server that has run for a while need not make its write-ahead segments first.
        for number in range(ROUNDS + 1):
            server.sql("postgres", "CREATE DATABASE ours")
            server.sql("postgres", "CHECKPOINT")
            runs.append(timed(VIGIE, "import", events, env={**os.environ, "VIGIE_DATABASE": server.url("ours")}, **quiet(folder)))
            if number == 0:
                with open(rows, "wb") as out:
                    server.sql("ours", "COPY (SELECT * FROM events ORDER BY seq) TO STDOUT (FORMAT binary)", stdout=out)
            server.sql("postgres", "DROP DATABASE ours")
            bare.append(bare_postgres(folder, server, rows))
        row("the same on PostgreSQL", count, runs[1:], bare[1:], "bare `COPY`")
    finally:
        server.stop()
