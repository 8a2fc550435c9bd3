"""Models to representations. A rule file of a model (.smk) inherits `train`, for a model
file that needs an environment of its own, or `run_program`.

REQUIRED: {tier}/data/{dataset}/*. OUTPUTS: {tier}/{dataset}/{model}/seed{seed}/*.
"""


rule train:
    """Train a cell, resume it if it was interrupted, and write its representation."""
    input:
        info=f"{DATA}/dataset.json",
        pairs=f"{DATA}/pairs.parquet",
        code=list_training_code,
    output:
        run=f"{CELL}/run.json",
        representation=f"{CELL}/representation.npz",
    log:
        f"{LOGS}/train/{{dataset}}/{{model}}/seed{{seed}}.log",
    wildcard_constraints:
        model=entries("train"),
    conda:
        "../../envs/torch.yaml"
    resources:
        gpu=GPU,
    params:
        data=subpath(input.info, parent=True),
        cell=subpath(output.run, parent=True),
        module=get_module,
        settings=get_cell_settings,
    shell:
        "python -m training.train --model {wildcards.model} --module {params.module} "
        "--data {params.data:q} --settings {params.settings:q} --seed {wildcards.seed} "
        "--out {params.cell:q} 2>&1 | tee {log:q}"


rule run_program:
    """Run a program that writes run.json and representation.npz itself."""
    input:
        info=f"{DATA}/dataset.json",
        pairs=f"{DATA}/pairs.parquet",
        code=list_program_code,
    output:
        run=f"{CELL}/run.json",
        representation=f"{CELL}/representation.npz",
    log:
        f"{LOGS}/train/{{dataset}}/{{model}}/seed{{seed}}.log",
    wildcard_constraints:
        model=entries("run_program"),
    conda:
        "../../envs/torch.yaml"
    params:
        data=subpath(input.info, parent=True),
        cell=subpath(output.run, parent=True),
        program=lambda wildcards: f"python -m {get_module(wildcards)}",
        settings=get_cell_settings,
    shell:
        "{params.program} --model {wildcards.model} "
        "--data {params.data:q} --settings {params.settings:q} --seed {wildcards.seed} "
        "--out {params.cell:q} 2>&1 | tee {log:q}"
