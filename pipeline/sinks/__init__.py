"""Where results leave the flow: TimescaleDB with an outbox, and from there MQTT."""
