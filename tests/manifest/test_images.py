"""Reference images from a manifest's words to a `Reference`: real files, good, odd and hostile."""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from pipeline.errors import InvalidManifest
from pipeline.manifest.files import BadFile, Files, FolderLibrary
from pipeline.manifest.images import BYTES_MAX, Images
from pipeline.manifest.load import Wishes, load
from pipeline.manifest.offers import refusals
from pipeline.model import Link, Reference
from pipeline.profile import Profile
from tests.manifest.wishes import job_key

SIZE = (64, 36)
WISH: dict[str, Any] = {
    "profile": "sandbox", "model": "sora-2", "prompt": "a heron", "seconds": 4, "size": "64x36", "params": {}, "take": 1
}  # fmt: skip
SHAPES = ("tall", "wide")
FOX = Reference(name="fox.png", sha256="ab" * 32, media_type="image/png")


def picture(form: str, size: tuple[int, int] = SIZE, mode: str = "RGB", **options: Any) -> bytes:
    image = Image.linear_gradient("L").resize(size).convert(mode)
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def huge_png(width: int, height: int) -> bytes:
    """A whole picture of many pixels in a few bytes: one bit each, all black."""
    rows = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    pixels = b"".join([*(rows.compress(row) for _ in range(height)), rows.flush()])
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def huge_webp() -> bytes:
    """A canvas of 2**24 by 2**24 pixels, stated in 30 bytes."""
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + b"\xff" * 6


def many_scans() -> bytes:
    """A progressive JPEG whose last scan stands there hundreds of times."""
    whole = picture("JPEG", progressive=True)
    last = whole[whole.rfind(b"\xff\xda") : -2]
    return whole[:-2] + last * 200 + whole[-2:]


def film(form: str) -> bytes:
    frames = [Image.new("RGB", SIZE, colour) for colour in ("red", "green", "blue")]
    file = io.BytesIO()
    frames[0].save(file, form, save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(FolderLibrary(tmp_path))


def refused(files: Files, name: str, *, size: str = "64x36", fit: str = "") -> tuple[str, str]:
    with pytest.raises(BadFile) as caught:
        Images(files, fit).reference(name, size)
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.png", picture("PNG"), "image/png"),
        ("grey.png", picture("PNG", mode="L"), "image/png"),
        ("deep.png", picture("PNG", mode="I;16"), "image/png"),
        ("glass.png", picture("PNG", mode="RGBA"), "image/png"),
        ("a.jpg", picture("JPEG"), "image/jpeg"),
        ("ink.jpg", picture("JPEG", mode="CMYK"), "image/jpeg"),
        ("step.jpg", picture("JPEG", progressive=True), "image/jpeg"),
        ("with-a-film-behind-it.jpg", picture("JPEG") + b"\xff\xda" * 1000, "image/jpeg"),
        ("a.webp", picture("WEBP"), "image/webp"),
        ("exact.webp", picture("WEBP", lossless=True), "image/webp"),
        ("a-png.jpg", picture("PNG"), "image/png"),
        ("no suffix", picture("JPEG"), "image/jpeg"),
        ("on-its-head.jpg", picture("JPEG", exif=turned(3)), "image/jpeg"),
        ("on-its-side.jpg", picture("JPEG", (36, 64), exif=turned(6)), "image/jpeg"),
        ("on-its-side.webp", picture("WEBP", (36, 64), exif=turned(8)), "image/webp"),
        ("on-its-side.png", picture("PNG", (36, 64), exif=turned(5)), "image/png"),
    ],
)
def test_a_picture_of_the_jobs_size_is_sent_as_it_is(
    tmp_path: Path, files: Files, name: str, content: bytes, media_type: str
) -> None:
    (tmp_path / name).write_bytes(content)

    for fit in ("", "crop"):
        found = Images(files, fit).reference(name, "64x36")

        assert found == Reference(name=name, sha256=hashlib.sha256(content).hexdigest(), media_type=media_type)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notes.png", b"a heron at dawn, and no picture", "'notes.png' is no JPEG, PNG or WebP picture"),
        ("empty.png", b"", "is no JPEG, PNG or WebP picture"),
        ("film.gif", film("GIF"), "but a GIF"),
        ("phone.jpg", b"\0\0\0\x18ftypheic" + bytes(40), "but a HEIC"),
        ("film.webp", film("WEBP"), "is animated"),
        ("film.png", film("PNG"), "is animated"),
        ("half.png", picture("PNG", (640, 360))[:-200], "is a damaged PNG: image file is truncated"),
        ("half.jpg", picture("JPEG", (640, 360))[:-500], "is a damaged JPEG: image file is truncated"),
        ("half.webp", picture("WEBP", (640, 360))[:-300], "is a damaged WebP"),
        ("head.png", picture("PNG")[:20], "is a damaged PNG"),
        ("head.jpg", picture("JPEG")[:3], "is a damaged JPEG"),
        ("many.png", huge_png(10_000, 5_001), "has 50,010,000 pixels (10000x5001); 50,000,000 are the most"),
        ("many.webp", huge_webp(), "has more than 50,000,000 pixels"),
        ("slow.jpg", many_scans(), "is a JPEG of absurdly many parts"),
        ("slower.jpg", picture("JPEG")[:2] + b"\xff\xe0\0\2" * 20_000, "is a JPEG of absurdly many parts"),
        ("\x1b[2J.png", b"?", "'·[2J.png' is no"),
    ],
)
def test_what_is_no_single_whole_picture_is_a_bad_image(
    tmp_path: Path, files: Files, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)

    for size in ("64x36", ""):
        code, message = refused(files, name, size=size, fit="pad")

        assert code == "bad-image"
        assert words in message


def test_words_that_grow_without_end_are_a_bad_image(tmp_path: Path, files: Files) -> None:
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(PngImagePlugin.MAX_TEXT_CHUNK)))
    whole = picture("PNG")
    (tmp_path / "bomb.png").write_bytes(whole[:33] + text * 70 + whole[33:])

    assert refused(files, "bomb.png")[0] == "bad-image"


def test_a_picture_of_very_many_pixels_is_good_while_they_are_not_too_many(tmp_path: Path, files: Files) -> None:
    (tmp_path / "large.png").write_bytes(huge_png(10_000, 5_000))

    assert Images(files).reference("large.png", "10000x5000").media_type == "image/png"


def test_a_picture_of_another_size_is_an_issue_that_says_what_could_be_done(tmp_path: Path, files: Files) -> None:
    (tmp_path / "fox.jpg").write_bytes(picture("JPEG", exif=turned(6)))

    code, message = refused(files, "fox.jpg")

    assert code == "image-size"
    assert message == (
        "'fox.jpg' is 36x64, the job 64x36; "
        "make them alike, or let 'fit: crop' or 'fit: pad' do it, in the entry or in 'defaults', or --fit"
    )


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_a_picture_of_another_size_is_fitted_where_that_was_asked_for(tmp_path: Path, files: Files, fit: str) -> None:
    content = picture("WEBP")
    (tmp_path / "fox.webp").write_bytes(content)
    images = Images(files, fit)

    found = images.reference("fox.webp", "1280x720")

    digest = hashlib.sha256(content).hexdigest()
    assert found == Reference(name="fox.webp", sha256=digest, media_type="image/webp", fit=fit)
    assert images.reference("fox.webp", "64x36").fit == ""
    assert refused(files, "fox.webp", size="99999x99999", fit=fit)[0] == "image-size"


def test_where_an_image_is_and_how_large(tmp_path: Path, files: Files) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "out.png").write_bytes(picture("PNG"))
    (tmp_path / "m" / "large.png").write_bytes(picture("PNG") + bytes(BYTES_MAX))
    beside = Files(FolderLibrary(tmp_path / "m"))

    assert refused(beside, "nothing.png")[0] == "missing-file"
    assert refused(beside, "../out.png")[0] == "outside-folder"
    assert refused(beside, "large.png") == ("too-large", "'large.png' is larger than 20 MiB")
    anywhere = Files(FolderLibrary(tmp_path / "m", outside=True))
    assert Images(anywhere).reference("../out.png", "64x36").name == "../out.png"


@pytest.mark.skipif(os.name != "posix", reason="links want a privilege elsewhere")
def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "secret.png").write_bytes(picture("PNG"))
    (tmp_path / "m" / "fox.png").symlink_to(tmp_path / "secret.png")

    assert refused(Files(FolderLibrary(tmp_path / "m")), "fox.png")[0] == "outside-folder"


def test_a_file_is_read_once_whatever_becomes_of_it(tmp_path: Path, files: Files) -> None:
    (tmp_path / "fox.png").write_bytes(picture("PNG"))
    (tmp_path / "bad.png").write_bytes(b"?")
    images = Images(files)
    known = images.reference("fox.png", "64x36")
    with pytest.raises(BadFile):
        images.reference("bad.png", "64x36")
    for name in ("fox.png", "bad.png"):
        (tmp_path / name).unlink()

    assert images.reference("fox.png", "64x36") is known
    for size in ("64x36", "36x64"):
        with pytest.raises(BadFile, match="is no JPEG"):
            images.reference("bad.png", size)


def test_an_image_is_kept_by_its_place_and_digest_and_not_held(tmp_path: Path, files: Files) -> None:
    content = picture("PNG")
    (tmp_path / "fox.txt").write_bytes(b"a fox")
    (tmp_path / "fox.png").write_bytes(content)
    Images(files).reference("fox.png", "64x36")
    files.read("fox.txt", bytes_max=10)

    text, image = files.kept()

    assert (text.content, text.path) == (b"a fox", None)
    assert (image.content, image.path) == (b"", (tmp_path / "fox.png").resolve())
    assert image.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("said", "fit"),
    [
        (("crop", "", ""), "crop"),
        (("", "pad", ""), "pad"),
        (("crop", "pad", ""), "pad"),
        (("crop", "pad", "crop"), "crop"),
        (("", "", "pad"), "pad"),
    ],
)
def test_the_nearest_word_on_fit_counts_and_what_fits_needs_none(
    tmp_path: Path, profiles: dict[str, Profile], said: tuple[str, str, str], fit: str
) -> None:
    defaults, entry, over_all = said
    (tmp_path / "wide.png").write_bytes(picture("PNG", (128, 72)))
    (tmp_path / "tall.png").write_bytes(picture("PNG", (72, 128)))
    jobs = [
        {"prompt": "a fox", "input_reference": f"{name}.png"} | ({"fit": entry} if entry else {}) for name in SHAPES
    ]
    written = {"defaults": {"size": "128x72"} | ({"fit": defaults} if defaults else {}), "jobs": jobs}
    (tmp_path / "m.yaml").write_text(json.dumps(written), encoding="utf-8")
    wishes = Wishes(fit=over_all, allow_unknown=True)

    manifest = load(tmp_path / "m.yaml", find_profile=profiles.get, profile_names=sorted(profiles), wishes=wishes)

    assert [job.reference.fit for job in manifest.jobs if job.reference] == [fit, ""]


WAYS: dict[str, tuple[dict[str, Any], str]] = {
    "an axis": ({"matrix": {"fit": ["crop", "pad"]}}, ""),
    "the values of an axis": ({"matrix": {"way": [{"name": way, "fit": way} for way in ("crop", "pad")]}}, ""),
    "rows": ({"from": "r.csv"}, "fit\ncrop\npad\n"),
}


@pytest.mark.parametrize("what", WAYS)
def test_an_image_is_brought_to_its_jobs_size_as_each_cell_and_row_says(
    what: str, tmp_path: Path, profiles: dict[str, Profile]
) -> None:
    entry, rows = WAYS[what]
    (tmp_path / "tall.png").write_bytes(picture("PNG", (72, 128)))
    (tmp_path / "r.csv").write_text(rows, encoding="utf-8")
    written = {"jobs": [{"prompt": "a fox", "size": "128x72", "input_reference": "tall.png", **entry}]}
    (tmp_path / "m.yaml").write_text(json.dumps(written), encoding="utf-8")

    jobs = load(
        tmp_path / "m.yaml",
        find_profile=profiles.get,
        profile_names=sorted(profiles),
        wishes=Wishes(allow_unknown=True),
    ).jobs

    assert [job.reference.fit for job in jobs if job.reference] == ["crop", "pad"]


def test_without_pillow_the_place_of_the_image_is_named_and_what_to_install(
    tmp_path: Path, profiles: dict[str, Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fox.png").write_bytes(picture("PNG"))
    (tmp_path / "m.yaml").write_text("jobs:\n  - prompt: a fox\n    input_reference: fox.png\n", encoding="utf-8")
    monkeypatch.setitem(sys.modules, "PIL.Image", None)

    with pytest.raises(InvalidManifest) as caught:
        load(tmp_path / "m.yaml", find_profile=profiles.get, profile_names=sorted(profiles))
    [issue] = caught.value.issues
    assert (issue.code, issue.position.line, issue.position.column) == ("missing-extra", 3, 22)
    assert issue.message == "a reference image needs the extra 'images': pip install 'vidbatch[images]'"


# --- what it makes of a job's key


@pytest.mark.parametrize(
    ("wish", "key"),
    [
        ({}, "2306d1fd528c4b75e6926cf8b377e5b3"),
        (
            {"prompt": "a “fox” 🦊\nin snow", "params": {"seed": 7, "negative_prompt": "blurry"}, "take": 2},
            "22e488e5cb689d4db19894d8a3fd6946",
        ),
        (
            {"profile": "newapi", "seconds": 2.5, "params": {"deep": {"b": [1, None, True], "a": 0.5}}},
            "52a56e86db7d2a7e886da1bb2ee769cd",
        ),
    ],
)
def test_a_job_that_stands_alone_has_the_key_that_it_had_before_there_were_images(
    wish: dict[str, Any], key: str
) -> None:
    alone = {"prompt": "a heron at dawn", "size": "1280x720"}

    assert job_key(**{**WISH, **alone, **wish}) == key


def test_source_link_and_image_enter_the_key_in_their_place() -> None:
    found = job_key(**WISH, source="0" * 32, link=Link.EXTEND, reference=FOX)

    image = {"fit": "", "sha256": FOX.sha256}
    asked = {**WISH, "source": "0" * 32, "link": "extend", "reference": image, "v": 1}
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    assert found == hashlib.sha256(text.encode()).hexdigest()[:32]


def test_a_key_changes_with_the_images_content_and_fit_and_not_with_its_name() -> None:
    def key(**other: str) -> str:
        fields = {"name": "fox.png", "sha256": "ab" * 32, "media_type": "image/png", **other}
        return job_key(**WISH, reference=Reference(**fields))

    assert len({job_key(**WISH), key(), key(sha256="cd" * 32), key(fit="crop"), key(fit="pad")}) == 5
    assert key(name="images/owl.png") == key()


# --- what a provider says to it


def test_a_provider_that_takes_no_image_refuses_it() -> None:
    settings: dict[str, Any] = {"model": "m", "seconds": 4, "size": "64x36", "params": ()}
    without, having = Profile(name="dmxapi", title="D"), Profile(name="sandbox", title="S", references=True)

    (refusal,) = refusals(without, **settings, reference=True)

    assert (refusal.code, refusal.field) == ("profile-reference", "input_reference")
    assert refusal.message == "dmxapi takes no reference image"
    assert refusals(having, **settings, reference=True) == refusals(without, **settings) == []
