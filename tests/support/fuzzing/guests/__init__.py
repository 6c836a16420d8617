"""Changed disks with a guest on each: its tables, its file systems, its volumes, its files.

`tree` has the guest's files, `makers` puts them into file systems by the real tools, `steady` takes
out what chance and clock left in those, `seeds` makes whole disks of them and sees what of a good
one the reader asks for. `disks` and `files` change that, `sums` puts checksums right afterwards,
`judge` says how a mutant ends.
"""
