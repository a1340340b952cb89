"""The classes of issues: a stable code each, and what such a mistake looks like. The docs' table is made of them."""

from __future__ import annotations

from collections.abc import Mapping

CLASSES: Mapping[str, str] = {
    "alias": "`prompt: *heron` without an `&heron` above it",
    "alias-bomb": "aliases of aliases that stand for more than 1,000,000 values",
    "axis-column": "a matrix axis `scene` over a data file with a column `scene`",
    "bad-axis": "`matrix: {takes: [1, 2]}`",
    "bad-column": "a CSV column `params`; write `params.seed`",
    "bad-form": "`size: 16:9`; write `1280x720`",
    "bad-id": "`id: a heron`",
    "bad-image": "`input_reference: notes.txt`",
    "bad-key": "a list as a key",
    "bad-merge": "`<<: heron`",
    "bad-name": "`vars: {my-style: film}`",
    "bad-range": "`{range: [1, 10, 0]}`",
    "bad-source": "`remix_of` and `edit_of` in one entry",
    "bad-template": "`prompt: a heron {{ at dawn`",
    "bad-text": "a JSON string with half of a surrogate pair",
    "bad-url": "`base_url: api.example.com`",
    "batch-reference": '`"input_reference": {"file_id": "file-1"}` in a line of an OpenAI batch',
    "batch-request": '`"url": "/v1/chat/completions"` in a line of an OpenAI batch',
    "chances": "`faults: {submit: {chance: {429: 0.8, 503: 0.4}}}`, together more than 1",
    "control-character": "a bell character in the file",
    "duplicate-axis": "`seconds` in `matrix` and again in its `zip`",
    "duplicate-column": "two columns `prompt`",
    "duplicate-id": "two jobs called `heron`; with `takes: 2` an entry's jobs are `heron-t1` and `heron-t2`",
    "duplicate-key": "`seconds: 4` and `seconds: 8` in one entry",
    "duplicate-value": "`matrix: {seconds: [4, 4]}`",
    "duplicate-wish": "two entries that ask for the same video",
    "empty": '`prompt: ""`',
    "empty-file": "a file of comments only",
    "empty-matrix": "`exclude`s that leave no cell",
    "extra-cell": "`a heron, at dawn,4` below `prompt,seconds`",
    "idle-column": "a CSV column `duration` that no template uses, and no `seconds`; a warning",
    "image-size": "an image of 640x480 for a video of `1280x720`, without `--fit`",
    "include-cycle": "a manifest that includes itself",
    "included-twice": "`include: [birds.yaml, birds.yaml]`",
    "insecure-url": "`base_url: http://api.example.com/v1`",
    "many-documents": "a second `---`",
    "missing-cell": "a row that is shorter than the header",
    "missing-extra": "`input_reference` where `vidbatch[images]` is not installed",
    "missing-field": "a YAML file without `jobs`",
    "missing-file": "`prompt_file: nothing.txt`",
    "missing-prompt": "an entry with neither `prompt` nor `prompt_file`",
    "missing-setting": "no `model` anywhere, and the profile has no default",
    "mixed-lines": "a plain line in a file whose first line is one of an OpenAI batch, or the other way round",
    "near-miss": "a CSV column `secnds`",
    "no-effect": "an `exclude` that no cell matches; a warning",
    "no-rows": "a CSV of a header only",
    "out-of-range": "`takes: 0`",
    "outside-folder": "`prompt_file: ../secret.txt`",
    "path-collision": '`output: {path: "{{ group }}.mp4"}` with two jobs in a group',
    "profile-delete": "`output: {delete_remote: true}` where the profile deletes no videos",
    "profile-edit": "`edit_of` where the profile cannot edit",
    "profile-extend": "`extend_of` where the profile cannot extend",
    "profile-extensions": "a seventh `extend_of` in a row where the profile extends a video 6 times at most",
    "profile-length": "`extend_of` for a video of 124 seconds in all where the profile makes 120 at most",
    "profile-model": "`model: sketsh` where the profile has `sketch`",
    "profile-param": "`params: {negative_prompt: blurry}` where the profile takes `seed` only",
    "profile-reference": "`input_reference` where the profile takes no image",
    "profile-remix": "`remix_of` where the profile cannot remix",
    "profile-retired": "a `provider` whose own address was shut down, without another `base_url`; a warning",
    "profile-seconds": "`seconds: 7` where the model takes 4, 8 or 12",
    "profile-size": "`size: 1x1`",
    "profile-variant": "`output: {variants: [poster]}` where the profile has `thumbnail` and `spritesheet`",
    "reserved-name": "`vars: {take: 1}`, `params: {model: sketch}`, by its name at the provider, too, and beside "
    "`extend_of` `params: {video: video_1}`",
    "sandbox-only": "`sandbox: {render_s: 1}` or `faults: …` with `profile: my-gateway`; a warning with `base_url`",
    "secret": "`api_key: sk-…` (its line is never shown)",
    "single-braces": "`prompt: a heron, {style}` where there is a variable `style`; a warning",
    "source-cycle": "`a` with `remix_of: b`, and `b` with `remix_of: a`",
    "source-settings": "`size: 720x1280` in a remix of a video of `1280x720`",
    "stray-quote": '`"a heron" at dawn,4` in a CSV',
    "syntax": "`prompt: a heron: at dawn`",
    "tab": "a tab in the indentation",
    "tag": "`prompt: !!python/object …`",
    "too-deep": "more than 16 levels",
    "too-fine": "`budget: 0.0000001`; money has 6 decimals at most",
    "too-large": "a manifest of more than 64 MiB (with `--allow-large`, data: 512), a prompt file of more than 1 MiB",
    "too-long": "a prompt of more than 32,000 characters",
    "too-many": "`takes: 100001`; `--allow-large` allows 10,000,000; more than 1,000 keys or columns",
    "two-prompts": "`prompt` and `prompt_file` in one entry",
    "unclosed-quote": '`"a tug, at noon,8` in a CSV; a quote that is only closed lines further down',
    "undefined": "`{{ stile }}` where there is only `style`",
    "unknown-axis": "`exclude: [{colour: red}]` where no axis is called `colour`",
    "unknown-key": "`secnds: 8`",
    "unknown-kind": "`from: birds.xlsx`",
    "unknown-profile": "`provider: sandbx`",
    "unknown-source": "`remix_of: harbur` where there is only `harbour`",
    "unknown-word": "`faults: {submit: {script: [refussed]}}`",
    "unreadable": "`vidbatch validate nothing.yaml`, or a file of another kind",
    "unsafe-path": '`output: {path: "../{{ id }}.mp4"}`',
    "unsupported-version": "`version: 2`",
    "unused-prompt": "`{from: birds.csv, prompt: a bird in the fog}` where each row has a prompt of its own",
    "wrong-encoding": "a file in Latin-1 or UTF-16",
    "wrong-type": "`takes: two`",
    "zip-length": "`zip: {size: [1280x720, 720x1280], framing: [wide]}`",
}
"""By code, an example in Markdown."""

ELSEWHERE: Mapping[str, str] = {
    "missing-extra": (
        "tests/manifest/test_images.py::test_without_pillow_the_place_of_the_image_is_named_and_what_to_install"
    ),
    "profile-retired": (
        "tests/cli/test_own_profiles.py::test_validate_warns_of_an_address_that_was_shut_down_and_not_of_another"
    ),
    "too-large": "tests/manifest/test_classes.py::test_a_prompt_file_beyond_its_bound_is_too_large",
    "too-long": "tests/manifest/test_classes.py::test_a_prompt_of_more_characters_than_any_provider_takes_is_too_long",
    "unreadable": "tests/manifest/test_classes.py::test_what_is_no_manifest_at_all_is_unreadable",
}
"""By code, the test of a class that no pair of files in `tests/cases` can show."""


def class_table() -> str:
    """A Markdown table of every class."""
    rows = "".join(f"| `{code}` | {example} |\n" for code, example in sorted(CLASSES.items()))
    return f"| code | such as |\n| --- | --- |\n{rows}"
