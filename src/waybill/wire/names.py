"""What people may call things: resellers, customers, vendors, clients and profile aliases."""

from __future__ import annotations

NAME_MAX = 200


def is_name(text: str) -> bool:
    """Whether it can be shown and stored: 1 to 200 printable characters, no spaces around it."""
    return 0 < len(text) <= NAME_MAX and text.isprintable() and text == text.strip()
