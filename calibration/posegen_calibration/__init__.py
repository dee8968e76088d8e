"""Choice of samples that represent a data set, for calibration and golden sets."""
