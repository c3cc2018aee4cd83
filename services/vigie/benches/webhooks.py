"""Webhooks as they come: how many a second, and how many are mapped meanwhile."""

import hmac
import http.client
import json
import time

from kit import HERE, ROOT, Postgres, Server, note, run


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
