"""The table of engines: what runs an emitted query over a vendor's rows."""
