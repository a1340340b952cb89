"""The names of the formats that a run is exported in, and what each is: all that a command's help needs of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FORMATS: Final[Mapping[str, str]] = {
    "openai-batch": "requests of the OpenAI Batch API, as JSON lines",
    "parquet": "a table of the jobs, as Parquet",
    "csv": "a table of the jobs, as CSV",
    "jsonl": "a table of the jobs, as JSON lines",
    "videofolder": "the videos with their captions, for Hugging Face's VideoFolder",
    "webdataset": "the videos with their captions, as tars for WebDataset",
}
