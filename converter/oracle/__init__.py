"""What a Sigma rule means, event by event, after the Sigma specification 2.1; shares no code with what converts."""
