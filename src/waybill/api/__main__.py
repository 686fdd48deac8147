"""One API process, as the supervisor starts it."""

from __future__ import annotations

from waybill import lifeline, log
from waybill.api import server
from waybill.api.app import build
from waybill.config import load


def main() -> None:
    """Serves with the settings of the environment."""
    lifeline.watch()
    settings = load()
    log.configure(settings)
    server.serve(build(settings), settings, server.inherited())


if __name__ == "__main__":
    main()
