"""Facts, findings and requests as text and as JSON. Nothing here prints."""
