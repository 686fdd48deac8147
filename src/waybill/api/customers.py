"""The calls about customers: whom a reseller serves, and which profiles they share with it."""

from __future__ import annotations

from waybill.api.edge import Answer, Call, json
from waybill.customers import actions, store
from waybill.db.tx import snapshot
from waybill.resellers import actions as resellers
from waybill.wire import gen2
from waybill.wire.codes import Code, Refused


def listing(call: Call) -> Answer:
    """`GET /customers/list`: lists the customers that the reseller serves.

    Oldest association first. `/customers` is the older path of the same call; that it answers the
    same body is our choice.
    """
    reseller_id = gen2.reseller_id_of(call.query)
    page = gen2.parse_page(call.query, call.settings.page_size_max)
    with call.tx() as tx:
        snapshot(tx)
        reseller = resellers.acting(tx, call.acting, reseller_id)
        total = store.count_associated(tx, reseller.no)
        if page.num > 0 and page.num * page.size >= total:
            raise Refused(Code.PAGE_OUT_OF_BOUNDS)
        found = store.associated(tx, reseller.no, page.num * page.size, page.size)
    customers = [gen2.Customer(name=name, customerId=no) for no, name in found]
    return json(gen2.Customers(totalCount=total, pageNum=page.num, customers=customers))


def aliases(call: Call) -> Answer:
    """`GET /profilealias/kme`: lists the profiles that a customer shares with the reseller.

    An upload names them by `profileAlias`. Samsung: `resellerId` and `customerId` are request
    headers, in this call alone.
    """
    reseller_id, customer_id = (
        gen2.required(call.incoming.header(name.lower().encode()) or None, name)
        for name in ("resellerId", "customerId")
    )
    with call.tx() as tx:
        reseller = resellers.acting(tx, call.acting, reseller_id)
        customer = actions.filtered(tx, reseller.no, customer_id) or 0
        found = store.aliases(tx, reseller.no, customer)
    shared = [gen2.ProfileAlias(profileAlias=alias, profileId=profile) for alias, profile in found]
    return json(gen2.ProfileAliases(profileAliases=shared))
