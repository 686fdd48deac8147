"""One worker process, as the supervisor or `waybill worker` starts it."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from waybill import lifeline, log
from waybill.config import Settings, load
from waybill.worker.loop import Worker


def work(settings: Settings) -> None:
    """Works until SIGTERM or SIGINT; the turns in hand are finished first."""
    log.configure(settings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with ThreadPoolExecutor(settings.turns_at_once) as threads:
        workers = [
            threads.submit(Worker(settings, stopping).run) for _ in range(settings.turns_at_once)
        ]
        wait(workers, return_when=FIRST_EXCEPTION)
        # Without one of them the others would hide that something is wrong.
        stopping.set()
        for each in workers:
            each.result()


def main() -> None:
    """Works with the settings of the environment."""
    lifeline.watch()
    work(load())


if __name__ == "__main__":
    main()
