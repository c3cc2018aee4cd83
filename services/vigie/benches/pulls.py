"""Pulls of GitHub: what is asked, and what is held in memory, beside a call for each row's own."""

import json
import subprocess

from kit import EXAMPLES, VIGIE, note, quiet, timed


class Busy:
    """A server that answers like GitHub, of so many repositories that are so many times as large."""

    def __init__(self, times, count):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([EXAMPLES / "busy", str(times), str(count)], **pipes)
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
    for times, count in ((1, 1), (4, 1), (1, 30)):
        here = folder / f"github-{times}-{count}"
        here.mkdir()
        (here / "token").write_text("ghp_made_up")
        server = Busy(times, count)
        names = [f"harbour/busy-{number}" for number in range(count)]
        source = f'[[pull]]\ngithub = {json.dumps(names)}\nurl = "{server.url}"\ntoken_file = "token"\n'
        (here / "vigie.toml").write_text(source)
        commits, pulls, deployments = (each * times * count for each in (5_000, 1_200, 900))
        name = "a repository" if count == 1 else f"{count} repositories"
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
            f"`vigie pull` of {name} on GitHub: {commits:,} commits, {pulls:,} pull requests, {deployments:,} deployments",
            f"{first['requests']} requests, {seconds:.1f} s, {memory:.0f} MB; for 1,000 of {rows:,} rows "
            f"{per(first['requests']):.1f} requests, {per(first['points']):.1f} points, {per(first['bytes']) / 1000:.0f} kB",
            f"a call for each row's own: {naive:,.0f} requests, {per(naive):.0f} for 1,000 rows",
            f"{naive / first['requests']:.0f}",
            ("≤ 120 requests, " if times * count == 1 else "") + "< 200 MB",
        )
        unchanged = second["statuses"].get("304", 0)
        note(
            "the same again, nothing new",
            f"{second['requests']} requests, {unchanged} of them answered with 304, {second['bytes'] / 1000:.0f} kB, {again:.1f} s",
            "",
            "",
            "≤ 4 requests" if count == 1 else "",
        )
