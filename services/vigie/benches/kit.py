"""What the parts of bench.py share: the program, its servers, and the rows of the result."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
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


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


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
        self.port = free_port()
        data = self.folder / "data"
        silent = {"stdout": subprocess.DEVNULL, "cwd": "/", **self.user}
        run(self.bin / "initdb", "-D", data, "-U", "vigie", "-A", "trust", "-E", "UTF8", "--locale=C", **silent)
        options = f"-p {self.port} -k '' -c listen_addresses=127.0.0.1 -c max_wal_size=4GB -c min_wal_size=2GB -c shared_buffers=256MB"
        run(self.bin / "pg_ctl", "-D", data, "-l", self.folder / "log", "-o", options, "-w", "start", **silent)

    def sql(self, database, text, **options):
        url = self.url(database)
        return run(self.bin / "psql", "-q", "-v", "ON_ERROR_STOP=1", url, "-c", text, **options)

    def url(self, database):
        return f"postgres://vigie@127.0.0.1:{self.port}/{database}"

    def stop(self):
        run(self.bin / "pg_ctl", "-D", self.folder / "data", "-m", "fast", "stop", stdout=subprocess.DEVNULL, cwd="/", **self.user)


class Server:
    """`vigie serve`, until it answers."""

    def __init__(self, folder, url):
        self.port = free_port()
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
