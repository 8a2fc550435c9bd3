"""The model contract, the one training loop, checkpoints, and the representation.

Every batch is float `(batch, time, channel, height, width)` in [0, 1].
"""
