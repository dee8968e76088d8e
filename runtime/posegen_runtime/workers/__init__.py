"""Who reads inputs and writes outputs while the generator runs."""
