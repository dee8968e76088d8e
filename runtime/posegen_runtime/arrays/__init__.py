"""Arrays of any library, taken and given where they lie."""
