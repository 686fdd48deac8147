"""The contract suite: black box, against the server that the environment names or one of our own.

    WAYBILL_CONTRACT_READY_FILE=ready.json  pytest tests/contract --confcutdir tests/contract

The file is what `waybill serve --seed --ready-file` writes; WAYBILL_CONTRACT_URL beside it names
another address of that server. In place of a file: WAYBILL_CONTRACT_URL, and with the same prefix
RESELLER_ID, CLIENT_ID, CLIENT_SECRET, CUSTOMER_ID and OTHER_CUSTOMER_ID (two customers that the
reseller serves); as far as there are any, UNSERVED_CUSTOMER_ID, and of a second reseller
OTHER_RESELLER_ID, OTHER_CLIENT_ID, OTHER_CLIENT_SECRET and OTHER_VENDOR_ID.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blackbox import Account, Service, service


@pytest.fixture(scope="session")
def served() -> Iterator[Service]:
    """The server under test."""
    with service() as found:
        yield found


@pytest.fixture(scope="session")
def reseller(served: Service) -> Account:
    """The reseller that most tests act as."""
    return served.reseller


@pytest.fixture(scope="session")
def other(served: Service) -> Account:
    """Another reseller on the same server."""
    if served.other is None:
        pytest.skip("no second reseller is named")
    return served.other


@pytest.fixture(scope="session")
def operator(served: Service) -> Account:
    """The operator's own client."""
    if served.operator is None:
        pytest.skip("no operator is named")
    return served.operator


@pytest.fixture(scope="session")
def unserved(served: Service) -> str:
    """A customer that no reseller ever served."""
    if served.unserved_customer_id is None:
        pytest.skip("no unserved customer is named")
    return served.unserved_customer_id
