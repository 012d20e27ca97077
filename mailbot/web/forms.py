"""Forms: read within limits, one value a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from fastapi import HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MAX_FIELDS = 200
MAX_VALUE_BYTES = 32_768

Form = Mapping[str, str]


async def read_form(request: Request) -> Form:
    """The fields of an urlencoded or multipart form; of a repeated name the first value.

    Raises HTTPException 400 for any other body and for a broken one. Files are refused.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return _urlencoded(await request.body())
    if kind == "multipart/form-data":
        return await _multipart(request)
    raise HTTPException(400, "a form was expected")


def page(path: str, show: Callable[[Request], Response]) -> Route:
    """GET and HEAD of `path` are answered by `show`, in a thread."""
    return Route(path, show, methods=["GET"])


def button(path: str, act: Callable[[Request, Form], Response]) -> Route:
    """POST of a form to `path` is answered by `act`, in a thread."""

    async def read_and_act(request: Request) -> Response:
        return await run_in_threadpool(act, request, await read_form(request))

    return Route(path, read_and_act, methods=["POST"])


def _urlencoded(body: bytes) -> Form:
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError:
        raise HTTPException(400, "the form cannot be read") from None
    return dict(reversed(pairs))


async def _multipart(request: Request) -> Form:
    async with request.form(max_files=0, max_fields=MAX_FIELDS, max_part_size=MAX_VALUE_BYTES) as form:
        pairs = [(name, value) for name, value in form.multi_items() if not isinstance(value, UploadFile)]
    return dict(reversed(pairs))
