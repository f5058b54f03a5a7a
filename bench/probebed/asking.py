"""Asks blackbox_exporter to probe each host: see `measuring`.

It waits as long as a resolver takes before it asks, and gives the address with the name, so that
the exporter has no names to look up. Connections to the exporter are kept and used again.
"""

from __future__ import annotations

import heapq
import re
import time
from typing import Final
from urllib.parse import urlencode

import pycurl

from bench.probebed.measuring import LOOK_UP_SECONDS, Answer, Task, play

_TICK: Final = 0.005
_FIGURE: Final = re.compile(
    r"^(?P<name>probe_\w+(?:\{phase=\"\w+\"\})?) (?P<value>\S+)$", re.MULTILINE
)


class _Asking:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, task.at_once)
        self._named: list[tuple[float, int]] = []
        self._asked: dict[pycurl.Curl, tuple[int, list[bytes]]] = {}
        self._answers: list[Answer] = [Answer("unseen")] * len(task.hosts)
        self._next = self._busy = self._done = 0

    def run(self) -> list[Answer]:
        while self._done < len(self._task.hosts):
            now = time.monotonic()
            while self._next < len(self._task.hosts) and self._busy < self._task.at_once:
                heapq.heappush(self._named, (now + LOOK_UP_SECONDS, self._next))
                self._next += 1
                self._busy += 1
            self._turn()
        self._multi.close()
        return self._answers

    def _turn(self) -> None:
        now = time.monotonic()
        while self._named and self._named[0][0] <= now:
            self._ask(heapq.heappop(self._named)[1])
        self._multi.perform()
        more = 1
        while more:
            more, well, failed = self._multi.info_read()
            for handle in (*well, *(each[0] for each in failed)):
                self._end(handle)
        due = max(0.0, self._named[0][0] - time.monotonic()) if self._named else _TICK
        if self._asked:
            self._multi.select(min(due, _TICK))
        else:
            time.sleep(due)

    def _ask(self, number: int) -> None:
        host = self._task.hosts[number]
        asked = {
            "module": "http",
            "hostname": host.name,
            "target": host.url.replace(host.name, host.address),
        }
        handle, body = pycurl.Curl(), list[bytes]()
        handle.setopt(pycurl.URL, f"{self._task.exporter}/probe?{urlencode(asked)}")
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.WRITEFUNCTION, body.append)
        self._multi.add_handle(handle)
        self._asked[handle] = number, body

    def _end(self, handle: pycurl.Curl) -> None:
        number, body = self._asked.pop(handle)
        figures = {
            each["name"]: float(each["value"]) for each in _FIGURE.finditer(b"".join(body).decode())
        }
        self._multi.remove_handle(handle)
        handle.close()
        self._busy -= 1
        self._done += 1
        said = "" if figures.get("probe_success") else "failed"
        if said and figures.get("probe_http_status_code", 0) >= 400:
            said = f"status {figures['probe_http_status_code']:.0f}"
        waited = figures.get('probe_http_duration_seconds{phase="processing"}', 0.0)
        self._answers[number] = Answer(said, waited * 1000)


if __name__ == "__main__":
    play(lambda task: _Asking(task).run())
