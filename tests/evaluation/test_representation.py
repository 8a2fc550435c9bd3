"""Foreign files: whatever breaks the format is refused in one sentence."""

import numpy as np
import pandas as pd
import pytest

from evaluation.cell import open_cell
from evaluation.representation import LAYOUT, Expected, read
from evaluation.run_json import read_run
from seqdis.files import write_json, write_npz
from tests.messages import rejected

CLIPS, TESTS, PAIRS, TIME, FRAME = 72, 20, 30, 4, (16, 16, 1)
EXPECTED = Expected(CLIPS, TESTS, PAIRS, TIME, FRAME)
DRAWN = ("sample_dynamic", "sample_static")
GENERATED = ("generated", "generated_new_dynamic", "generated_new_static")
RUN = {
    "status": "done",
    "dataset": "tiny",
    "model": "m",
    "seed": 3,
    "capabilities": ["codes", "swap", *DRAWN],
}


def frames(*shape):
    return np.zeros((*shape, *FRAME), np.uint8)


def numbers(*shape):
    return np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def everything():
    """Return every array of the format."""
    codes = {name: numbers(CLIPS, TIME, 2) for name in ("dynamic", "prior_mean")}
    pictures = {name: frames(PAIRS, TIME) for name in ("swap", *DRAWN, *GENERATED)}
    return {
        "status": np.array("done"),
        "static": numbers(CLIPS, 3),
        **codes,
        "prior_std": np.ones((CLIPS, TIME, 2), np.float32),
        "reconstruction": frames(TESTS, TIME),
        **pictures,
        "importance_bound": np.full(2, -3, np.float32),
        "elbo": np.full(2, -4, np.float32),
        "term_kl": numbers(TESTS),
        "manifold": frames(2, 3, 4),
        "manifold_axes": np.stack(np.mgrid[:3, :4], -1).astype(np.float32),
        "manifold_plane": np.array("z1 and z2"),
        "trace": numbers(9, 2),
        "trace_sequence": np.array(5),
    }


@pytest.fixture
def opened(tiny, tmp_path):
    """Return a function that writes a cell and opens it."""

    def write(arrays, **run):
        cell = tmp_path / "results" / "tier" / "tiny" / "m" / "seed3"
        write_npz(cell / "representation.npz", **arrays)
        known = RUN | {"status": str(arrays["status"])} | run
        write_json(cell / "run.json", {k: v for k, v in known.items() if v != ...})
        return open_cell(cell, tiny.path, None)

    return write


def test_every_array_of_the_format_is_accepted(opened):
    arrays = everything()
    assert arrays.keys() - {"term_kl"} == LAYOUT.keys()
    assert opened(arrays).arrays.keys() == arrays.keys()


@pytest.mark.parametrize(
    ("names", "able"),
    [
        ([], []),
        (["reconstruction"], []),
        (["reconstruction", "swap"], ["swap"]),
        (["static", "dynamic"], ["codes"]),
        (["static", "dynamic", "reconstruction", "swap"], ["codes", "swap"]),
        (["reconstruction", "swap", *DRAWN], ["swap", *DRAWN]),
        (GENERATED, DRAWN),  # a GAN without an encoder
    ],
)
def test_what_a_model_cannot_do_may_be_missing(opened, names, able):
    arrays = {name: everything()[name] for name in ("status", *names)}
    assert opened(arrays, capabilities=list(able)).arrays.keys() == arrays.keys()


def test_a_run_that_is_not_done_claims_its_capabilities_without_arrays(opened):
    assert opened({"status": np.array("diverged")}).arrays.keys() == {"status"}


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_codes_of_another_precision_are_accepted(opened, kind):
    arrays = everything()
    arrays["static"] = arrays["static"].astype(kind)
    assert opened(arrays).arrays["static"].dtype == kind


def scaled(value):
    return lambda array: np.full_like(array, value)


def less(array):
    return array[:-1]


def text(value):
    return lambda _: np.array(value)


@pytest.mark.parametrize(
    ("name", "change", "named"),
    [
        # shapes, and what their rows are
        ("static", less, ["(71, 3)", "(72, f)", "clips.parquet"]),
        ("static", lambda a: a[..., :0], ["(72, 0)"]),
        ("static", lambda a: a[:, 0], ["(72,)", "(72, f)"]),
        ("dynamic", lambda a: a[:, 0], ["(72, 2)", "(72, 4, z)"]),
        ("swap", lambda a: a[:20], ["(20, 4, 16, 16, 1)", "pairs.parquet"]),
        ("swap", lambda a: a[:, :2], ["(30, 2, 16, 16, 1)", "pairs.parquet"]),
        ("swap", lambda a: np.moveaxis(a, -1, 2), ["channel", "last"]),
        ("manifold", lambda a: np.moveaxis(a, -1, 3), ["channel", "last"]),
        ("reconstruction", lambda _: frames(CLIPS, TIME), ["test clips", 72, 20]),
        ("term_kl", lambda a: a[:3], ["(3,)", "(20)", "test clips"]),
        ("prior_mean", lambda a: a[..., :1], ["(72, 4, 2)", "`dynamic`"]),
        ("prior_std", lambda a: a[..., :1], ["(72, 4, 2)", "`dynamic`"]),
        ("trace", lambda a: np.repeat(a, 2, 1), ["(9, 4)", "`dynamic`"]),
        ("trace", lambda a: a[:0], ["(0, 2)"]),
        ("trace_sequence", lambda a: a[None], ["(1,)", "()"]),
        ("manifold", lambda a: a[..., 0], ["identities", "rows", "columns"]),
        ("manifold", lambda a: a[:0], ["(0, 3, 4, 16, 16, 1)"]),
        ("manifold_axes", less, ["(2, 4, 2)", "(3, 4, 2)", "`manifold`"]),
        ("manifold_axes", lambda a: a[..., :1], ["(3, 4, 1)", "(3, 4, 2)"]),
        ("elbo", lambda a: a[:, None], ["(2, 1)", "(2)"]),
        ("elbo", less, ["(1,)", "(2)", "`importance_bound`"]),
        ("importance_bound", lambda a: a[:0], ["(0,)"]),
        # types
        ("swap", lambda a: a.astype(np.float32), ["float32", "uint8"]),
        ("swap", lambda a: a.astype(np.uint16), ["uint16", "uint8"]),
        ("swap", lambda a: a > 0, ["bool", "uint8"]),
        ("manifold", lambda a: a / 255, ["float64", "uint8"]),
        ("dynamic", lambda a: a.astype(np.int64), ["int64", "float32"]),
        ("dynamic", lambda a: a.astype(complex), ["complex128", "float32"]),
        ("manifold_plane", lambda _: np.array(3.5), ["float64", "text"]),
        ("trace_sequence", lambda _: np.array(1.5), ["float64", "whole number"]),
        # values
        ("dynamic", lambda a: a * np.nan, [576, "NaN", "`status`"]),
        ("prior_mean", lambda a: a / 0, [576, "NaN"]),
        ("prior_std", scaled(-1), ["-1", "above 0"]),
        ("prior_std", scaled(0), ["0", "above 0"]),
        ("importance_bound", scaled(1e9), ["1e+09", "at most 0"]),
        ("elbo", scaled(0.5), ["0.5", "at most 0"]),
        ("elbo", scaled(-2.5), ["-2.5", "-3", "`importance_bound`"]),
        ("manifold_axes", scaled(0), ["neighbouring"]),
        ("trace_sequence", lambda a: a - 6, ["-1", "test sequence"]),
        # status
        ("status", lambda _: np.array(["done"]), ["`done`"]),
        ("status", text(b"done"), ["b'done'", "text", "`done`"]),
        ("status", text("DONE"), ["'DONE'", "`done`", "`diverged`"]),
        ("status", text("finished"), ["'finished'", "`done`"]),
        ("status", text(1), ["1", "text", "`done`"]),
        ("status", text("diverged"), ["`diverged`", "`static`", "nothing"]),
    ],
)
def test_an_array_that_breaks_the_format_is_refused(
    opened, tmp_path, name, change, named
):
    arrays = everything()
    with np.errstate(all="ignore"):
        arrays[name] = change(arrays[name])
    path = tmp_path / "results/tier/tiny/m/seed3/representation.npz"
    with rejected(path, f"`{name}`", "docs/formats.md", *named):
        opened(arrays, status="done")


@pytest.mark.parametrize(
    ("count", "named"), [(TESTS + 1, ["21", "20", "test clips"]), (0, ["(0,)"])]
)
def test_bounds_are_of_test_clips(opened, count, named):
    arrays = everything()
    arrays |= {name: np.full(count, -3.0) for name in ("importance_bound", "elbo")}
    with rejected("`importance_bound`", *named):
        opened(arrays)


def test_a_plane_has_two_rows_and_columns(opened):
    arrays = everything()
    for name in ("manifold", "manifold_axes"):
        array = arrays[name]
        arrays[name] = array[:, :1] if name == "manifold" else array[:1]
    with rejected("`manifold_axes`", "1 rows", "2 by 2"):
        opened(arrays)


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("dynamic", ["`static`", "`dynamic`"]),
        ("static", ["`dynamic`", "`static`"]),
        ("prior_std", ["`prior_mean`", "`prior_std`"]),
        ("prior_mean", ["`prior_std`", "`prior_mean`"]),
        ("reconstruction", ["`swap`", "`reconstruction`"]),
        ("swap", ["`swap`"]),
        ("generated", ["`generated_new_dynamic`", "`generated`"]),
        ("generated_new_static", ["`generated`", "`generated_new_static`"]),
        ("manifold_axes", ["`manifold`", "`manifold_axes`"]),
        ("manifold", ["`manifold_axes`", "`manifold`"]),
        ("trace", ["`trace_sequence`", "`trace`"]),
        ("trace_sequence", ["`trace`", "`trace_sequence`"]),
    ],
)
def test_an_array_without_its_partner_is_refused(opened, missing, named):
    arrays = everything()
    del arrays[missing]
    with rejected("representation.npz", "docs/formats.md", *named):
        opened(arrays)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("swaps", "`swap`"),
        ("Static", "`static`"),
        ("f", "`static`"),
        ("term_", "`term_<name>`"),
        ("manifold_axis", "`manifold_axes`"),
    ],
)
def test_an_unknown_array_is_refused_with_the_nearest_name(opened, name, nearest):
    with rejected("representation.npz", f"`{name}`", nearest, "docs/formats.md"):
        opened(everything() | {name: numbers(2)})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"status": "diverged"}, ["diverged", "done"]),
        ({"status": "DONE"}, ["'DONE'", "'done'"]),
        ({"dataset": "sprites"}, ["'sprites'", "'tiny'"]),
        ({"model": "n"}, ["'n'", "'m'"]),
        ({"seed": 4}, [4, 3]),
        ({"seed": "3"}, ["'3'", "whole number"]),
        ({"seed": True}, ["True", "whole number"]),
        ({"seed": 3.0}, [3.0, "whole number"]),
        ({"model": None}, ["None", "text"]),
        ({"data_sha256": "0" * 64}, ["data_sha256", "0000000000"]),
        ({"capabilities": "swap"}, ["'swap'", "list"]),
        ({"capabilities": ["codes", "swaps"]}, ["'swaps'", "'swap'"]),
        ({"capabilities": [3]}, [3, "swap"]),
        ({"capabilities": ["codes", *DRAWN]}, ["'swap'", "`swap`"]),
        ({"capabilities": ["swap", *DRAWN]}, ["'codes'", "`static`"]),
        ({"capabilities": ["codes", "swap", "sample_static"]}, ["'sample_dynamic'"]),
        *(({name: ...}, [f"`{name}`"]) for name in RUN),
    ],
)
def test_a_run_json_that_disagrees_is_refused(opened, tmp_path, change, named):
    path = tmp_path / "results/tier/tiny/m/seed3/run.json"
    with rejected(path, "docs/formats.md", *named):
        opened(everything(), **change)


@pytest.mark.parametrize(
    ("missing", "able", "named"),
    [
        (["swap", "reconstruction", *DRAWN], ["codes", "swap"], ["`swap`"]),
        (["static", "dynamic"], ["codes", "swap", *DRAWN], ["`static`", "`dynamic`"]),
        (["sample_static"], ["swap", *DRAWN], ["`sample_static`"]),
        (["swap", *DRAWN, *GENERATED], DRAWN, ["`generated`"]),
    ],
)
def test_capabilities_without_their_arrays_are_refused(opened, missing, able, named):
    arrays = {
        name: array
        for name, array in everything().items()
        if not name.startswith(("prior", "manifold", "trace", "term", "imp", "elbo"))
    }
    if "codes" not in able:
        del arrays["static"], arrays["dynamic"]
    for name in missing:
        arrays.pop(name, None)
    with rejected("run.json", *named):
        opened(arrays, capabilities=list(able))


def test_a_cell_outside_of_the_grid_has_any_name(tmp_path):
    write_json(tmp_path / "mine" / "run.json", RUN)
    assert read_run(tmp_path / "mine") == RUN


def test_unreadable_files(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"not a zip")
    np.savez(tmp_path / "pickle.npz", status=np.array("done"), static=np.array([{}]))
    for name in ("bad.npz", "missing.npz", "pickle.npz"):
        with rejected(tmp_path / name, "docs/formats.md") as problem:
            read(tmp_path / name, EXPECTED)
        assert problem.value.__cause__  # of the reader, not of what was read
    with rejected(tmp_path / "run.json", "docs/formats.md"):
        read_run(tmp_path)


def test_the_sizes_above_are_those_of_the_store(tiny):
    clips, pairs = (
        pd.read_parquet(tiny.path / f"{name}.parquet") for name in ("clips", "pairs")
    )
    assert (len(clips), (clips["split"] == "test").sum()) == (CLIPS, TESTS)
    assert (len(pairs), clips["n_frames"].iloc[0]) == (PAIRS, TIME)
