"""ISO 9660, Joliet, Rock Ridge, UDF and El Torito: read in the confined child."""
