"""The model of Helminger et al. (2018)."""
