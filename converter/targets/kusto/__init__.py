"""KQL for Microsoft Defender XDR's advanced hunting."""
