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
import hmac
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import http.client

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
VIGIE = TARGET / "vigie"
EXAMPLES = TARGET / "examples"

ROWS = []


def note(what, figure, baseline="", ratio="", goal=""):
    """A row of the result."""
    ROWS.append((what, figure, baseline, ratio, goal))
    print(f"  {what}: {figure}  {baseline}  {ratio}  (goal {goal})", file=sys.stderr, flush=True)


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, **options)


def timed(*command, **options):
    """Wall seconds and the peak memory in MB of a command."""
    begun = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], **options)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def quiet(folder):
    return {"stdout": subprocess.DEVNULL, "stderr": open(folder / "log", "ab"), "cwd": folder}


def bare_sqlite(folder, source):
    """The same rows into the same table, keys and indexes: prepared inserts in one transaction."""
    target = folder / "bare.db"
    target.unlink(missing_ok=True)
    run(VIGIE, "--database", f"sqlite://{target}", "database", "migrate", **quiet(folder))
    said = run(sys.executable, HERE / "bare_sqlite.py", source, target, "1000000000", "events", capture_output=True, text=True)
    count, seconds = said.stdout.split()
    return int(count), float(seconds)


def imports(folder, events, count):
    database = folder / "vigie.db"
    seconds, memory = timed(VIGIE, "--database", f"sqlite://{database}", "import", events, **quiet(folder))
    rows, bare = bare_sqlite(folder, database)
    note(
        f"`vigie import` of {count:,} events, parsed, folded, facts written (SQLite)",
        f"{count / seconds:,.0f}/s, {memory:.0f} MB",
        f"bare prepared inserts {rows / bare:,.0f}/s",
        f"{bare / seconds:.2f}",
        "≥ 0.5, < 1,500 MB",
    )


class Postgres:
    """A server of our own, as safe on disk as one that people rely on."""

    def __init__(self, folder, name="postgres"):
        self.bin = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.folder = folder / name
        self.folder.mkdir()
        self.user = {}
        if os.geteuid() == 0:
            folder.chmod(0o755)
            shutil.chown(self.folder, "postgres", "postgres")
            self.user = {"user": "postgres", "group": "postgres"}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        data = self.folder / "data"
        silent = {"stdout": subprocess.DEVNULL, "cwd": "/", **self.user}
        run(self.bin / "initdb", "-D", data, "-U", "vigie", "-A", "trust", "-E", "UTF8", "--locale=C", **silent)
        options = f"-p {self.port} -k '' -c listen_addresses=127.0.0.1 -c max_wal_size=4GB -c shared_buffers=256MB"
        run(self.bin / "pg_ctl", "-D", data, "-l", self.folder / "log", "-o", options, "-w", "start", **silent)

    def sql(self, database, text, **options):
        url = self.url(database)
        return run(self.bin / "psql", "-q", "-v", "ON_ERROR_STOP=1", url, "-c", text, **options)

    def url(self, database):
        return f"postgres://vigie@127.0.0.1:{self.port}/{database}"

    def stop(self):
        run(self.bin / "pg_ctl", "-D", self.folder / "data", "-m", "fast", "stop", stdout=subprocess.DEVNULL, cwd="/", **self.user)


def postgres(folder, events, count):
    server = Postgres(folder)
    try:
        for name in ("ours", "bare"):
            server.sql("postgres", f"CREATE DATABASE {name}")
        server.sql("postgres", "CHECKPOINT")
        seconds, memory = timed(VIGIE, "import", events, env={**os.environ, "VIGIE_DATABASE": server.url("ours")}, **quiet(folder))
        run(VIGIE, "database", "migrate", env={**os.environ, "VIGIE_DATABASE": server.url("bare")}, **quiet(folder))
        rows = folder / "rows"
        with open(rows, "wb") as out:
            server.sql("ours", "COPY (SELECT * FROM events ORDER BY seq) TO STDOUT (FORMAT binary)", stdout=out)
        server.sql("postgres", "CHECKPOINT")
        begun = time.perf_counter()
        with open(rows, "rb") as back:
            server.sql("bare", "COPY events FROM STDIN (FORMAT binary)", stdin=back)
        bare = time.perf_counter() - begun
        note(
            "the same on PostgreSQL",
            f"{count / seconds:,.0f}/s, {memory:.0f} MB",
            f"bare `COPY` {count / bare:,.0f}/s",
            f"{bare / seconds:.2f}",
            "≥ 0.5, < 1,500 MB",
        )
    finally:
        server.stop()


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


class Server:
    """`vigie serve`, until it answers."""

    def __init__(self, folder, url):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        begun = time.perf_counter()
        command = [VIGIE, "--database", url, "serve", "--listen", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen([str(part) for part in command], **quiet(folder))
        while True:
            try:
                self.ask("{ scorecard(window: {last: \"P30D\"}) { metric(name: LEAD_TIME) { value } } }")
                break
            except OSError:
                time.sleep(0.01)
        self.first_answer = time.perf_counter() - begun

    def ask(self, query, connection=None):
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", "/graphql", json.dumps({"query": query}), {"content-type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        if "errors" in answer:
            raise SystemExit(answer["errors"])
        return answer["data"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


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
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
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


def github_deliveries(folder, secret, count=5_000):
    """Bodies of GitHub's size (8 kB), each of another deployment, with their signatures: a line each."""
    fixture = ROOT / "services/ingest/connectors/github/fixtures/deployment_status_success.json"
    body = json.loads(fixture.read_text())["body"]
    body["repository"]["description"] = "".join(chr(97 + n * 7 % 26) if n % 6 else " " for n in range(500))
    body["sender"] = {f"{name}_url": f"https://api.github.com/users/somebody/{name}{{/other}}" for name in ("a", "b", "c", "d")}
    body["urls"] = {f"u{n}": f"https://api.github.com/repos/acme/shop/{n}{{/sha}}" for n in range(90)}
    path = folder / "deliveries"
    with open(path, "w") as out:
        for number in range(count):
            body["deployment"]["id"] = body["deployment_status"]["deployment_id"] = number
            body["deployment_status"]["id"] = number
            text = json.dumps(body)
            out.write(hmac.new(secret, text.encode(), "sha256").hexdigest() + "\t" + text + "\n")
    return path, len(text)


def deliver(port, lines, kind, name, seconds=8):
    script = HERE / "deliveries.lua"
    command = ["wrk", "-t2", "-c64", f"-d{seconds}s", "--latency", "-s", script, f"http://127.0.0.1:{port}", "--", lines, kind, name]
    said = run(*command, capture_output=True, text=True).stdout
    if "Non-2xx" in said:
        raise SystemExit(said)
    find = lambda start: next(line.split()[1] for line in said.splitlines() if line.strip().startswith(start))
    p99 = find("99%")
    factor = 1 if p99.endswith("ms") else 0.001 if p99.endswith("us") else 1000
    return float(find("Requests/sec")), float(p99.rstrip("msu")) * factor, seconds


def hooks(folder, url, what):
    """Signed deliveries into `/v1/hooks/github`, kept before they are acknowledged, and mapped meanwhile."""
    (folder / "secret").write_text("It's a Secret to Everybody")
    (folder / "vigie.toml").write_text('[[hook]]\nconnector = "github"\nsecret_file = "secret"\n')
    lines, size = github_deliveries(folder, b"It's a Secret to Everybody")
    server = Server(folder, url)

    def counters():
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode().splitlines()
        value = lambda name: int(next(line.split()[-1] for line in text if line.startswith(name)))
        return value('vigie_deliveries_total{result="accepted"}'), value('vigie_deliveries_mapped_total{result="mapped"}')

    try:
        # Once, so that it is there; then always the same one: proven, read, recognised, and nothing written.
        deliver(server.port, lines, "same", "first", 1)
        nothing, _, _ = deliver(server.port, lines, "same", "same")
        before = counters()
        rate, p99, seconds = deliver(server.port, lines, "new", "new")
        during = counters()
        begun = time.perf_counter()
        while counters()[1] < during[0]:
            time.sleep(0.05)
        drained = time.perf_counter() - begun
        mapped = (during[1] - before[1]) / seconds
        then = (during[0] - during[1]) / max(drained, 0.001)
        note(
            f"signed deliveries of {size / 1000:.0f} kB, 64 connections, each on disk before its `202` ({what})",
            f"{rate:,.0f}/s, 99 % within {p99:.0f} ms; mapped meanwhile {mapped:,.0f}/s, then {then:,.0f}/s",
            f"the same handler, nothing to write {nothing:,.0f}/s",
            f"{rate / nothing:.2f}",
            "≥ 4,000/s, < 100 ms; ≥ 1,000/s mapped",
        )
    finally:
        server.stop()


def webhooks(folder):
    server = Postgres(folder, "postgres-webhooks")
    folder = folder / "webhooks"
    folder.mkdir()
    try:
        hooks(folder, f"sqlite://{folder / 'hooks.db'}", "SQLite")
        server.sql("postgres", "CREATE DATABASE hooks")
        hooks(folder, server.url("hooks"), "PostgreSQL")
    finally:
        server.stop()


class Busy:
    """A server that answers like GitHub, of a repository so many times as large."""

    def __init__(self, times):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([EXAMPLES / "busy", str(times)], **pipes)
        self.url = self.process.stdout.readline().strip()

    def traffic(self):
        """What was asked since the last time."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def github(folder):
    for times in (1, 4):
        here = folder / f"github-{times}"
        here.mkdir()
        (here / "token").write_text("ghp_made_up")
        server = Busy(times)
        source = f'[[pull]]\ngithub = "harbour/busy"\nurl = "{server.url}"\ntoken_file = "token"\n'
        (here / "vigie.toml").write_text(source)
        commits, pulls, deployments = 5_000 * times, 1_200 * times, 900 * times
        # Each pull request with four commits and two reviews, each deployment with three statuses.
        rows = commits + pulls * 7 + deployments * 4
        # A page of a hundred of each, and what belongs to each row by a call of its own.
        naive = (commits + pulls + deployments) / 100 + pulls * 2 + deployments
        try:
            seconds, memory = timed(VIGIE, "pull", **quiet(here))
            first = server.traffic()
            again, _ = timed(VIGIE, "pull", **quiet(here))
            second = server.traffic()
        finally:
            server.stop()
        per = lambda number: number * 1_000 / rows
        note(
            f"`vigie pull` of a repository on GitHub: {commits:,} commits, {pulls:,} pull requests, {deployments:,} deployments",
            f"{first['requests']} requests, {seconds:.1f} s, {memory:.0f} MB; for 1,000 of {rows:,} rows "
            f"{per(first['requests']):.1f} requests, {per(first['points']):.1f} points, {per(first['bytes']) / 1000:.0f} kB",
            f"a call for each row's own: {naive:,.0f} requests, {per(naive):.0f} for 1,000 rows",
            f"{naive / first['requests']:.0f}",
            ("≤ 120 requests, " if times == 1 else "") + "< 200 MB",
        )
        unchanged = second["statuses"].get("304", 0)
        note(
            "the same again, nothing new",
            f"{second['requests']} requests, {unchanged} of them answered with 304, {second['bytes'] / 1000:.0f} kB, {again:.1f} s",
            "",
            "",
            "≤ 4 requests",
        )


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
