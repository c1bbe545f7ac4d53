"""DeltaGlider: versioned binary data in S3 for the price of one."""
