"""Phones as the manufacturing list knows them, and what a row of a file says about one."""

from __future__ import annotations

from typing import NamedTuple

from waybill.wire.identifiers import Kind, canonical


class Phone(NamedTuple):
    """A phone of the list: its identifiers in canonical form; "" for what is not known."""

    imei: str
    imei2: str = ""
    meid: str = ""
    serial: str = ""
    model: str = ""

    @property
    def key(self) -> str:
        """What names the phone wherever devices are kept."""
        return self.imei[:14] or self.meid or self.serial

    @property
    def kind(self) -> Kind:
        """Of which kind the key is."""
        return Kind.IMEI if self.imei else Kind.MEID if self.meid else Kind.SN

    @property
    def odd(self) -> str:
        """The canonical form of what the key names where it does not follow from kind and key."""
        return "" if self.imei == canonical(Kind.IMEI, self.imei[:14]) else self.imei

    @property
    def names(self) -> list[str]:
        """All that names the phone, each once, spelled as `device.key` would be; the key first."""
        return [
            *{name: None for name in (self.key, self.imei2[:14], self.meid, self.serial) if name}
        ]
