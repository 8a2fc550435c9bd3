"""The clips of GRID, where they lie: in one archive per speaker, or as samples."""

import re
from pathlib import Path
from zipfile import Path as ZipPath
from zipfile import ZipFile

from datasets.faces.annotations import Video, annotate_nothing
from seqdis.files import readable

# The unseen speakers of Assael et al. (2016), arXiv:1611.01599.
UNSEEN = ("s1", "s2", "s20", "s22")
# Two of the sample clips show one man.
SAME = {"id2_vcd_swwp2s": "pwij3p"}


def list_samples(folder: Path) -> list[Video]:
    """List the sample clips, `<clip>.mpg`."""
    return [
        Video(
            path.stem,
            path,
            SAME.get(path.stem, path.stem),
            "",
            {},
            (),
            annotate_nothing,
        )
        for path in sorted(folder.rglob("[!.]*.mpg"))
    ]


def list_clips(folder: Path, clips: int) -> list[Video]:
    """List some clips of every speaker, from `<speaker>.zip`."""
    archives = sorted(folder.glob("s*.zip"), key=lambda p: (len(p.name), p.name))
    return [clip for path in archives for clip in list_speaker(path, clips)]


def list_speaker(archive: Path, clips: int) -> list[Video]:
    """List some clips of one speaker, evenly spread. They are read where they lie.

    Nothing is unpacked, so no member of an archive can be written anywhere.

    Raises:
        UserError: the archive cannot be read.
    """
    speaker = archive.stem
    with readable(archive, "delete it and rerun: it will be fetched again."):
        opened = ZipFile(archive)
    names = sorted(n for n in opened.namelist() if re.search(r"(^|/)\w+\.mpg$", n))
    step = max(1, len(names) // clips)
    split = "test" if speaker in UNSEEN else ""
    members = [ZipPath(opened, name) for name in names[::step][:clips]]
    return [
        Video(f"{speaker}_{p.stem}", p, speaker, split, {}, (), annotate_nothing)
        for p in members
    ]
