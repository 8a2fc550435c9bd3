"""The same trials for every model; settings are chosen on validation clips.

REQUIRED: {tier}/data/{dataset}/*, {tier}/judges/{dataset}/*.
OUTPUTS: {tier}/select/{dataset}/*, config/selected/{tier}.yaml,
results/reference/{tier}/trials.csv.
"""

TRIALS = f"{TIER}/select/{{dataset}}/{{model}}"


rule pair_validation_clips:
    """Choose the pairs of validation clips that trials are scored on."""
    input:
        clips=f"{DATA}/clips.parquet",
        code=list_code("evaluation.validation"),
    output:
        f"{TIER}/select/{{dataset}}/pairs.parquet",
    log:
        f"{LOGS}/select/{{dataset}}/pairs.log",
    conda:
        "../../envs/torch.yaml"
    params:
        data=subpath(input.clips, parent=True),
        pairs=get_pairs,
    shell:
        "python -m evaluation.validation --data {params.data:q} "
        "--pairs {params.pairs} --out {output:q} 2>&1 | tee {log:q}"


rule trial:
    """Train a model with the settings of a trial; decode validation clips."""
    input:
        info=f"{DATA}/dataset.json",
        pairs=f"{TIER}/select/{{dataset}}/pairs.parquet",
        code=list_trial_code,
    output:
        about=f"{TRIALS}/trial{{trial}}/trial.json",
        frames=f"{TRIALS}/trial{{trial}}/frames.npz",
    log:
        f"{LOGS}/select/{{dataset}}/{{model}}/trial{{trial}}.log",
    conda:
        "../../envs/torch.yaml"
    resources:
        gpu=GPU,
    params:
        data=subpath(input.info, parent=True),
        trial=subpath(output.about, parent=True),
        module=get_module,
        settings=get_trial_settings,
        seed=config["selection"]["seed"],
    shell:
        "python -m training.trial --model {wildcards.model} --module {params.module} "
        "--data {params.data:q} --pairs {input.pairs:q} --settings {params.settings:q} "
        "--seed {params.seed} --out {params.trial:q} 2>&1 | tee {log:q}"


rule judge_trials:
    """Measure the contrasts of a model's trials on a dataset."""
    input:
        pairs=f"{TIER}/select/{{dataset}}/pairs.parquet",
        judge=f"{JUDGES}/judge.json",
        trials=expand(
            f"{TRIALS}/trial{{trial}}/trial.json",
            trial=range(len(config["selection"]["trials"])),
            allow_missing=True,
        ),
        frames=expand(
            f"{TRIALS}/trial{{trial}}/frames.npz",
            trial=range(len(config["selection"]["trials"])),
            allow_missing=True,
        ),
        code=list_code("evaluation.trials"),
    output:
        f"{TRIALS}/contrasts.parquet",
    log:
        f"{LOGS}/select/{{dataset}}/{{model}}/contrasts.log",
    conda:
        "../../envs/torch.yaml"
    params:
        data=DATA,
        judges=subpath(input.judge, parent=True),
        trials=lambda wildcards, input: [Path(file).parent for file in input.trials],
    shell:
        "python -m evaluation.trials --data {params.data:q} --judges {params.judges:q} "
        "--pairs {input.pairs:q} --trials {params.trials:q} --out {output:q} "
        "2>&1 | tee {log:q}"


rule select:
    """Choose settings by all trials; write them and the trials under version control."""
    input:
        contrasts=list_contrasts,
    log:
        f"{LOGS}/select.log",
    conda:
        "../../envs/torch.yaml"
    params:
        tier=config["tier"],
        judges=f"{TIER}/judges",
        trials=len(config["selection"]["trials"]),
        selected=f"{SELECTED}/{config['tier']}.yaml",
        table=f"{KEPT}/trials.csv",
    shell:
        "python -m evaluation.select --tier {params.tier} --judges {params.judges:q} "
        "--trials {params.trials} --contrasts {input.contrasts:q} "
        "--selected {params.selected:q} --table {params.table:q} 2>&1 | tee {log:q}"
