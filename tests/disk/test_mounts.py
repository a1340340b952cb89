"""Which folders another machine keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import mounts
from pipeline.mounts import doubt_about, remote_kind_in
from pipeline.progress import Notice
from tests.runner.gateway import Gateway, serving
from tests.runner.night import Night, jobs

MOUNTS = """\
/dev/vda1 / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
server:/home /home nfs4 rw,vers=4.2 0 0
/dev/vdb1 /home/me/fast ext4 rw 0 0
//nas/films /mnt/my\\040films cifs rw 0 0
me@host:/data /mnt/ssh fuse.sshfs rw 0 0
/dev/sdc1 /mnt/stick fuseblk rw 0 0
server:/old /srv nfs rw 0 0
tmpfs /srv tmpfs rw 0 0
short
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", ""),
        ("/home", "nfs4"),
        ("/home/me/outputs/harbour", "nfs4"),
        ("/home/me/fast/outputs", ""),
        ("/homes", ""),
        ("/mnt/my films/outputs", "cifs"),
        ("/mnt/ssh/outputs", "fuse.sshfs"),
        ("/mnt/stick/outputs", ""),
        ("/srv/outputs", ""),
    ],
)
def test_the_nearest_mount_above_a_folder_tells_its_kind(folder: str, kind: str) -> None:
    assert remote_kind_in(MOUNTS, folder) == kind


def test_where_nothing_says_what_is_mounted_nothing_is_doubted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "none")
    assert doubt_about(tmp_path) == ""


@pytest.mark.anyio
async def test_a_run_on_a_network_file_system_is_warned_once_and_goes_on(
    small_film: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mounts").write_text(f"nas:/x {tmp_path.resolve()} nfs rw 0 0\n", encoding="utf-8")
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "mounts")
    gateway = Gateway(small_film)
    async with serving(gateway) as base_url:
        night = Night(gateway=gateway, base_url=base_url, outputs=tmp_path)
        outcome = await night.run(jobs(1))

    said = [
        event.message for event in night.events if isinstance(event, Notice) and "network file system" in event.message
    ]
    assert len(said) == 1
    assert "(nfs)" in said[0]
    assert not outcome.stopped
