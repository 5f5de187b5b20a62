"""Pure domain: arrays in, arrays out, time as an argument. Standard library, numpy, scipy."""
