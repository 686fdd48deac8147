"""What everything below the doors is handed: an open database transaction."""

from __future__ import annotations

from typing import Any

import psycopg

Tx = psycopg.Connection[tuple[Any, ...]]
