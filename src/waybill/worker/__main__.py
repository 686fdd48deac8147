"""One worker process, as the supervisor or `waybill worker` starts it."""

from __future__ import annotations

import signal
import threading

from waybill import lifeline, log
from waybill.config import Settings, load
from waybill.worker.loop import Worker


def work(settings: Settings) -> None:
    """Works until SIGTERM or SIGINT; the turn in hand is finished first."""
    log.configure(settings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    Worker(settings, stopping).run()


def main() -> None:
    """Works with the settings of the environment."""
    lifeline.watch()
    work(load())


if __name__ == "__main__":
    main()
