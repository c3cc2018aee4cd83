#!/usr/bin/env python3
"""Every figure of BENCHMARKS.md, with its baseline beside it, in one run on one machine.

    pip install duckdb
    apt-get install postgresql wrk git
    python3 services/vigie/benches/bench.py [--events 1000000] [--only import,postgres,answers,http,fresh,git,hooks,github] [--keep DIR]

Builds the program in the profile of the tests, makes the events up from a fixed seed and works in a temporary folder.
Prints a table in Markdown. Times differ from machine to machine and from hour to hour: read the ratios.
"""

import argparse
import calendar
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import http.client

from importing import imports, postgres
from kit import EXAMPLES, HERE, ROOT, ROWS, VIGIE, Server, bare_sqlite, free_port, note, quiet, run, timed
from pulls import github
from webhooks import webhooks


def answers(folder):
    url = f"sqlite://{folder / 'vigie.db'}"
    facts = folder / "facts"
    run(VIGIE, "--database", url, "export", "--format", "parquet", facts, **quiet(folder))
    ours = run(EXAMPLES / "answers", "--database", url, capture_output=True, text=True).stdout
    ours = dict((row["question"], row) for row in map(json.loads, ours.splitlines()))
    to = next(iter(ours.values()))["to"]
    theirs = run(sys.executable, HERE / "duckdb_baseline.py", facts, "--to", to, "--service", "service-0123", capture_output=True, text=True)
    goals = {"one service, 90 days": 1, "organisation, 365 days": 50, "by service, 365 days": 300, "daily series, 365 days": 100}
    for row in map(json.loads, theirs.stdout.splitlines()):
        own = ours[row["question"]]["ms"]
        note(
            f"nine metrics, {row['question']}",
            f"{own:.3f} ms",
            f"DuckDB over the exported facts {row['duckdb_ms']:.1f} ms",
            f"{row['duckdb_ms'] / own:.0f}",
            f"< {goals[row['question']]} ms, ≥ 5",
        )


def wrk(port, services, window):
    script = HERE / "scorecards.lua"
    command = ["wrk", "-t1", "-c32", "-d6s", "-s", script, f"http://127.0.0.1:{port}", "--", services, *window]
    said = run(*command, capture_output=True, text=True).stdout
    if "Non-2xx" in said:
        raise SystemExit(said)
    return float(next(line.split()[1] for line in said.splitlines() if line.startswith("Requests/sec")))


def served(folder):
    server = Server(folder, f"sqlite://{folder / 'vigie.db'}")
    still = None
    try:
        note("`vigie serve` on that database, from its start to its first answer", f"{server.first_answer:.2f} s", goal="< 3 s")
        end = server.ask("{ deployments(window: {from: \"2020-01-01T00:00:00Z\", to: \"2030-01-01T00:00:00Z\"}, first: 1) { nodes { finishedAt } } }")
        to = end["deployments"]["nodes"][0]["finishedAt"][:10]
        start = time.strftime("%Y-%m-%d", time.gmtime(calendar.timegm(time.strptime(to, "%Y-%m-%d")) - 90 * 86400))
        window = (f"{start}T00:00:00Z", f"{to}T00:00:00Z")
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        body = (
            '{"query":"{ scorecard(scope: {service: [\\"service-0000\\"]}, window: {from: \\"%s\\", to: \\"%s\\"}) '
            '{ metrics { name unit value noData numerator denominator sampleSize status level target { objective } } } }"}' % window
        )
        connection.request("POST", "/graphql", body, {"content-type": "application/json"})
        (folder / "answer.json").write_bytes(connection.getresponse().read())
        port = free_port()
        still = subprocess.Popen([str(EXAMPLES / "static_answer"), f"127.0.0.1:{port}", str(folder / "answer.json")])
        time.sleep(1)
        rounds = [(wrk(port, 1, window), wrk(server.port, 1000, window), wrk(server.port, 1, window)) for _ in range(3)]
        static, turn, equal = (statistics.median(column) for column in zip(*rounds))
        note("one-service scorecards over HTTP, 1,000 services in turn", f"{turn:,.0f}/s", f"the same bytes from memory {static:,.0f}/s", f"{turn / static:.2f}", "≥ 0.25")
        note("equal scorecards over HTTP", f"{equal:,.0f}/s", f"the same bytes from memory {static:,.0f}/s", f"{equal / static:.2f}", "≥ 0.7")
    finally:
        server.stop()
        if still:
            still.kill()
            still.wait()


def fresh(folder, rate=500, seconds=20):
    """How soon after its 202 a deployment is counted in GraphQL, while many others arrive."""
    server = Server(folder, f"sqlite://{folder / 'vigie.db'}")
    stop = threading.Event()

    def deployment(service, number):
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return json.dumps({"kind": "deployment", "service": service, "id": f"bench-{number}", "finished_at": at, "outcome": "succeeded"})

    def post(connection, body):
        connection.request("POST", "/v1/events", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 202:
            raise SystemExit(f"the intake answered {answer.status}")

    sent = [0]

    def traffic():
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        begun = time.perf_counter()
        while not stop.is_set():
            post(connection, deployment(f"service-{sent[0] % 1000:04}", f"t{sent[0]}"))
            sent[0] += 1
            time.sleep(max(0.0, sent[0] / rate - (time.perf_counter() - begun)))

    sender = threading.Thread(target=traffic)
    waits = []
    try:
        sender.start()
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        question = "{ deployments(scope: {service: \"probe\"}, window: {last: \"P1D\"}, first: 0) { totalCount } }"
        # A service that nobody knows yet is an error to ask for; and after a start every service is read once.
        post(connection, deployment("probe", "p0"))
        first = time.perf_counter()
        while server.ask("{ service(slug: \"probe\") { slug } }", connection)["service"] is None:
            time.sleep(0.02)
        first = time.perf_counter() - first
        time.sleep(20)
        begun, before = time.perf_counter(), sent[0]
        number = 1
        while time.perf_counter() - begun < seconds:
            post(connection, deployment("probe", f"p{number}"))
            acknowledged = time.perf_counter()
            number += 1
            while server.ask(question, connection)["deployments"]["totalCount"] < number:
                time.sleep(0.005)
            waits.append(time.perf_counter() - acknowledged)
        achieved = (sent[0] - before) / (time.perf_counter() - begun)
    finally:
        stop.set()
        sender.join()
        server.stop()
    waits.sort()
    note(
        f"from its `202` to GraphQL, {achieved:.0f} events/s arriving for 1,000 services",
        f"median {statistics.median(waits) * 1000:.0f} ms, worst of {len(waits)} {waits[-1] * 1000:.0f} ms; the first after the start {first:.1f} s",
        goal="< 1 s",
    )


def repository(folder, commits):
    """A history with merges, from `git fast-import`."""
    path = folder / "repository"
    run("git", "init", "-q", "-b", "main", path)
    begin = 1_600_000_000
    process = subprocess.Popen(["git", "-C", str(path), "fast-import", "--quiet"], stdin=subprocess.PIPE)
    out = process.stdin
    for n in range(1, commits + 1):
        at = f"{begin + n * 300} +0200"
        message = f"Change number {n} of the order flow\n\nIt was wrong for guests, and now it is not: the basket keeps its currency.\n".encode()
        side = n % 10 == 5
        merge = n % 10 == 6
        branch = "refs/heads/side" if side else "refs/heads/main"
        lines = [f"commit {branch}", f"mark :{n}", f"author Dev {n % 40} <dev{n % 40}@example.com> {at}", f"committer Dev {n % 40} <dev{n % 40}@example.com> {at}", f"data {len(message)}"]
        out.write("\n".join(lines).encode() + b"\n" + message)
        if side:
            out.write(f"from :{n - 1}\n".encode())
        elif merge:
            out.write(f"from :{n - 2}\nmerge :{n - 1}\n".encode())
        elif n > 1:
            out.write(f"from :{n - 1}\n".encode())
        text = f"{n}\n".encode()
        out.write(f"M 100644 inline src/part{n % 50}.txt\ndata {len(text)}\n".encode() + text + b"\n")
    out.close()
    if process.wait() != 0:
        raise SystemExit("git fast-import failed")
    run("git", "-C", path, "reset", "-q", "--hard", "main")
    return path


def git(folder, commits=100_000):
    path = repository(folder, commits)
    with open(os.devnull, "wb") as nowhere:
        log, _ = timed("git", "-C", path, "log", "--format=%H%P%at%ct%B", stdout=nowhere)
    for name, options in (("", []), (" --every-merge", ["--every-merge"])):
        database = folder / f"git{len(options)}.db"
        pull = (VIGIE, "--database", f"sqlite://{database}", "pull", "git", path, *options)
        seconds, memory = timed(*pull, **quiet(folder))
        rows, bare = bare_sqlite(folder, database)
        note(
            f"`vigie pull git{name}` of {commits:,} commits ({rows:,} events, folded)",
            f"{seconds:.1f} s, {memory:.0f} MB",
            f"`git log` {log:.1f} s + bare insert {bare:.1f} s",
            f"{seconds / (log + bare):.2f}",
            "≤ 2",
        )
    again, _ = timed(*pull, **quiet(folder))
    note("the same again, nothing new", f"{again:.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--only", default="import,postgres,answers,http,fresh,git,hooks,github")
    parser.add_argument("--keep", type=pathlib.Path)
    arguments = parser.parse_args()
    only = arguments.only.split(",")
    # The whole workspace, as the tests build it: a part would be built with other features, and anew.
    run("cargo", "build", "--quiet", "--workspace", "--bins", "--examples", cwd=ROOT)
    folder = arguments.keep or pathlib.Path(tempfile.mkdtemp(prefix="vigie-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        events = folder / "events.ndjson"
        if not events.exists() and not set(only) <= {"hooks", "github"}:
            with open(events, "wb") as out:
                run(EXAMPLES / "events", "--events", arguments.events, stdout=out)
        if "import" in only:
            imports(folder, events, arguments.events)
        if "postgres" in only:
            postgres(folder, events, arguments.events)
        if "answers" in only:
            answers(folder)
        if "http" in only:
            served(folder)
        if "git" in only:
            git(folder)
        if "fresh" in only:
            fresh(folder)
        if "hooks" in only:
            webhooks(folder)
        if "github" in only:
            github(folder)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print("| what | figure | baseline | ratio | goal |\n|---|---|---|---|---|")
    for row in ROWS:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
