"""What the configuration says of the company, as the pages say it."""

from __future__ import annotations

import pytest

from kit.pages.look import telephone


@pytest.mark.parametrize(
    ("text", "written", "dialled"),
    [
        ("+358 9 123 4567", "+358 9 123 4567", "+35891234567"),
        ("+358 (0)9 123 4567", "+358 (0)9 123 4567", "+35891234567"),
        ("(09) 123 4567", "(09) 123 4567", "091234567"),
        ("010-123.4567", "010-123.4567", "0101234567"),
        ("010\u00a0123\u00a04567", "010\u00a0123\u00a04567", "0101234567"),
        ("010 123 4567 (ark. klo 8–16)", "010 123 4567", "0101234567"),
        ("010 123 4567 (8–16)", "010 123 4567", "0101234567"),
        ("010 123 4567, vardagar 8-16", "010 123 4567", "0101234567"),
        ("chat on our site", "", ""),
    ],
)
def test_a_telephone_number_is_dialled_without_what_stands_after_it(text: str, written: str, dialled: str) -> None:
    assert telephone(text) == (written, text[len(written) :], dialled)
