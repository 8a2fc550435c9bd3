use rule train_baseline as train_neural_statistician with:
    wildcard_constraints:
        model=entries("neural_statistician"),
