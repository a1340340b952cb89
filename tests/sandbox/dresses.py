"""Servers that there are not: what profiles can say, in the oddest combinations."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import yaml

from pipeline.profile import Profile
from pipeline.providers.registry import find_profile, parse, profile_names

_WRITTEN = """
- name: wrapped-links  # everything under another name and in another place; a link in the look
  title: test
  base_path: /api/v3
  auth: {header: X-Key, prefix: "Key "}
  body: json
  body_with_reference: multipart
  fields: {prompt: text, seconds: {name: duration, as: integer}, size: {as: sides}, reference: first_frame}
  constants: {watermark: false}
  paths: {submit: /jobs, look: "/jobs/{id}/state", list: /all, delete: "/jobs/{id}", edit: /jobs/changes}
  queries: {look: {view: full}}
  content: link
  content_in: look
  answers:
    {video: data.task, rows: result.rows, id: task_id, status: state, progress: done, seconds: about.seconds,
     size: about.size, error: reason, link: [files.0.url]}
  problems: [{to: look, http: 418, code: nobody, text: no such task, means: unknown_id}]
  lists: true
  edits: true
  deletes: true
  cancels: true
  variants: []
  rehearsal:
    {id: "t/{digits6}-{uuid}", errors: flat, accepted_http: 201, progress: percent, other_id_on_look: true,
     words: {queued: SUBMITTED, in_progress: RUNNING, completed: SUCCEEDED, failed: FAILURE},
     leaves_out: [prompt, object], adds: {about: {kind: film, name: "{id}.mp4"}}}
- name: content-only-base64  # no status; size and model cannot be chosen
  title: test
  auth: raw
  body: json
  fields: {size: null, model: null}
  looks: content
  content: base64
  answers: {bytes: [file.b64]}
  reference_json: [{type: image, data: "{base64}"}]
  references: true
  retention_s: 60
  problems:
    - {to: content, http: [409, 423], text: still cooking, means: not_ready}
    - {to: content, http: 400, text: it burnt, means: failed}
  rehearsal: {errors: detail}
- name: answers-by-model  # the dialect of results that are asked for as videos are
  title: test
  dialect: responses
  auth: none
  body: json
  result_models: {"sora-*": sora-get, "*": other-get}
  looks: status
  content: link
  answers: {video: output, id: id}
  rehearsal: {id: '{base64:{"model":"{model}","id":"{hex32}"}}channel{digits4}', errors: text, progress: none}
- name: links-apart  # a call of its own for the link; pictures; keys that are honoured
  title: test
  auth: bearer
  body: multipart
  content: link
  answers: {link: metadata.url, error_code: err.c, error_text: [err.0.m, err.m]}
  honours_keys: true
  remixes: true
  extends: true
  deletes: true
  variants: [thumbnail, spritesheet]
  rehearsal: {says: {gone: {http: 410, message: "{id} is over"}, throttled: {http: 429, code: busy}}}
"""
_COMMON = {
    "models": {"*": {}},
    "currency": "USD",
    "retention_s": 3600,
    "defaults": {"model": "sora-2", "seconds": 4, "size": "64x64"},
}


@cache
def odd_documents() -> dict[str, dict[str, Any]]:
    """As a person would write them, by name."""
    return {raw["name"]: {**_COMMON, **raw} for raw in yaml.safe_load(_WRITTEN)}


def odd_profiles() -> dict[str, Profile]:
    """By name."""
    return {name: parse(raw) for name, raw in odd_documents().items()}


@cache
def every_profile() -> dict[str, Profile]:
    """What ships with vidbatch, and these; with small films."""
    shipped = {name: find_profile(name) for name in profile_names()}
    known = {name: profile for name, profile in shipped.items() if profile is not None} | odd_profiles()
    return {name: replace(profile, default_size="64x64") for name, profile in known.items()}
