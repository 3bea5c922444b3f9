"""What writes files of the project that are made and not written by hand."""
