"""What becomes of one who registers with the right numbers: decided by the rules that the operator has chosen.

A fourth choice of founding is laid beside these, and not built: the mandate of Suomi.fi says whom the Trade Register
lets sign for a company. It would be one more way of a case, decided by that service's answer as by a code
(docs/architecture.md).
"""

from __future__ import annotations

from sqlalchemy.orm import Session as Transaction

from registration.cases import codes, open_case
from registration.customer_register import Customer
from registration.database.models import Account, Case, Company
from registration.rights import founding
from registration.rights.changes import tell_administrators
from registration.settings.rules import RulesSettings


def ask(
    tx: Transaction, account: Account, customer: Customer, rules: RulesSettings, now: int
) -> tuple[bool, Case | None]:
    """Make an account that is in the database a representative; or open the case that is to be decided.

    customer: whose numbers they know. The company is locked until the end of the transaction. Returns whether they are
    an administrator now, and the case.
    """
    by_numbers = rules.founding == "numbers"
    first = by_numbers and founding.found(tx, customer.fo_nummer, customer.company_name, now)
    known = by_numbers or tx.get(Company, customer.fo_nummer, with_for_update=True) is not None
    if not known:
        way = codes.way_to(customer) if rules.founding == "activation" else "approval"
        opened = open_case(tx, account, "founding", customer, now, way=way)
        codes.send(tx, opened, customer, now)
        return False, opened
    if rules.joining == "approve" and not first:
        return False, open_case(tx, account, "joining", customer, now)
    numbers = customer.fo_nummer, customer.customer_number
    administrator = founding.join(tx, account, *numbers, now, first=first)
    if rules.joining == "notify" and not first:
        tell_administrators(tx, account, customer.fo_nummer, "joined", now)
    return administrator, None
