"""The least that pycurl can be asked to do for the same probes: see `measuring`.

Names are looked up by threads, each request goes to the one address, and redirects are followed one
by one; nothing is parsed, checked or judged beyond libcurl's own code and the status.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

import pycurl

from bench.probebed.hosts import TIMEOUT_SECONDS
from bench.probebed.measuring import LOOK_UP_SECONDS, Answer, Task, play

if TYPE_CHECKING:
    from bench.probebed.hosts import Host

_TICK: Final = 0.005
_REDIRECTS: Final = range(300, 400)


class _Bare:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._multi = pycurl.CurlMulti()
        self._named: SimpleQueue[int] = SimpleQueue()
        self._bodies: dict[pycurl.Curl, tuple[int, list[bytes]]] = {}
        self._answers: list[Answer] = [Answer("unseen")] * len(task.hosts)
        self._next = self._busy = self._done = 0

    def run(self) -> list[Answer]:
        with ThreadPoolExecutor(self._task.at_once) as pool:
            while self._done < len(self._task.hosts):
                while self._next < len(self._task.hosts) and self._busy < self._task.at_once:
                    pool.submit(self._look_up, self._next)
                    self._next += 1
                    self._busy += 1
                self._turn()
        self._multi.close()
        return self._answers

    def _look_up(self, number: int) -> None:
        time.sleep(LOOK_UP_SECONDS)
        self._named.put(number)

    def _turn(self) -> None:
        try:
            while True:
                number = self._named.get_nowait()
                self._fetch(number, self._task.hosts[number].url)
        except Empty:
            pass
        self._multi.perform()
        more = 1
        while more:
            more, well, failed = self._multi.info_read()
            for handle in well:
                self._end(handle, 0)
            for handle, code, _ in failed:
                self._end(handle, code)
        if self._bodies:
            self._multi.select(_TICK)
        else:
            time.sleep(_TICK / 5)

    def _fetch(self, number: int, url: str) -> None:
        host: Host = self._task.hosts[number]
        handle, body = pycurl.Curl(), list[bytes]()
        handle.setopt(pycurl.URL, url)
        handle.setopt(pycurl.RESOLVE, [f"{host.name}:{urlsplit(url).port}:{host.address}"])
        handle.setopt(pycurl.TIMEOUT_MS, TIMEOUT_SECONDS * 1000)
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, TIMEOUT_SECONDS * 1000)
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.FORBID_REUSE, 1)
        handle.setopt(pycurl.FRESH_CONNECT, 1)
        handle.setopt(pycurl.WRITEFUNCTION, body.append)
        if url.startswith("https:"):
            handle.setopt(pycurl.CAINFO, self._task.bundle)
            handle.setopt(pycurl.OPT_CERTINFO, 1)
        self._multi.add_handle(handle)
        self._bodies[handle] = number, body

    def _end(self, handle: pycurl.Curl, code: int) -> None:
        number, _ = self._bodies.pop(handle)
        status = handle.getinfo(pycurl.RESPONSE_CODE)
        begun = handle.getinfo(pycurl.CONNECT_TIME), handle.getinfo(pycurl.APPCONNECT_TIME)
        first_byte = (handle.getinfo(pycurl.STARTTRANSFER_TIME) - max(begun)) * 1000
        location = handle.getinfo(pycurl.REDIRECT_URL)
        self._multi.remove_handle(handle)
        handle.close()
        if not code and status in _REDIRECTS and location:
            self._fetch(number, urljoin(self._task.hosts[number].url, location))
            return
        self._busy -= 1
        self._done += 1
        said = f"code {code}" if code else f"status {status}" if status >= 400 else ""
        self._answers[number] = Answer(said, first_byte)


if __name__ == "__main__":
    play(lambda task: _Bare(task).run())
