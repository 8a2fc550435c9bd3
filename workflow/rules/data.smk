"""Sources to frame stores.

REQUIRED: config.datasets. OUTPUTS: results/sources/*, {tier}/data/{dataset}/*.
"""


rule download:
    """Fetch and check original files, from the mirror first if there is one."""
    output:
        "results/sources/original/{collection}/manifest.json",
    log:
        "results/sources/logs/original_{collection}.log",
    retries: 1
    conda:
        "../../envs/data.yaml"
    params:
        folder=subpath(output[0], parent=True),
        mirror=lambda wildcards: ["--mirror", config["mirror"]] * bool(config["mirror"]),
    shell:
        "python -m datasets.download {wildcards.collection} --out {params.folder:q} "
        "{params.mirror:q} 2>&1 | tee {log:q}"


rule draw:
    """Make stand-ins for the original files, which need no download."""
    input:
        code=list_code("datasets.embedded"),
    output:
        "results/sources/embedded/{collection}/manifest.json",
    log:
        "results/sources/logs/embedded_{collection}.log",
    conda:
        "../../envs/data.yaml"
    params:
        folder=subpath(output[0], parent=True),
    shell:
        "python -m datasets.embedded {wildcards.collection} --out {params.folder:q} "
        "2>&1 | tee {log:q}"


rule cut_out:
    """Find, follow and cut out the faces of some of a dataset's videos."""
    input:
        sources=list_sources,
        detector=list_detector,
        code=list_dataset_code,
    output:
        f"{PIECES}/part{{part}}.csv",
    log:
        f"{LOGS}/cut_out/{{dataset}}/part{{part}}.log",
    conda:
        "../../envs/data.yaml"
    params:
        source=find_source_folder,
        folder=subpath(output[0], parent=True),
        kind=get_kind,
        settings=get_dataset_settings("label", "test_share"),
        detector=lambda wildcards, input: (
            f"--detector {Path(input.detector[0]).parent}" if input.detector else ""
        ),
    shell:
        "python -m datasets.{params.kind} --files {params.source:q} "
        "--name {wildcards.dataset} --settings {params.settings:q} "
        "--part {wildcards.part} {params.detector} --out {params.folder:q} "
        "2>&1 | tee {log:q}"


rule prepare:
    """Compose frames and factors into a frame store."""
    input:
        sources=list_sources,
        pieces=list_pieces,
        code=list_dataset_code,
    output:
        multiext(f"{DATA}/", "frames.npy", "sequences.parquet", "frames.parquet"),
        info=f"{DATA}/dataset.json",
    log:
        f"{LOGS}/prepare/{{dataset}}.log",
    conda:
        "../../envs/data.yaml"
    params:
        source=find_source_folder,
        folder=subpath(output.info, parent=True),
        kind=get_kind,
        settings=get_dataset_settings(),
        pieces=lambda wildcards, input: (
            f"--pieces {Path(input.pieces[0]).parent}" if input.pieces else ""
        ),
    shell:
        "python -m datasets.{params.kind} --files {params.source:q} "
        "--name {wildcards.dataset} --settings {params.settings:q} {params.pieces} "
        "--out {params.folder:q} 2>&1 | tee {log:q}"


rule clips:
    """Choose the clips and pairs that every model is scored on."""
    input:
        info=f"{DATA}/dataset.json",
        code=list_code("evaluation.evalset"),
    output:
        clips=f"{DATA}/clips.parquet",
        pairs=f"{DATA}/pairs.parquet",
    log:
        f"{LOGS}/clips/{{dataset}}.log",
    conda:
        "../../envs/torch.yaml"
    params:
        folder=subpath(input.info, parent=True),
        settings=get_section_settings("evaluation"),
    shell:
        "python -m evaluation.evalset --data {params.folder:q} "
        "--settings {params.settings:q} 2>&1 | tee {log:q}"
