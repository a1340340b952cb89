"""The same work as people do it with the openai SDK: `create_and_poll` and `download_content` under a semaphore.

    OPENAI_BASE_URL=… OPENAI_API_KEY=… python -m benchmarks.sdk ROWS FOLDER AT_ONCE

prints the seconds that its loop took, without the start of the interpreter and the imports.
"""

# The SDK is built on asyncio, and so is this.
from __future__ import annotations

import asyncio  # noqa: TID251 - see above
import sys
import time
from pathlib import Path

from openai import AsyncOpenAI

from benchmarks.ground import prompt


async def make(rows: int, folder: Path, at_once: int) -> None:
    """Make every row's video in *folder*."""
    gate = asyncio.Semaphore(at_once)
    async with AsyncOpenAI(max_retries=0) as client:

        async def one(n: int) -> None:
            async with gate:
                video = await client.videos.create_and_poll(
                    model="sora-2", prompt=prompt(n), seconds="4", size="1280x720", poll_interval_ms=1
                )
                if video.status != "completed":
                    raise RuntimeError(f"{video.id} is {video.status}")
                content = await client.videos.download_content(video.id)
                (folder / f"{n}.mp4").write_bytes(content.read())

        async with asyncio.TaskGroup() as tasks:
            for n in range(rows):
                tasks.create_task(one(n))


if __name__ == "__main__":
    began_s = time.perf_counter()
    asyncio.run(make(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
    print(time.perf_counter() - began_s)
