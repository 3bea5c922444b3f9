"""sigmapack: Sigma rule packs, and their conversion to KQL, SPL and Lucene."""
