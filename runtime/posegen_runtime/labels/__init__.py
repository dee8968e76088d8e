"""Label formats, each written from the same job records."""
