"""What an image file says of itself, read from untrusted bytes: see `inspect.inspect_image`."""
