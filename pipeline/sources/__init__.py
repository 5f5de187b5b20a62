"""Where messages enter the flow: MQTT."""
