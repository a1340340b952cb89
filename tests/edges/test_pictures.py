"""Reference images on their way into the run folder, and out of it as the bytes to be sent."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from pipeline.disk import Disk
from pipeline.errors import NoRoom, PipelineError, ReferenceLost, UsageError
from pipeline.limits import LimitsWish
from pipeline.manifest.files import Files, FolderLibrary
from pipeline.manifest.images import Images
from pipeline.model import Manifest, ProviderChoice, Reference, SourceFile
from pipeline.pictures import BadPicture, examine, fitted
from pipeline.profile import Profile
from pipeline.storage import RunFolder

RED, GREEN, BLUE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)
FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def decoded(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def stripes(*colours: tuple[int, ...], side: int = 40, mode: str = "RGB") -> Image.Image:
    """Squares of one colour each, side by side."""
    image = Image.new(mode, (side * len(colours), side))
    for n, colour in enumerate(colours):
        image.paste(colour, (n * side, 0, (n + 1) * side, side))
    return image


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def colours(image: Image.Image) -> dict[Any, int]:
    """How many pixels there are of each colour."""
    return {colour: count for count, colour in image.getcolors(1 << 20) or []}


# --- the pixels


def test_a_crop_keeps_the_middle_pixel_by_pixel() -> None:
    image = decoded(fitted(encoded(stripes(RED, GREEN, BLUE)), "crop", (40, 40)))

    assert (image.size, colours(image)) == ((40, 40), {GREEN: 1600})


def test_a_crop_of_a_tall_picture_cuts_above_and_below() -> None:
    tall = stripes(RED, GREEN, BLUE).transpose(Image.Transpose.ROTATE_90)

    image = decoded(fitted(encoded(tall), "crop", (80, 80)))

    assert (image.size, image.getpixel((40, 40)), image.getpixel((0, 60))) == ((80, 80), GREEN, GREEN)


def test_a_pad_shows_all_of_it_between_black_bars() -> None:
    image = decoded(fitted(encoded(stripes(RED, GREEN)), "pad", (80, 60)))

    assert image.size == (80, 60)
    assert image.crop((0, 10, 80, 50)).tobytes() == stripes(RED, GREEN).tobytes()
    assert colours(image) == {RED: 1600, GREEN: 1600, BLACK: 1600}


def test_a_picture_is_brought_up_to_a_larger_size() -> None:
    image = decoded(fitted(encoded(Image.new("RGB", (10, 10), BLUE)), "pad", (60, 20)))

    assert colours(image) == {BLUE: 400, BLACK: 800}
    assert (image.getpixel((19, 0)), image.getpixel((20, 0)), image.getpixel((40, 0))) == (BLACK, BLUE, BLACK)


@pytest.mark.parametrize("form", FORMATS)
def test_it_is_turned_as_it_is_shown_before_it_is_fitted(form: str) -> None:
    content = encoded(stripes(RED, BLUE), form, exif=turned(6))  # shown, red is above

    for fit in ("crop", "pad"):
        image = decoded(fitted(content, fit, (80, 160)))

        assert image.size == (80, 160)
        assert image.getexif().get(0x0112) is None
        for at, colour in (((40, 20), RED), ((40, 140), BLUE)):
            seen = image.convert("RGB").getpixel(at)
            assert isinstance(seen, tuple)
            assert max(abs(a - b) for a, b in zip(seen, colour, strict=True)) < 12


@pytest.mark.parametrize("size", [(64, 36), (36, 64)])
@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_picture_keeps_its_format_and_gets_the_size(
    mode: str, form: str, fit: str, size: tuple[int, int]
) -> None:
    try:
        content = encoded(Image.linear_gradient("L").resize((50, 50)).convert(mode), form)
    except OSError:  # there is no such picture of that format
        return

    sent = fitted(content, fit, size)

    found = examine(sent)
    assert (found.media_type, found.size) == (FORMATS[form], f"{size[0]}x{size[1]}")
    assert fitted(content, fit, size) == sent


@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("size", [(5000, 1), (1, 5000)])
def test_a_thread_of_a_picture_is_fitted_too(fit: str, size: tuple[int, int]) -> None:
    sent = fitted(encoded(Image.new("RGB", size, RED)), fit, (64, 36))

    assert examine(sent).size == "64x36"
    assert RED in colours(decoded(sent))


def test_sixteen_bits_of_grey_stay_what_they_are() -> None:
    grey = Image.new("I;16", (10, 10), 40_000)

    image = decoded(fitted(encoded(grey), "crop", (20, 10)))

    assert (image.mode, image.getpixel((5, 5))) == ("I;16", 40_000)


def test_what_can_be_seen_through_stays_so_and_the_bars_are_black() -> None:
    glass = Image.new("RGBA", (10, 10), (255, 0, 0, 128))
    index = Image.new("P", (10, 10), 0)
    index.putpalette([255, 0, 0, 0, 255, 0])

    for content in (encoded(glass), encoded(glass, "WEBP", lossless=True)):
        image = decoded(fitted(content, "pad", (20, 10)))
        assert (image.getpixel((0, 0)), image.getpixel((10, 5))) == ((0, 0, 0, 255), (255, 0, 0, 128))
    image = decoded(fitted(encoded(index, transparency=0), "crop", (20, 10)))
    assert image.getchannel("A").getextrema() == (0, 0)


def test_of_all_that_it_says_of_itself_only_its_colours_are_kept() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = turned(1)
    exif[0x010F] = "a camera of Ana's"
    options: dict[str, dict[str, Any]] = {"PNG": {}, "JPEG": {"comment": b"Ana's"}, "WEBP": {"xmp": b"<a>Ana's</a>"}}

    for form, more in options.items():
        content = encoded(stripes(RED, GREEN), form, exif=exif, icc_profile=profile, dpi=(300, 300), **more)
        sent = fitted(content, "crop", (40, 40))

        assert b"Ana's" in content
        assert b"Ana's" not in sent
        assert decoded(sent).info.get("icc_profile") == profile
        assert set(decoded(sent).info) <= {"icc_profile", "jfif", "jfif_version", "jfif_unit", "jfif_density"} | (
            {"loop", "background", "timestamp", "duration"} if form == "WEBP" else set()
        )


def test_a_colour_profile_that_fits_the_colours_no_more_is_dropped() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    sent = fitted(encoded(Image.new("L", (10, 10)), icc_profile=profile), "crop", (20, 10))

    assert "icc_profile" not in decoded(sent).info


def test_what_is_no_picture_cannot_be_fitted() -> None:
    with pytest.raises(BadPicture, match="is a damaged PNG"):
        fitted(encoded(stripes(RED, GREEN))[:60], "crop", (40, 40))


# --- into the run folder and out of it


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a manifest's images."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "fox.png").write_bytes(encoded(stripes(RED, GREEN)))
    (tmp_path / "m" / "owl.JPG").write_bytes(encoded(stripes(BLUE, BLUE), "JPEG"))
    return tmp_path / "m"


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def read(shop: Path, name: str, size: str = "80x40", fit: str = "") -> tuple[Manifest, Reference]:
    """A manifest that names the image *name*."""
    files = Files(FolderLibrary(shop))
    reference = Images(files, fit).reference(name, size)
    text = f"jobs: [{name}]\n".encode()
    own = SourceFile(name="m.yaml", sha256=hashlib.sha256(text).hexdigest(), content=text)
    manifest = Manifest(
        name="run",
        provider=ProviderChoice(),
        profile=Profile(name="some", title="Some"),
        limits=LimitsWish(),
        jobs=(),
        files=(own, *files.kept()),
    )
    return manifest, reference


def images(folder: RunFolder) -> list[str]:
    return sorted(path.name for path in folder.images.iterdir()) if folder.images.exists() else []


@pytest.mark.parametrize("name", ["fox.png", "owl.JPG"])
def test_an_image_is_kept_and_sent_as_it_is(shop: Path, folder: RunFolder, name: str) -> None:
    manifest, reference = read(shop, name)

    folder.keep(manifest)
    folder.keep(manifest)

    content = (shop / name).read_bytes()
    (shop / name).unlink()
    assert images(folder) == [f"{hashlib.sha256(content).hexdigest()}{Path(name).suffix.lower()}"]
    assert folder.reference(reference, "80x40") == content


def test_versions_of_a_manifest_share_an_image(shop: Path, folder: RunFolder) -> None:
    (first, _), (second, _) = read(shop, "fox.png"), read(shop, "owl.JPG")

    folder.keep(first)
    kept = folder.images / images(folder)[0]
    before = kept.stat()
    folder.keep(
        Manifest(**{**{n: getattr(first, n) for n in Manifest.__slots__}, "files": (*second.files, first.files[1])})
    )

    assert len(images(folder)) == 2
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_images_that_the_disk_cannot_take_are_told_before_the_first_is_copied(
    shop: Path, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, _), (second, _) = read(shop, "fox.png"), read(shop, "owl.JPG")
    folder.keep(first)
    both = replace(first, files=(*first.files, second.files[1]))
    size = (shop / "owl.JPG").stat().st_size  # the other is there already
    monkeypatch.setattr(Disk, "free_bytes", lambda *_: size - 1)

    with pytest.raises(NoRoom, match=r"too full for the manifest's images: .*; nothing was sent"):
        folder.keep(both)

    assert len(images(folder)) == 1
    monkeypatch.setattr(Disk, "free_bytes", lambda *_: size)
    folder.keep(both)
    assert len(images(folder)) == 2


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_kept_image_is_its_owners(shop: Path, folder: RunFolder) -> None:
    folder.keep(read(shop, "fox.png")[0])

    assert [(folder.images / name).stat().st_mode & 0o777 for name in images(folder)] == [0o600]


def test_a_fitted_image_is_made_from_the_kept_one_once(
    shop: Path, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, reference = read(shop, "fox.png", "40x40", fit="crop")
    folder.keep(manifest)
    made = []

    def counted(content: bytes, fit: str, size: tuple[int, int]) -> bytes:
        made.append((fit, size))
        return fitted(content, fit, size)

    monkeypatch.setattr("pipeline.storage.fitted", counted)

    first, second = folder.reference(reference, "40x40"), folder.reference(reference, "40x40")

    assert first == second == fitted((shop / "fox.png").read_bytes(), "crop", (40, 40))
    assert examine(folder.reference(reference, "20x40")).size == "20x40"
    assert made == [("crop", (40, 40)), ("crop", (20, 40))]


def changed(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"?")


@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        (changed, "'fox.png' was changed while the manifest was read; nothing was sent"),
        (Path.unlink, "'fox.png' cannot be read any more: No such file or directory; nothing was sent"),
    ],
)
def test_an_image_that_changed_since_it_was_examined_stops_the_run(
    shop: Path, folder: RunFolder, meanwhile: Callable[[Path], None], words: str
) -> None:
    manifest, _ = read(shop, "fox.png")
    meanwhile(shop / "fox.png")

    with pytest.raises(UsageError, match=words):
        folder.keep(manifest)

    assert images(folder) == []


@pytest.mark.parametrize(
    ("mishap", "words"),
    [
        (changed, "this is not the image that was kept"),
        (Path.unlink, "the image cannot be read: No such file or directory"),
    ],
)
def test_a_kept_image_that_is_not_what_it_was_is_not_sent(
    shop: Path, folder: RunFolder, mishap: Callable[[Path], None], words: str
) -> None:
    manifest, reference = read(shop, "fox.png")
    folder.keep(manifest)
    kept = folder.images / images(folder)[0]
    mishap(kept)

    with pytest.raises(ReferenceLost, match=f"{words}; remove it if it is there, and run again"):
        folder.reference(reference, "80x40")

    kept.unlink(missing_ok=True)
    folder.keep(manifest)  # as the next run does
    assert folder.reference(reference, "80x40") == (shop / "fox.png").read_bytes()


def test_names_that_no_file_system_likes_are_no_names_of_ours(folder: RunFolder) -> None:
    digest = "ab" * 32

    assert folder.image("../a/fox.PNG", digest) == folder.images / f"{digest}.png"
    for name in ("fox", "fox.", "fox.a:b", "fox.übel", f"fox.{'x' * 300}", ".png"):
        assert folder.image(name, digest) == folder.images / digest


def test_blocks_whose_source_fails_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def blocks() -> Any:
        yield b"new"
        raise PipelineError("no more")

    with pytest.raises(PipelineError, match="no more"):
        Disk().write_blocks(tmp_path / "a", blocks())

    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.skipif(os.name != "posix", reason="links want a privilege elsewhere")
def test_images_that_would_be_kept_elsewhere_are_told_of(tmp_path: Path, folder: RunFolder) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder.disk.make_folder(folder.images.parent)
    folder.images.symlink_to(tmp_path / "elsewhere")

    assert folder.strays([]) == [folder.images]
