"""A service over HTTP that keeps releases: PUT one, GET it back. One client serves the whole application.

pip install deltaglider fastapi uvicorn
python fastapi_app.py --endpoint-url file:///tmp/store
curl -T app-1.0.0.zip http://localhost:8000/releases/1.0.0/app.zip
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse

from deltaglider import AlreadyExistsError, AsyncDeltaGliderClient, InvalidInputError, create_async_client
from deltaglider.types import AsyncStreamingBody

BUCKET = "releases"


async def pieces(body: AsyncStreamingBody) -> AsyncIterator[bytes]:
    """The bytes of an object. What is held for them is let go, also if the browser goes away."""
    async with body:
        async for piece in body.iter_chunks(1 << 20):
            yield piece


def make_app(endpoint_url: str | None = None) -> FastAPI:
    """The application, over the bucket ``releases`` of a store."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Made here, because a client belongs to the event loop it is used in.
        async with create_async_client(endpoint_url=endpoint_url) as client:
            with suppress(AlreadyExistsError):
                await client.make_bucket(BUCKET)
            app.state.client = client
            yield

    app = FastAPI(lifespan=lifespan)

    @app.put("/releases/{key:path}", status_code=201)
    async def store(key: str, request: Request) -> dict[str, Any]:
        client: AsyncDeltaGliderClient = app.state.client
        try:
            summary = await client.upload(request.stream(), f"s3://{BUCKET}/{key}")
        except InvalidInputError as error:
            raise HTTPException(422, error.message) from error
        return {"key": key, "size": summary.original_size, "stored": summary.stored_size, "sha256": summary.sha256}

    @app.get("/releases/{key:path}")
    async def fetch(key: str) -> StreamingResponse:
        client: AsyncDeltaGliderClient = app.state.client
        try:
            answer = await client.get_object(Bucket=BUCKET, Key=key)
        except client.exceptions.NoSuchKey as error:
            raise HTTPException(404, f"there is no {key}") from error
        headers = {"Content-Length": str(answer["ContentLength"]), "ETag": answer["ETag"]}
        return StreamingResponse(pieces(answer["Body"]), media_type=answer["ContentType"], headers=headers)

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint-url", help="the store (default: DG_ENDPOINT_URL, or AWS)")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    uvicorn.run(make_app(arguments.endpoint_url), host="127.0.0.1", port=arguments.port)


if __name__ == "__main__":
    main()
