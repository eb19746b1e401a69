"""Where a page of a list begins: keys of registration's in the address, and nothing else."""

from __future__ import annotations

import re

from flask import request

from customer_service.registration_api import NotFound

ID = re.compile("[0-9A-Za-z_-]{4,64}")


def id_parameter(name: str) -> str | None:
    """A key in the address, if it is there. Raises NotFound for what is none."""
    value = request.args.get(name)
    if value is not None and not ID.fullmatch(value):
        raise NotFound
    return value


def number_parameter(name: str) -> int | None:
    """A number in the address, if it is there. Raises NotFound for what is none."""
    value = request.args.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= 18):
        raise NotFound
    return int(value)
