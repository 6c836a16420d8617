"""Images packed by gzip, xz, zstd or bzip2: unpacked in the confined child."""
