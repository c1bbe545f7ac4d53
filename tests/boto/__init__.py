"""The boto3-shaped methods, held against the real boto3."""
