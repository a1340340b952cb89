"""The same work as people do it with the openai SDK: `create_and_poll` and `download_content` under a semaphore."""

# The SDK is built on asyncio, and so is this.
from __future__ import annotations

import asyncio  # noqa: TID251 - see above
import time
from pathlib import Path

from openai import AsyncOpenAI


def run(base_url: str, key: str, prompts: list[str], folder: Path, at_once: int) -> float:
    """Make every prompt's video in *folder*; the seconds it took."""
    began_s = time.perf_counter()
    asyncio.run(_all(base_url, key, prompts, folder, at_once))
    return time.perf_counter() - began_s


async def _all(base_url: str, key: str, prompts: list[str], folder: Path, at_once: int) -> None:
    gate = asyncio.Semaphore(at_once)
    async with AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0) as client:

        async def one(n: int, prompt: str) -> None:
            async with gate:
                video = await client.videos.create_and_poll(
                    model="sora-2", prompt=prompt, seconds="4", size="1280x720", poll_interval_ms=1
                )
                if video.status != "completed":
                    raise RuntimeError(f"{video.id} is {video.status}")
                content = await client.videos.download_content(video.id)
                (folder / f"{n}.mp4").write_bytes(content.read())

        async with asyncio.TaskGroup() as tasks:
            for n, prompt in enumerate(prompts):
                tasks.create_task(one(n, prompt))
