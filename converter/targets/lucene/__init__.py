"""Lucene query strings for Elastic Defend's data streams."""
