"""Changed image files, a numbered mutant each, through what a user does with a file.

`seeds` has good files of every format, `mutants` changes them, `judge` says how one ends,
`worker` is a process that judges many, and `run` watches workers from outside.
"""
