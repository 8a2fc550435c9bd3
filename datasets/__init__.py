"""Sources (downloaded, licensed or drawn here) made into one frame store.

A frame store keeps every frame as uint8 `(frame, height, width, channel)`, all
sequences end to end, beside two tables of factors (one row per sequence, one row per
frame) and a description. Inside models the same pixels are a float batch
`(batch, time, channel, height, width)` in [0, 1]. See `docs/formats.md`.
"""
