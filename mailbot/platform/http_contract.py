"""What mailbot expects of a platform's API, as an OpenAPI document made from the models."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Header
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from mailbot.platform import http_models as models
from mailbot.platform.http_signature import VALID_SECONDS

QUESTIONS: dict[str, tuple[type[BaseModel], type[BaseModel] | None]] = {
    "describe": (models.Nothing, models.Described),
    "find": (models.OfAddress, models.Found),
    "events": (models.OfSubject, models.Events),
    "records": (models.WantedRecords, models.Records),
    "file": (models.WantedFile, None),
    "plan": (models.Wanted, models.Planned),
    "apply": (models.Ordered, models.Done),
    "leftovers": (models.Asked, models.Leftovers),
    "promotion": (models.OfAddress, models.Promotion),
}
"""Path below [platform] url → question and answer; None: bytes."""
_Text = Annotated[str, Header()]
_ABOUT = f"""Every request is a POST with a JSON body, so that no personal data stands in a URL, and is signed:
Mailbot-Signature is "v1=" and the hexadecimal HMAC-SHA256, under the shared secret, of five lines joined by line feeds:
method, path, Mailbot-Timestamp (seconds since 1970), Idempotency-Key (empty where there is none), and the hexadecimal
SHA-256 of the body. Refuse with 401 what does not fit or is more than {VALID_SECONDS} seconds off. 429 and 5xx are
asked again with growing pauses, after Retry-After where it is given; redirects are not followed. Make a change once for
each Idempotency-Key: keep the key with the answer in the transaction of the change, and answer the same again."""


def openapi() -> dict[str, Any]:
    """The document."""
    app = FastAPI(title="What mailbot expects of a platform", version="1", description=_ABOUT)
    for path, (question, answer) in QUESTIONS.items():
        _add(app, path, question, answer)
    return app.openapi()


_BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
    404: {"description": "There is no such file"},
}


def _text(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _add(app: FastAPI, path: str, question: type[BaseModel], answer: type[BaseModel] | None) -> None:
    def asked(
        body: Any, mailbot_key_id: _Text, mailbot_timestamp: _Text, mailbot_signature: _Text
    ) -> None: ...

    def ordered(
        body: Any,
        mailbot_key_id: _Text,
        mailbot_timestamp: _Text,
        mailbot_signature: _Text,
        idempotency_key: _Text,
    ) -> None: ...

    endpoint = ordered if path == "apply" else asked
    headers = [name for name in endpoint.__annotations__ if name not in ("body", "return")]
    endpoint.__annotations__ = {"body": question, **dict.fromkeys(headers, _Text)}
    app.post(
        f"/{path}",
        summary=(question.__doc__ or "").partition(".")[0],
        description=_text(answer or question),
        response_model=answer,
        response_class=JSONResponse if answer else Response,
        operation_id=path,
        responses={
            **({} if answer else _BYTES),
            401: {"description": "The signature does not fit, or is too old"},
            409: {"model": models.Problem, "description": _text(models.Problem)},
            429: {"description": "Later, after Retry-After"},
        },
    )(endpoint)
