"""Drawn stand-ins for originals that need a download or a licence.

- `sheets`: sprite sheets, of the figure whose joints are in `rig`.
- `videos`: videos of faces with annotations. `look` says who is drawn and what the face
  does, `face` draws one picture.
"""
