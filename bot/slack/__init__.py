"""The chat platform: reading what people type, saying the answer, and the traffic with Slack."""
