"""What the look-up over HTTP is compared with: a FastAPI route that reads the message and does nothing."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Message(BaseModel):
    text: str
    id: str


@app.get("/ready")
async def ready() -> dict[str, bool]:
    return {"ready": True}


@app.post("/api/messages")
async def message(message: Message) -> dict[str, str]:
    return {"echo": message.text}
