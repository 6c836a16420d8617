"""Hand-made hostile and broken images, byte for byte reproducible; made for this project.

`corpus.build(name)` gives the bytes of one file of tests/hostile/MANIFEST.tsv, whose digests hold
the builders to their bytes. Every good file is departed from in one place.
"""
