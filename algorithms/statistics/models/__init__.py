"""What models share: formulas, columns of a design, centring, whitening, Newton steps."""
