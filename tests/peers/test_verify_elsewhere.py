"""The Node example of docs/verify-a-token.md, run as it stands there, meets good tokens and every kind of bad one."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tunnus_verifier.testing import BAD_TOKENS, POLICY_TOKENS, TokenMint, served_mint
from tunnus_verifier.testing.mint import TEST_LEVEL

pytestmark = pytest.mark.peers

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs" / "verify-a-token.md"

HARMLESS = {
    "huge",  # a good token, only larger than any of ours
    "kid_missing",  # the one key that fits is tried, and fits
    "b64",  # without effect unless `crit` names it
    "exp_fraction",
    "exp_endless",
    "amr_number",
    "name_list",
    "personal_identity_code_number",
    "birthdate_of_no_day",
    "birthdate_year",
    "birthdate_without_hyphens",
}
"""Signed by the issuer all the same; the example does not look at these, as the broker never makes them."""


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example as a file, in a folder where Node finds its packages."""
    (block,) = re.findall(r"```js\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    path = tmp_path / "example.mjs"
    path.write_text(block)
    return path


def verify(node: str, example: Path, mint: TokenMint, tokens: Iterable[str]) -> list[dict[str, Any]]:
    """What the example says of each token."""
    settings = {"issuer": mint.issuer, "audience": mint.audience, "jwksUri": mint.jwks_uri}
    settings |= {"parties": ["portal"], "levels": [TEST_LEVEL]}
    command = [node, str(HERE / "verify.mjs"), str(example), json.dumps(settings)]
    lines = "".join(f"{token}\n" for token in tokens)
    said = subprocess.run(command, input=lines, text=True, capture_output=True, timeout=60)
    assert said.returncode == 0, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_the_node_example_accepts_good_tokens(node: str, example: Path, algorithm: str) -> None:
    with served_mint(algorithm=algorithm) as mint:
        handed_on = mint.token(aud=["portal", mint.audience], azp="portal")
        answers = verify(node, example, mint, [mint.token(), handed_on])
    assert [answer["claims"]["name"] for answer in answers] == ["Testi Henkilö"] * 2
    assert mint.fetched == ["/jwks"]


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_the_node_example_refuses_bad_tokens(node: str, example: Path, algorithm: str) -> None:
    with served_mint(algorithm=algorithm) as mint:
        tokens = {name: bad.make(mint) for name, bad in BAD_TOKENS.items()}
        tokens |= {"acr_weak": POLICY_TOKENS["acr_weak"].make(mint)}
        answers = dict(zip(tokens, verify(node, example, mint, tokens.values()), strict=True))
    assert {name for name, answer in answers.items() if "refused" not in answer} == HARMLESS
    assert answers["azp_foreign"] == {"refused": "refused: azp"}
    assert answers["tampered"] == {"refused": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}


def test_the_node_example_tells_lacking_keys_from_a_bad_token(node: str, example: Path) -> None:
    with served_mint() as mint:
        mint.down = True
        assert verify(node, example, mint, [mint.token()]) == [{"refused": "ERR_JOSE_GENERIC"}]
    assert verify(node, example, mint, [mint.token()]) == [{"refused": "fetch failed"}]
