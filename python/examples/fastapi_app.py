"""A question-answering service: POST /query answers from the store, POST /documents adds to it.

Run it with ``uvicorn fastapi_app:app`` in this directory; RAG_STORE names the store's directory
(``rag-store``). One process opens the store for writing, so run one worker; searches of many requests share
its threads.
"""

from __future__ import annotations

import os
import typing
from collections import abc
from contextlib import asynccontextmanager
from pydoc_data.topics import topics

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

import vecstore
from example_models import PROMPT, load_answerer, load_embedder
from vecstore.rag import RecursiveCharacterTextSplitter, Retriever

SPLITTER = RecursiveCharacterTextSplitter(600, 80)
FIRST_TOPICS = ("assert", "break", "continue", "pass", "return")


class Question(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1, max_length=2000)
    k: int = Field(default=4, ge=1, le=20)
    filter: dict[str, typing.Any] | str | None = None


class Source(BaseModel):
    id: str
    score: float
    text: str


class Answer(BaseModel):
    answer: str
    answered_by: str
    sources: list[Source]


class Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=500)
    text: str = Field(min_length=1, max_length=1_000_000)
    metadata: dict[str, typing.Any] = Field(default_factory=dict)


@asynccontextmanager
async def lifespan(app: FastAPI) -> abc.AsyncIterator[None]:
    """Loads the models and opens the store; closes it when the server stops."""
    embedder = load_embedder()
    async with vecstore.AsyncVecStore(os.environ.get("RAG_STORE", "rag-store")) as store:
        if await store.len() == 0:
            for name in FIRST_TOPICS:
                await store.upsert_chunks(name, topics[name], SPLITTER, embedder, metadata={"topic": name})
        app.state.store = store
        app.state.embedder = embedder
        app.state.answerer = load_answerer(embedder)
        app.state.retriever = Retriever(store, embedder, max_tokens=1200)
        yield


app = FastAPI(title="Questions about Python", lifespan=lifespan)


@app.exception_handler(vecstore.InvalidInputError)
async def invalid(_: Request, error: vecstore.InvalidInputError) -> JSONResponse:
    """What the store refuses, such as a filter with an unknown operator, is the caller's mistake."""
    return JSONResponse({"detail": str(error)}, status_code=422)


@app.post("/query")
async def query(asked: Question, request: Request) -> Answer:
    """Answers a question, with its sources."""
    state = request.app.state
    context = await state.retriever.aretrieve(asked.question, k=asked.k, filter=asked.filter)
    if not context.sources:
        raise HTTPException(404, "nothing in the store matches the filter")
    prompt = PROMPT.format(context=context.text, question=asked.question)
    answer = await in_thread(state.answerer.generate, prompt)
    sources = [Source(id=one.id, score=one.score, text=one.text or "") for one in context.sources]
    return Answer(answer=answer, answered_by=state.answerer.name, sources=sources)


@app.post("/documents", status_code=201)
async def add(document: Document, request: Request) -> dict[str, int]:
    """Adds or replaces a document; when this answers, it is on disk."""
    state = request.app.state
    chunks = await state.store.upsert_chunks(
        document.id, document.text, SPLITTER, state.embedder, metadata=document.metadata
    )
    return {"chunks": chunks}


@app.get("/health")
async def health(request: Request) -> dict[str, typing.Any]:
    """Figures for whoever watches the service."""
    stats = await request.app.state.store.stats()
    return {"records": stats.active, "answered_by": request.app.state.answerer.name}


async def in_thread(function: abc.Callable[[str], str], argument: str) -> str:
    """Calls what blocks, such as a model, without stopping the loop."""
    from fastapi.concurrency import run_in_threadpool

    return await run_in_threadpool(function, argument)
