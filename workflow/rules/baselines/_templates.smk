"""What a baseline's rule file inherits: `train_baseline` for a torch model under the
suite's contract, `write_baseline` for a program that writes its representation itself.
An entry of the config that names a module needs no rule file: train_baseline makes it.

REQUIRED: {tier}/data/{dataset}/*. OUTPUTS: {tier}/{dataset}/{model}/seed{seed}/*.
"""


rule train_baseline:
    """Train a cell, resume it if it was interrupted, and write its representation."""
    input:
        info=f"{DATA}/dataset.json",
        pairs=f"{DATA}/pairs.parquet",
        script=model_file,
        code=code("training"),
    output:
        run=f"{CELL}/run.json",
        representation=f"{CELL}/representation.npz",
    log:
        f"{LOGS}/train/{{dataset}}/{{model}}/seed{{seed}}.log",
    wildcard_constraints:
        model=entries("train_baseline"),
    conda:
        "../../../envs/torch.yaml"
    resources:
        gpu=GPU,
    params:
        data=subpath(input.info, parent=True),
        cell=subpath(output.run, parent=True),
        module=module_of,
        settings=cell_settings,
        command=rerun_command,
    shell:
        "python -m training.train --model {wildcards.model} --module {params.module} "
        "--data {params.data:q} --settings {params.settings:q} --seed {wildcards.seed} "
        '--out {params.cell:q} --command {params.command:q}"$SEQDIS_CONFIGFILES" '
        "2>&1 | tee {log:q}"


rule write_baseline:
    """Run a program that writes run.json and representation.npz."""
    input:
        info=f"{DATA}/dataset.json",
        pairs=f"{DATA}/pairs.parquet",
        script=model_file,
        code=code("training/direct", "training/verdict", "datasets/render"),
    output:
        run=f"{CELL}/run.json",
        representation=f"{CELL}/representation.npz",
    log:
        f"{LOGS}/train/{{dataset}}/{{model}}/seed{{seed}}.log",
    wildcard_constraints:
        model="template",
    conda:
        "../../../envs/torch.yaml"
    params:
        data=subpath(input.info, parent=True),
        cell=subpath(output.run, parent=True),
        program=lambda wildcards: f"python -m {module_of(wildcards)}",
        settings=cell_settings,
        command=rerun_command,
    shell:
        "{params.program} --model {wildcards.model} "
        "--data {params.data:q} --settings {params.settings:q} --seed {wildcards.seed} "
        '--out {params.cell:q} --command {params.command:q}"$SEQDIS_CONFIGFILES" '
        "2>&1 | tee {log:q}"
