use rule write_baseline as write_copy_source with:
    wildcard_constraints:
        model=entries("copy_source"),
