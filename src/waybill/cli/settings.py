"""`waybill config`: each setting with its value, where that comes from, and what it means."""

from __future__ import annotations

from waybill.cli.output import show
from waybill.cli.where import HERE, Json, Where
from waybill.config import Settings, source, unit_of


def config(*, json: Json = False, where: Where = HERE) -> None:
    """Show every setting with its value, source and meaning.

    Any of them can be set in the environment: `upload_devices_max` is WAYBILL_UPLOAD_DEVICES_MAX.

    As JSON, an array: `setting`, `value`, `source` (option, environment or default), `unit`,
    `meaning`.
    """
    settings = where.settings()
    given = {"data_dir": where.data_dir, "database_url": where.database_url}
    show(
        [
            {
                "setting": name,
                "value": _shown(name, settings),
                "source": source(name, given),
                "unit": unit_of(name),
                "meaning": field.description,
            }
            for name, field in Settings.model_fields.items()
        ],
        json=json,
    )


def _shown(name: str, settings: Settings) -> object:
    value = getattr(settings, name)
    if name == "database_url":
        return settings.public_database_url
    return value if isinstance(value, str | int | float | bool | None) else str(value)
