"""The seed paper's model and its named variants, under the contract of every baseline."""


use rule train_baseline as train_unordered_vae with:
    wildcard_constraints:
        model=entries("unordered_vae"),
    conda:
        "../../envs/torch.yaml"
