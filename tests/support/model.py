"""What uploads and deletes give one after another: so simple that it must be right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Operation = Literal["upload", "delete", "remove"]

MALFORMED, PLACEHOLDER, DUPLICATE, NOT_FOUND = 40000007, 40000004, 40000005, 40000044

WRONG = "352099001761480"
TEST_IMEI = "490154203237518"


@dataclass(frozen=True)
class Step:
    """One transaction of a history: an upload, a delete of devices, or of what an upload gave."""

    transaction: str
    operation: Operation
    customer: str
    devices: tuple[str, ...] = ()
    removes: str = ""


@dataclass
class Model:
    """One reseller alone with its devices: who has which, and by which upload."""

    held: dict[str, tuple[str, str]] = field(default_factory=dict)

    def run(self, step: Step) -> list[tuple[str, int]]:
        """Does a step; gives what failed, in order."""
        if step.operation == "remove":
            self.held = {
                device: holding
                for device, holding in self.held.items()
                if holding != (step.customer, step.removes)
            }
            return []
        failed: list[tuple[str, int]] = []
        for device in step.devices:
            code = self._upload(step, device) if step.operation == "upload" else None
            if step.operation == "delete":
                code = self._delete(step, device)
            if code is not None:
                failed.append((device, code))
        return failed

    def _upload(self, step: Step, device: str) -> int | None:
        if code := _form(device):
            return code
        if device in self.held:
            return DUPLICATE
        self.held[device] = (step.customer, step.transaction)
        return None

    def _delete(self, step: Step, device: str) -> int | None:
        if code := _form(device):
            return code
        if self.held.get(device, ("", ""))[0] != step.customer:
            return NOT_FOUND
        del self.held[device]
        return None


def _form(device: str) -> int | None:
    return {WRONG: MALFORMED, TEST_IMEI: PLACEHOLDER}.get(device)
