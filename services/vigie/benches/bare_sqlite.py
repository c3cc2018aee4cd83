"""Inserts the rows of one SQLite database into another with the same schema, by prepared statements and nothing else.

Usage: bare_sqlite.py FROM INTO ROWS_A_TRANSACTION TABLE...
Prints the number of rows and the seconds that the inserting took; the reading is not counted.
"""

import itertools
import sqlite3
import sys
import time

source, target, batch, *tables = sys.argv[1:]
reading = sqlite3.connect(source)
writing = sqlite3.connect(target, isolation_level=None)
# As the store opens it.
for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -131072", "foreign_keys = ON", "temp_store = MEMORY"):
    writing.execute(f"PRAGMA {pragma}")

count, seconds = 0, 0.0
for table in tables:
    key = "seq" if table == "events" else ", ".join(
        name for _, name, _, _, _, place in reading.execute(f"PRAGMA table_info({table})") if place > 0
    )
    rows = reading.execute(f"SELECT * FROM {table} ORDER BY {key}").fetchall()
    if not rows:
        continue
    insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})"
    count += len(rows)
    rest = iter(rows)
    begun = time.perf_counter()
    while part := list(itertools.islice(rest, int(batch))):
        writing.execute("BEGIN IMMEDIATE")
        writing.executemany(insert, part)
        writing.execute("COMMIT")
    seconds += time.perf_counter() - begun
print(count, seconds)
