"""A search service on Ray Serve: POST a vector, get the nearest records; replicas of it come and go with the
load.

Run it with ``serve run ray_serve:app`` in this directory (``pip install 'vecstore[ray]' 'ray[serve]'``);
VECSTORE_URI names the collection's shared storage. Each replica of the service has a handle of the
collection; the shards are the same for all."""

from __future__ import annotations

import os
import typing

from ray import serve

import vecstore
from vecstore.distributed import AsyncRayCollection, RayConfig

#: More requests than this at a time, for each replica, and there is another one.
REQUESTS_AT_A_TIME = 8


@serve.deployment(
    max_ongoing_requests=64,
    autoscaling_config={
        "min_replicas": 1,
        "max_replicas": 8,
        "target_ongoing_requests": REQUESTS_AT_A_TIME,
    },
    ray_actor_options={"num_cpus": 0.1},
)
class Search:
    """Answers over HTTP."""

    def __init__(self, uri: str, config: RayConfig | None = None) -> None:
        self.uri, self.config = uri, config
        self.docs: AsyncRayCollection | None = None

    async def __call__(self, request: typing.Any) -> typing.Any:
        from starlette.responses import JSONResponse

        if self.docs is None:
            self.docs = await AsyncRayCollection.open(self.uri, config=self.config)
        try:
            asked = await request.json()
            vector, k, chosen = asked["vector"], asked.get("k", 10), asked.get("filter")
            found = await self.docs.query(vector, k, chosen, partial=bool(asked.get("partial", False)))
        except (KeyError, ValueError, TypeError, vecstore.InvalidInputError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        except vecstore.VecStoreError as error:
            return JSONResponse({"error": str(error)}, status_code=503)
        neighbors = [{"id": one.id, "score": one.score, "metadata": one.metadata} for one in found]
        return JSONResponse({"neighbors": neighbors, "missing_shards": list(found.missing)})


def service(uri: str, config: RayConfig | None = None) -> typing.Any:
    """Returns what `serve.run` takes."""
    deployment: typing.Any = Search
    return deployment.bind(uri, config)


if uri := os.environ.get("VECSTORE_URI"):
    app = service(uri)
