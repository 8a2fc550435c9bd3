"""The page of 20 models and 3 datasets: nothing vanishes, everything is legible."""

import json
import re
import shutil
from dataclasses import replace
from os.path import commonprefix
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reporting.cost import cost_tables
from reporting.leaderboard import board_table, failure_modes, interval_words
from reporting.pictures import GAP
from reporting.provenance import cards, cautions, facts
from reporting.score_tables import factor_tables, metric_tables
from reporting.scores import LACKS, Scores, missing, state_table, undrawn
from reporting.tables import Estimate, Missing, Table, Text, show
from reporting.tree import Tree, read_tree
from reporting.words import STATUSES
from seqdis.files import write_json
from tests.messages import names
from tests.reporting.markup import numbers, texts

NEVER = STATUSES["skipped"]
NO_ENCODER = Missing(f"{NEVER}: {LACKS['swap']}")


@pytest.fixture(scope="module")
def tree(suite: Path) -> Tree:
    return read_tree(suite)


@pytest.fixture(scope="module")
def text(suite_report: Path) -> str:
    return (suite_report / "index.html").read_text()


def row(table: Table, label: str) -> list:
    return next(row.values for row in table.rows if row.label == label)


def test_trainings_of_another_length_are_named(suite: Path, tmp_path: Path):
    before = cautions(read_tree(suite))
    copy = tmp_path / "suite"
    shutil.copytree(suite, copy)
    runs = {
        path: run
        for path in sorted(copy.glob("*/*/seed*/run.json"))
        if (run := json.loads(path.read_text())).get("frames_seen")
    }
    label = next(iter(runs.values()))["label"]
    for number, path in enumerate(
        p for p, run in runs.items() if run["label"] == label
    ):
        write_json(path, runs[path] | {"frames_seen": 77 + number, "status": "done"})
    assert number  # it was trained on several datasets, and is named once
    (found,) = set(cautions(read_tree(copy))) - set(before)
    assert found.count(label) == 1
    names(found, label, 77, 77 + number)


def test_an_unknown_commit_is_told(tree: Tree) -> None:
    cell = next(cell for cell in tree.cells if cell.run)
    foreign = {key: value for key, value in cell.run.items() if key != "commit"}

    def told(run: dict) -> tuple[str, int]:
        changed = replace(tree, cells=[replace(cell, run=run)])
        lines = [line for line in cautions(changed) if "commit" in line]
        return dict(facts(changed))["Commit"], len(lines)

    assert told(cell.run | {"commit": "", "dirty": True}) == ("unknown", 1)
    # Nothing is said of another program's cell, which need not write its commit.
    assert told(foreign) == ("–", 0)


def test_what_has_no_interval_over_people_is_told(tree: Tree) -> None:
    one, three = (
        interval_words(replace(tree, grid=tree.grid | {"seeds": seeds}))
        for seeds in ([0], [0, 1, 2])
    )
    assert numbers(one) == ["95"] and numbers(three) == ["95", "3"]
    # Both end with the same list of scores, and say something else of it.
    shared = commonprefix([one[::-1], three[::-1]])[::-1]
    for term in ("axis metrics", "Fréchet", "manifold", "consistency", "identities"):
        assert term in shared
    assert one.removesuffix(shared) != three.removesuffix(shared)


def part(text: str, name: str) -> str:
    """Return one section of the page."""
    return re.findall(rf'<section id="{name}">.*?</section>', text, re.DOTALL)[0]


def test_families_are_together_and_controls_last(tree: Tree) -> None:
    families = [model.family for model in tree.models]
    runs = [f for i, f in enumerate(families) if i == 0 or f != families[i - 1]]
    assert len(runs) == len(set(runs))
    assert families[:7] == ["unordered_vae"] * 7
    assert families[-4:] == ["controls"] * 4


def test_warnings_name_the_flags_and_the_numbers(tree: Tree) -> None:
    table = failure_modes(tree)
    good, *_ = row(table, "Unordered VAE")
    assert (good.text, good.alarm) == ("none", False)
    bad, *_ = row(table, "FHVAE")
    alarm = tree.metrics["flag_identity_in_z"].label
    assert (bad.text, bad.alarm) == (alarm, True)
    numbers = r"active 1\d, 4 · response 0\.\d\d, 0\.\d\d · AUC 0\.\d\d"
    assert re.fullmatch(numbers, bad.detail)
    broken, *_ = row(table, "Untrained network")
    raised = ("f_collapse", "identity_in_z", "ignores_f", "ignores_z")
    labels = [tree.metrics[f"flag_{name}"].label for name in raised]
    assert broken.text == ", ".join(labels)
    (why,) = {value.reason for value in row(table, "MoCoGAN")}
    assert LACKS["swap"] in why
    assert row(table, "Neural Statistician")[1] == Missing(STATUSES["crashed"])


def test_a_flag_of_some_seeds_says_of_how_many(results: Path) -> None:
    tree = read_tree(results)
    summary = tree.summary
    chosen = (summary["metric"] == "flag_z_collapse") & (summary["model"] == "dsae")
    summary.loc[chosen, "mean"] = 0.5
    cell, *_ = row(failure_modes(tree), "DSAE (factorised)")
    assert cell.text.startswith(tree.metrics["flag_z_collapse"].label)
    assert numbers(cell.text) == ["1", "2"]


def test_warnings_follow_the_leaderboard(tree: Tree, text: str) -> None:
    assert re.findall(r'<section id="(\w+)">', text)[:3] == [
        "leaderboard",
        "swaps",
        "warnings",
    ]
    (scope,) = texts(text, ".//section[@id='warnings']/p[@class='scope']")
    assert "p(z | f)" in scope  # models for which one of the warnings is no fault
    alarm = tree.metrics["flag_identity_in_z"].label
    assert f'<b class="alarm">{alarm}</b>' in part(text, "warnings")


def test_priors_alone(suite: Path, suite_report: Path, text: str) -> None:
    keys = ["dataset", "model", "metric"]
    summary = pd.read_parquet(suite / "tables/summary.parquet").set_index(keys)
    table = pd.read_csv(suite_report / "tables/mmnist_generated.csv", index_col=0)
    for side in ("static", "dynamic", "score"):
        wanted = summary.loc[[("mmnist", "mocogan", f"generated_{side}")]].iloc[0]
        for end, column in (("mean", ""), ("low", "_low"), ("high", "_high")):
            assert table.loc["MoCoGAN", f"generated_{side}{column}"] == wanted[end]
    markdown = (suite_report / "tables/mmnist_generated.md").read_text()
    why = re.escape(f"{NEVER}: {LACKS['sample_static']}")
    assert re.search(rf"\| SVG-LP \|( {why} \|){{3}}", markdown)
    assert len(re.findall(r'<h3 id="\w+-generated">', text)) == 3
    (scale,) = texts(text, ".//section[@id='mmnist']/p[@class='scale']")
    assert {"0", "1"} <= set(numbers(scale))


def test_the_manifold_the_distances_and_the_bounds(tree: Tree, text: str) -> None:
    tables = metric_tables(tree, tree.datasets[0])
    heads = [column.head for column in tables["manifold"].columns]
    assert f"{tree.metrics['consistency'].label}\u00a0↑" in heads
    assert f"{tree.metrics['manifold_roughness'].label}\u00a0↓" in heads
    assert tree.metrics["manifold_change"].label in heads  # better in neither direction
    assert "frechet_reconstruction" in [c.key for c in tables["pictures"].columns]
    assert re.search(r" 0\.1\d\d$", tables["pictures"].caption)
    rows = {row.label: row.values for row in tables["likelihood"].rows}
    assert rows["Unordered VAE"][0].mean > rows["Unordered VAE"][1].mean
    assert rows["MoCoGAN"][0] == NO_ENCODER
    assert rows["DRNET"] == [None, None]
    assert [c.key for c in tables["others"].columns] == ["novel_score"]
    shares = factor_tables(tree, tree.datasets[0])["coverage"]
    assert {scale.measure for scale in shares.scales} == {"share"}
    for dataset in tree.datasets:
        path = f".//section[@id='{dataset.name}']//p[@class='small scope']"
        (scope,) = texts(text, path)
        assert "likelihood" in scope
    for name in ("manifold", "likelihood", "consistency"):
        assert f'id="table-{tree.datasets[0].name}_{name}"' in text


def test_strips_show_what_the_priors_make(tree: Tree, suite_report: Path) -> None:
    keys = ("generated", "generated_new_dynamic", "generated_new_static")
    arrays = tree.select("sprites", "mocogan")[0].arrays(*keys)
    with Image.open(suite_report / "images/sprites_mocogan.png") as image:
        sheet = np.asarray(image.convert("RGB")).astype(int)
    assert len(sheet) == 3 * (32 + GAP)
    for i, key in enumerate(keys):
        shown = sheet[i * (32 + GAP) :][:32, :32]
        distances = [np.abs(shown - other[0, 0]).mean() for other in arrays.values()]
        assert np.argmin(distances) == keys.index(key)


def test_speeds_are_a_dash_where_unknown(tree: Tree) -> None:
    cost, _ = cost_tables(tree)
    keys = [column.key for column in cost.columns]
    speeds = [keys.index(f"{way}_frames_per_second") for way in ("encode", "decode")]
    found = row(cost, "DSAE (factorised)")
    assert [found[at] for at in speeds] == [4100, 5200]
    assert show(row(cost, "MoCoGAN")[speeds[0]], "number") == "–"


def test_costs_of_the_dearest_dataset(tree: Tree) -> None:
    cost, each = cost_tables(tree)
    assert len(cost.rows) == 20
    assert len(each.rows) == 60
    tree.select("mmnist", "dsae")[0].run["flop_per_frame"] *= 3
    runs = [cell.run for cell in tree.cells if cell.model.name == "dsae"]
    dearest, _ = cost_tables(tree)
    for i, key in enumerate(("parameters", "flop_per_frame")):
        found = row(dearest, "DSAE (factorised)")[i]
        assert found == max(run[key] for run in runs)
    absent = [r for r in each.rows if isinstance(r.values[1], Missing)]
    assert [(r.label, r.values[0]) for r in absent] == [
        ("Unordered VAE, standard prior", "Aff-Wild"),
        ("FHVAE", "Moving MNIST"),
        ("Neural Statistician", "Moving MNIST"),
    ]


def test_discriminators_are_said_to_be_in_the_cost(text: str) -> None:
    (scope,) = texts(text, ".//section[@id='cost']/p[@class='scope']")
    assert all(word in scope for word in ("DRNET", "MoCoGAN", "discriminators"))


def test_a_card_per_model_file_with_its_variants(tree: Tree, text: str) -> None:
    found = {card.model.name: card for card in cards(tree)}
    assert len(found) == 10
    variants = {v.model.name: v.differs for v in found["unordered_vae"].variants}
    assert len(variants) == 7
    assert variants["attention"] == [("model.set_encoder", "attention", None)]
    elsewhere = [("model.likelihood", "bernoulli", None)]
    assert found["dsae"].elsewhere == [("mmnist", elsewhere)]
    section = part(text, "cards")
    assert section.count('<details class="method">') == 10
    assert "DSAE (factorised), &lt;b&gt;a model file&lt;/b&gt;." in section
    assert "\n    p(x, f, z) = p(f) prod_t" in section  # as it was typed
    assert 'href="https://arxiv.org/abs/1812.03962"' in section


def test_every_cell_has_a_state(tree: Tree, text: str) -> None:
    table = state_table(tree)
    values = [value for row in table.rows for value in row.values]
    assert len(values) == 60
    assert all(isinstance(value, Text) and value.text for value in values)
    done = STATUSES["done"]
    assert row(table, "MoCoGAN") == [Text(done, NO_ENCODER.reason)] * 3
    wanted = Text(done, f"{NEVER}: {LACKS['sample_static']}")
    assert row(table, "SVG-LP")[0] == wanted
    assert row(table, "FHVAE")[1].text.startswith(f"{NEVER}: it needs three")
    assert row(table, "Neural Statistician")[1].text == STATUSES["crashed"]
    assert row(table, "Unordered VAE, standard prior")[2].text == (
        f"{STATUSES['diverged']}: the loss is NaN at step 7"
    )
    assert part(text, "cells").count(f">{done}<") == 57


def test_seeds_that_differ_are_told_apart(results: Path) -> None:
    tree = read_tree(results)
    run = tree.select("sprites", "dsae")[1].run
    run |= {"status": "diverged", "reason": "NaN"}
    cell, *_ = row(state_table(tree), "DSAE (factorised)")
    first, second = cell.text.split("; ")
    assert numbers(first) == ["0"] and first.endswith(STATUSES["done"])
    assert numbers(second) == ["1"] and f"{STATUSES['diverged']}: NaN" in second


def test_what_cannot_be_is_not_applicable_on_the_leaderboard(tree: Tree) -> None:
    table = board_table(tree)
    assert len(table.rows) == 20
    assert row(table, "MoCoGAN")[1:5] == [NO_ENCODER] * 4
    assert isinstance(row(table, "Neural Statistician")[1], Estimate)


def test_no_score_of_a_model_without_encoder_is_blank(
    tree: Tree, suite_report: Path
) -> None:
    model = next(m for m in tree.models if m.name == "mocogan")
    of_all = ("finished", "novel_", "generated_", "flag_", "coverage")
    for dataset in tree.datasets:
        scores = Scores(tree, dataset)
        for metric in scores.metrics:
            if not metric.startswith(of_all):
                assert scores.look(model, metric) == NO_ENCODER, metric
    for path in (suite_report / "tables").glob("*.md"):
        others = path.stem.endswith("_others") or path.stem.startswith("cost")
        if path.stem != "leaderboard" and not others:  # speeds: not scores
            rows = re.findall(r"^\| MoCoGAN \|.*", path.read_text(), re.MULTILINE)
            assert not any("| – |" in line for line in rows), path.stem


@pytest.mark.parametrize(
    ("name", "metric", "lacks"),
    [
        ("svg", "sample_static_contrast", ["sample_static"]),
        ("svg", "swap_score", []),
        ("oracle", "generated_score", ["sample_static", "sample_dynamic"]),
        ("copy_source", "probe_static", ["codes"]),
        ("copy_source", "mse", []),
        ("mocogan", "generated_score", []),
    ],
)
def test_reasons_follow_what_a_metric_needs(
    tree: Tree, name: str, metric: str, lacks: list[str]
) -> None:
    model = next(m for m in tree.models if m.name == name)
    reason = ", ".join(LACKS[need] for need in lacks)
    wanted = Missing(f"{NEVER}: {reason}") if lacks else None
    assert missing(tree, "sprites", model, metric) == wanted


def test_who_is_not_drawn_is_named(tree: Tree, text: str) -> None:
    drawn = [model.label for model in tree.models if model.name != "mocogan"]
    wanted = f"MoCoGAN ({NO_ENCODER.reason})"
    assert undrawn(tree, "sprites", drawn) == [wanted]
    for name, named in (("swaps", wanted), ("cost", "MoCoGAN")):
        path = f".//section[@id='{name}']//span[@class='undrawn']"
        told, *_ = texts(text, path)
        assert named in told
        assert not any(label in told for label in drawn)


def test_training_has_a_row_per_family(suite_report: Path) -> None:
    drawing = (suite_report / "images/sprites_training.svg").read_text()
    panels = re.findall(r">(loss|discriminator image|scene)</text>", drawing)
    assert panels.count("loss") == 8
    assert (panels.count("discriminator image"), panels.count("scene")) == (1, 1)


def test_frames_are_magnified_by_whole_numbers(suite_report: Path, text: str) -> None:
    tag = re.search(r'src="images/sprites_swap_moving.png" width="(\d+)"', text)
    with Image.open(suite_report / "images/sprites_swap_moving.png") as image:
        assert image.width == 5 * (32 + GAP)
        assert tag is not None
        assert int(tag[1]) == 2 * image.width


def test_the_page_of_twenty_models_is_small(suite_report: Path) -> None:
    size = sum(p.stat().st_size for p in suite_report.rglob("*") if p.is_file())
    assert size < 12e6
