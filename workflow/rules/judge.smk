"""The classifiers that score swaps.

REQUIRED: {tier}/data/{dataset}/*. OUTPUTS: {tier}/judges/{dataset}/*.
"""


rule train_judge:
    """Train one member of a dataset's ensemble on real frames of training identities."""
    input:
        info=f"{DATA}/dataset.json",
        clips=f"{DATA}/clips.parquet",
        code=list_code("evaluation.judge"),
    output:
        f"{JUDGES}/seed{{seed}}.safetensors",
    log:
        f"{LOGS}/judge/{{dataset}}/seed{{seed}}.log",
    # Nothing can be scored without its judge, so it goes first.
    priority: 50
    conda:
        "../../envs/torch.yaml"
    resources:
        gpu=GPU,
    params:
        folder=subpath(input.info, parent=True),
        partial=subpath(output[0], strip_suffix=".safetensors"),
        settings=get_section_settings("judge"),
    shell:
        "python -m evaluation.judge --data {params.folder:q} --seed {wildcards.seed} "
        "--settings {params.settings:q} --out {output:q} "
        "--partial {params.partial:q}_partial 2>&1 | tee {log:q}"


rule certify:
    """Measure the ensemble on real test frames; its accuracy is the ceiling."""
    input:
        judges=expand(
            f"{JUDGES}/seed{{seed}}.safetensors",
            seed=range(config["judges"]),
            allow_missing=True,
        ),
        clips=f"{DATA}/clips.parquet",
        code=list_code("evaluation.certify"),
    output:
        f"{JUDGES}/judge.json",
    log:
        f"{LOGS}/certify/{{dataset}}.log",
    conda:
        "../../envs/torch.yaml"
    params:
        data=subpath(input.clips, parent=True),
        judges=subpath(output[0], parent=True),
        settings=get_section_settings("judge"),
    shell:
        "python -m evaluation.certify --data {params.data:q} --judges {params.judges:q} "
        "--settings {params.settings:q} --out {output:q} 2>&1 | tee {log:q}"
