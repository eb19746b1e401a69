"""Static files: read and compressed once at start, under names that change with their content.

A name holds a digest, so that whoever has a file may keep it for ever.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from flask import Blueprint, Request, Response, request

from kit.pages.pictures import PICTURE_POLICY, Picture

STATIC_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".js": "text/javascript; charset=utf-8",
}
"""What is served, by the end of a file's name; other files of the folder are left alone."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file. source: its own name. compressed: as gzip, None where that is no smaller.

    policy: a Content-Security-Policy of its own, for what others drew.
    """

    source: str
    content_type: str
    content: bytes = field(repr=False)
    compressed: bytes | None = field(repr=False)
    policy: str | None = None

    @property
    def name(self) -> str:
        """The name in the address, with the digest of the content: `tunnus.0123456789ab.css`."""
        digest = hashlib.sha256(self.content).hexdigest()[:12]
        path = PurePath(self.source)
        return f"{path.stem}.{digest}{path.suffix}"


def text_asset(source: str, text: str) -> Asset:
    """An asset that is made at start. source: its name, with an end of STATIC_TYPES."""
    content = text.encode()
    return Asset(source, STATIC_TYPES[PurePath(source).suffix], content, _compressed(content))


def picture_asset(source: str, picture: Picture) -> Asset:
    """An asset of a picture that the operator gave. source: its name without the end."""
    name = source + PurePath(picture.file).suffix
    return Asset(name, picture.content_type, picture.content, _compressed(picture.content), PICTURE_POLICY)


def read_assets(folders: Iterable[Path], more: Iterable[Asset] = ()) -> dict[str, Asset]:
    """The files of the folders that are there, and more, by their name in the address. Raises OSError."""
    read = [text_asset(file.name, file.read_text("utf-8")) for folder in folders for file in _files(folder)]
    return {asset.name: asset for asset in (*read, *more)}


def urls_of(assets: Mapping[str, Asset]) -> dict[str, str]:
    """The address of each asset by its own name."""
    return {asset.source: f"/static/{name}" for name, asset in assets.items()}


def create_blueprint(assets: Mapping[str, Asset], not_found: Callable[[], Response]) -> Blueprint:
    """`/static/<name>`; not_found: answers for a name that there is not."""
    blueprint = Blueprint("assets", __name__)

    @blueprint.get("/static/<name>")
    def show_asset(name: str) -> Response:
        asset = assets.get(name)
        return not_found() if asset is None else _answer(asset, request)

    return blueprint


def _answer(asset: Asset, asked: Request) -> Response:
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    if asset.policy:
        headers["Content-Security-Policy"] = asset.policy
    content = asset.content
    if asset.compressed is not None:
        headers["Vary"] = "Accept-Encoding"
        if asked.accept_encodings.quality("gzip") > 0:
            content = asset.compressed
            headers["Content-Encoding"] = "gzip"
    return Response(content, content_type=asset.content_type, headers=headers)


def _files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.glob("*")) if file.suffix in STATIC_TYPES]


def _compressed(content: bytes) -> bytes | None:
    compressed = gzip.compress(content, mtime=0)  # no time: two processes answer alike
    return compressed if len(compressed) < len(content) else None
