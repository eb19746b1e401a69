"""Activation codes: sixteen characters of Crockford's base 32, which are 80 random bits; kept as a keyed digest only.

So a code is made when the letter or the e-mail that holds it is written, and the one before ends by it.
"""

from __future__ import annotations

import hmac
import secrets

from sqlalchemy.orm import Session as Transaction

from kit.typed_text import number
from registration.cases import grant_by_code, locked_case
from registration.customer_register import Customer
from registration.database.models import Case
from registration.keys import Keys
from registration.mail import outbox

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32, which has no letters that look or sound alike."""
LENGTH, GROUP = 16, 4
VALID = 30 * 86_400
"""Seconds from when it was made."""
TRIES = 5
_MISREAD = str.maketrans("OIL", "011", "-")


def way_to(customer: Customer) -> str:
    """How a code reaches a customer; `approval` where the register has no address."""
    return "email" if customer.email else "letter" if customer.postal_address else "approval"


def send(tx: Transaction, found: Case, customer: Customer | None, now: int) -> None:
    """See to it that a code is sent the case's way; the one before ends. customer: as the register has it now."""
    found.code_digest = found.code_made_at = None
    if found.way == "email" and customer is not None and customer.email:
        words = {"company": found.company_name, "fo_nummer": found.fo_nummer, "case": found.id}
        outbox.write_to(tx, found.account, customer.email, outbox.ACTIVATION, now, **words)


def send_again(tx: Transaction, id: str, customer: Customer | None, now: int) -> None:
    """See to it that a new code is sent, the way the register knows by now. Raises NoSuchCase, AlreadyDecided."""
    found = locked_case(tx, id)
    if is_awaited(found):
        found.way = way_to(customer) if customer else "approval"
        send(tx, found, customer, now)


def random_code(length: int) -> str:
    """So many letters of the alphabet, of five random bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def as_meant(typed: str) -> str:
    """A code as it was made, where letters that look or sound alike were read or heard, and groups were typed.

    A phone writes another dash than the letter has, and what is copied from one brings along what nobody sees.
    """
    return number(typed).upper().translate(_MISREAD)


def make(keys: Keys, found: Case, now: int) -> str:
    """A new code for a case, which ends the one before; as people read it, in groups. now: since the epoch."""
    code = random_code(LENGTH)
    found.code_digest, found.code_made_at, found.code_tries = _digest(keys, found, code), now, 0
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def is_awaited(found: Case) -> bool:
    """Whether a code decides the case."""
    return found.state == "open" and found.kind == "founding" and found.way != "approval"


def is_over(found: Case, now: int) -> bool:
    """Whether the code that was made last can no longer be entered."""
    return found.code_made_at is not None and (found.code_tries >= TRIES or found.code_made_at + VALID <= now)


def enter(tx: Transaction, keys: Keys, id: str, typed: str, now: int) -> bool:
    """Try a code; whether it is the right one, by which the case is granted. Each try is counted.

    Raises NoSuchCase, AlreadyDecided.
    """
    found = locked_case(tx, id)
    if not is_awaited(found) or found.code_digest is None or is_over(found, now):
        return False
    found.code_tries += 1
    code = as_meant(typed)
    if not hmac.compare_digest(found.code_digest, _digest(keys, found, code)):
        return False
    grant_by_code(tx, found, now)
    return True


def _digest(keys: Keys, found: Case, code: str) -> str:
    return keys.keyed_digest("activation", found.id, code)
