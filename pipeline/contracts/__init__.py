"""What crosses MQTT: topics, messages and their encoding. Imports nothing of ours."""
