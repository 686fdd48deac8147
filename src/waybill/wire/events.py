"""What the activity log tells of: one line an event."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """An event as the activity log names it; the words are the portal's."""

    DEVICES_UPLOADED = "Device uploaded"
    DEVICES_DELETED = "Devices deleted"
    UPLOAD_APPROVED = "Upload approved"
    RESELLER_CREATED = "Reseller created"
    RESELLER_CHANGED = "Reseller edited"
    RESELLER_BLOCKED = "Reseller blocked"
    RESELLER_UNBLOCKED = "Reseller unblocked"
    RESELLER_CLOSED = "Reseller closed"
    RESELLER_REOPENED = "Reseller reopened"
    RESELLER_REGISTERED = "Reseller registered"
    CUSTOMER_CREATED = "Customer created"
    CUSTOMER_CHANGED = "Customer edited"
    CUSTOMER_CLOSED = "Customer closed"
    CUSTOMER_REOPENED = "Customer reopened"
    AUTO_APPROVE_CHANGED = "Auto-approve changed"
    VENDOR_CREATED = "Vendor created"
    VENDOR_CHANGED = "Vendor edited"
    VENDOR_CLOSED = "Vendor closed"
    VENDOR_REOPENED = "Vendor reopened"
    PROFILE_ALIAS_CREATED = "Profile alias created"
    PROFILE_ALIAS_CLOSED = "Profile alias closed"
    CLIENT_CREATED = "Client created"
    CLIENT_CHANGED = "Client edited"
    CLIENT_SECRET_RENEWED = "Client secret renewed"  # noqa: S105 - words, no secret
    CLIENT_DELETED = "Client deleted"
    MANUFACTURED_IMPORTED = "Manufacturing list imported"
    REQUEST_REFUSED = "API request refused"
