"""Formats of export and import other than JSON Lines, which the engine reads and writes itself.

`rows` is what all of them share: batches on their way into a collection. `arrow` and `numpy` are a format
each; `vecstore.importers` reads the files of other stores.
"""
