"""SeqDis: compare disentangled sequence models. `snakemake --cores 8` makes the report."""

import os
import sys

from snakemake.utils import min_version, validate

min_version("9.27")


configfile: "config/config.yaml"


# A dataset that a config file sets to null is left out.
if isinstance(config["datasets"], dict):
    config["datasets"] = {k: v for k, v in config["datasets"].items() if v is not None}
validate(config, "workflow/schemas/config.schema.yaml")

# Rules call `python`: the one that runs Snakemake, unless a conda environment is first.
bin = os.path.dirname(sys.executable)
os.environ.update(PATH=os.pathsep.join([bin, os.environ.get("PATH", "")]))

# Jobs tell a person how far they are, and stay quiet in a log.
os.environ.setdefault("SEQDIS_PROGRESS", str(int(sys.stderr.isatty())))


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/judge.smk"
include: "workflow/rules/baselines/_templates.smk"
include: "workflow/rules/unordered.smk"


for path in BASELINE_RULES:

    include: path


include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/studies.smk"


localrules:
    all,
    data,
    report_partial,
    reproduce,
    export,
    tables_partial,


rule all:
    """The comparison report of the tier."""
    default_target: True
    input:
        f"{TIER}/report/index.html",


rule data:
    """Only the datasets."""
    input:
        expand(f"{TIER}/data/{{dataset}}/dataset.json", dataset=DATASETS),
