"""Structured logging: one line an event, no secrets, no request bodies."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from waybill.config import Settings


def configure(settings: Settings) -> None:
    """Sets up logging to standard error for this process."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    console = settings.log_format == "console" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )
    renderer: Any = (
        structlog.dev.ConsoleRenderer(
            pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
        if console
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
            *([] if console else [_TRACEBACKS]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    if not any(isinstance(each, _Others) for each in root.handlers):
        root.addHandler(_Others(logging.WARNING))


class _Others(logging.Handler):
    """Gives what libraries log the form of our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one line."""
        logger(record.name).log(record.levelno, record.getMessage(), exc_info=record.exc_info)


# Variables of the frames hold tokens, and the database's password.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def logger(part: str) -> Any:
    """A logger whose lines name the part of Waybill that wrote them."""
    return structlog.get_logger(part=part)
