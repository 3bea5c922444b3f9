"""SPL for the raw events of Splunk's add-ons."""
