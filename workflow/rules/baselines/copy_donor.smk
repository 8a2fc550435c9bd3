use rule write_baseline as write_copy_donor with:
    wildcard_constraints:
        model=entries("copy_donor"),
