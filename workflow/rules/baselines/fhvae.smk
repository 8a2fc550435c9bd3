use rule train_baseline as train_fhvae with:
    wildcard_constraints:
        model=entries("fhvae"),
