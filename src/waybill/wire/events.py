"""What the activity log tells of: one line an event."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """An event as the activity log names it; the words are the portal's."""

    DEVICES_UPLOADED = "Device uploaded"
    DEVICES_DELETED = "Devices deleted"
    UPLOAD_APPROVED = "Upload approved"
    RESELLER_CREATED = "Reseller created"
    RESELLER_REGISTERED = "Reseller registered"
    CUSTOMER_CREATED = "Customer created"
    VENDOR_CREATED = "Vendor created"
    PROFILE_ALIAS_CREATED = "Profile alias created"
    CLIENT_CREATED = "Client created"
    CLIENT_SECRET_RENEWED = "Client secret renewed"  # noqa: S105 - words, no secret
    REQUEST_REFUSED = "API request refused"
